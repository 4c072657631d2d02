// The tools under the edit canvas.

import type { Compare } from "../display";
import type { Editor, Tool } from "../editor";
import { play } from "../keys";
import type { Tasks } from "../tasks";
import { useWatched } from "../watch";

const TOOLS: [Tool, string, string][] = [
  ["brush", "Brush", "B"],
  ["fill", "Fill", "F"],
  ["erase", "Restore", "E"],
  ["polygon", "Polygon", "G"],
  ["superpixel", "Superpixel", "S"],
];
const COMPARES: [Compare, string][] = [
  ["one", "1 date"],
  ["side", "2 dates"],
  ["swipe", "Swipe"],
];

export function Toolbar({ editor, tasks }: { editor: Editor; tasks: Tasks | null }) {
  useWatched(editor);
  const segments = editor.tool === "superpixel";
  return (
    <div class="toolbar" role="toolbar" aria-label="Tools" data-segments={editor.segments ? editor.segmentSize : ""}>
      <span class="segmented" role="group" aria-label="Tool">
        {TOOLS.map(([name, title, key]) => (
          <button key={name} aria-pressed={editor.tool === name} aria-keyshortcuts={key} title={`${title} (${key})`} onClick={() => editor.setTool(name)}>
            <u>{title[0] === key ? key : ""}</u>
            {title[0] === key ? title.slice(1) : title}
            {title[0] !== key && <kbd>{key}</kbd>}
          </button>
        ))}
      </span>
      <span class="size" title="Size: [ and ]">
        <button class="small" aria-label="Smaller ([)" onClick={() => editor.resize(-1)}>
          −
        </button>
        <span class="number" aria-busy={segments && !editor.segments}>
          {segments ? (editor.segments ? editor.segmentSize : "…") : editor.size}&thinsp;px
        </span>
        <button class="small" aria-label="Larger (])" onClick={() => editor.resize(1)}>
          +
        </button>
      </span>
      <span class="pair">
        <button disabled={!editor.canUndo} title="Undo (Ctrl+Z)" onClick={() => editor.undo()}>
          Undo
        </button>
        <button disabled={!editor.canRedo} title="Redo (Ctrl+Shift+Z)" onClick={() => editor.redo()}>
          Redo
        </button>
        <button title="Restore the whole guess (Shift+E)" onClick={() => editor.restoreAll()}>
          Reset
        </button>
      </span>
      <span class="pair">
        <select value={editor.compare} aria-label="Dates (M)" title="Two dates side by side or by swipe (M)" onChange={(event) => editor.setCompare(event.currentTarget.value as Compare)}>
          {COMPARES.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
        <button title="Show the task alone (0); the wheel zooms" onClick={() => editor.fit()}>
          Fit
        </button>
        {tasks && (
          <button title="Show all scenes that were not shown yet (V)" onClick={() => play({ editor, tasks, open: () => undefined, submit: () => undefined, escape: () => undefined })}>
            View all
          </button>
        )}
      </span>
    </div>
  );
}
