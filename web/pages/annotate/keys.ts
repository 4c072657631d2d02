// Every action of the page and its key: one table, which the keyboard, the buttons' titles and the help read.

import type { Compare, Overlay } from "./display";
import type { Editor, Tool } from "./editor";
import type { Tasks } from "./tasks";

export interface Page {
  editor: Editor;
  tasks: Tasks | null;
  /** Open a dialog or move the focus to a field by its name. */
  open: (what: "help" | "skip" | "comment" | "bands" | "index" | "chart" | "range") => void;
  submit: (start: number) => void;
  escape: () => void;
}

export interface Action {
  group: "Classes" | "Tools" | "Labels" | "Scenes" | "View" | "Keyboard cursor" | "Task";
  keys: string[];
  label: string;
  run: (page: Page, event: KeyboardEvent) => void;
  up?: (page: Page) => void;
  /** Whether holding the key repeats it. */
  repeats?: boolean;
}

const OVERLAYS: Overlay[] = ["mine", "guess", "difference"];
const COMPARES: Compare[] = ["one", "side", "swipe"];

function next<T>(list: T[], item: T): T {
  return list[(list.indexOf(item) + 1) % list.length]!;
}

function tool(name: Tool, key: string, label: string): Action {
  return { group: "Tools", keys: [key], label, run: ({ editor }) => editor.setTool(name) };
}

function classStep(editor: Editor, step: number): void {
  const codes = editor.classes.map((item) => item.code);
  const at = codes.indexOf(editor.code);
  editor.setCode(codes[(at + step + codes.length) % codes.length]!);
}

function arrow(editor: Editor, event: KeyboardEvent, down: number, along: number): boolean {
  if (!editor.cursorMode && !event.shiftKey) return false;
  const step = editor.cursorMode && event.shiftKey ? 4 : 1;
  editor.moveCursor(down * step, along * step);
  return true;
}

const STEPS: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Begin a stroke with the pen at the keyboard cursor, or set a corner of a polygon there. */
function penDown(editor: Editor, event: KeyboardEvent): void {
  if (!editor.cursor || !editor.inTask(editor.cursor)) editor.moveCursor(0, 0);
  const at = editor.cursor && editor.inTask(editor.cursor);
  if (!at) return;
  if (editor.tool === "polygon") editor.addCorner({ x: at.column + 0.5, y: at.row + 0.5 });
  else {
    editor.beginStroke(at);
    editor.frame.measure("stroke", event.timeStamp);
  }
}

let playing: ReturnType<typeof setInterval> | undefined;
const FLIP = 55;

/** Show every scene that was not shown yet, one after the other. */
export function play({ editor, tasks }: Page): void {
  if (playing !== undefined) {
    clearInterval(playing);
    playing = undefined;
    return;
  }
  const count = editor.task?.cube.times.length ?? 0;
  const unseen = tasks?.unseen ?? [];
  const list = unseen.length ? unseen : Array.from({ length: count }, (_, time) => time);
  const { task, date: first } = editor;
  const step = () => {
    const date = list.shift();
    if (date !== undefined && editor.task === task) return editor.setDate(date);
    clearInterval(playing);
    playing = undefined;
    if (editor.task === task) editor.setDate(first);
  };
  step();
  playing = setInterval(step, FLIP);
}

export const ACTIONS: Action[] = [
  {
    group: "Classes",
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    label: "choose the class, and the brush after restoring",
    run: ({ editor }, event) => {
      const chosen = editor.classes[Number(keyOf(event)) - 1];
      if (chosen) editor.setCode(chosen.code);
    },
  },
  { group: "Classes", keys: [","], label: "previous class", repeats: true, run: ({ editor }) => classStep(editor, -1) },
  { group: "Classes", keys: ["."], label: "next class", repeats: true, run: ({ editor }) => classStep(editor, 1) },
  tool("brush", "b", "brush"),
  tool("fill", "f", "fill what hangs together"),
  tool("erase", "e", "restore the guess"),
  tool("polygon", "g", "polygon: Enter or a double click closes it"),
  tool("superpixel", "s", "superpixels"),
  { group: "Tools", keys: ["[", "PageDown"], label: "smaller brush or superpixels", repeats: true, run: ({ editor }) => editor.resize(-1) },
  { group: "Tools", keys: ["]", "PageUp"], label: "larger brush or superpixels", repeats: true, run: ({ editor }) => editor.resize(1) },
  { group: "Labels", keys: ["Ctrl+z"], label: "undo the last stroke", repeats: true, run: ({ editor }) => editor.undo() },
  { group: "Labels", keys: ["Ctrl+Shift+z", "Ctrl+y"], label: "do it again", repeats: true, run: ({ editor }) => editor.redo() },
  { group: "Labels", keys: ["Shift+e"], label: "restore the whole guess", run: ({ editor }) => editor.restoreAll() },
  {
    group: "Labels",
    keys: [" "],
    label: "hide the labels while held",
    run: ({ editor }) => editor.setHidden(true),
    up: ({ editor }) => editor.setHidden(false),
  },
  { group: "Labels", keys: ["o"], label: "opacity of the labels", run: ({ editor }) => editor.nextOpacity() },
  { group: "Labels", keys: ["d"], label: "show mine, the guess, the difference", run: ({ editor }) => editor.setOverlay(next(OVERLAYS, editor.overlay)) },
  { group: "Labels", keys: ["h"], label: "safe colours or the campaign's own", run: ({ editor }) => editor.setSafe(!editor.safe) },
  {
    group: "Labels",
    keys: ["y"],
    label: "labels in the small views",
    run: ({ editor }) => {
      editor.labelled = !editor.labelled;
      editor.refresh();
    },
  },
  {
    group: "Scenes",
    keys: ["ArrowLeft"],
    label: "previous date",
    repeats: true,
    run: ({ editor }, event) => arrow(editor, event, 0, -1) || editor.setDate(editor.date - 1, event.timeStamp),
  },
  {
    group: "Scenes",
    keys: ["ArrowRight"],
    label: "next date",
    repeats: true,
    run: ({ editor }, event) => arrow(editor, event, 0, 1) || editor.setDate(editor.date + 1, event.timeStamp),
  },
  { group: "Scenes", keys: ["v"], label: "show all scenes that were not shown yet", run: (page) => play(page) },
  { group: "Scenes", keys: ["m"], label: "one date, two side by side, two by swipe", run: ({ editor }) => editor.setCompare(next(COMPARES, editor.compare)) },
  { group: "Scenes", keys: ["n"], label: "next second date", repeats: true, run: ({ editor }) => editor.setOther(editor.other + 1) },
  { group: "Scenes", keys: ["Shift+n"], label: "previous second date", repeats: true, run: ({ editor }) => editor.setOther(editor.other - 1) },
  { group: "Scenes", keys: ["w"], label: "move the swipe to the left", repeats: true, run: ({ editor }) => swipe(editor, -0.05) },
  { group: "Scenes", keys: ["Shift+w"], label: "move the swipe to the right", repeats: true, run: ({ editor }) => swipe(editor, 0.05) },
  {
    group: "View",
    keys: ["ArrowUp"],
    label: "previous rendering",
    repeats: true,
    run: ({ editor }, event) => arrow(editor, event, -1, 0) || editor.nextRendering(-1, event.timeStamp),
  },
  {
    group: "View",
    keys: ["ArrowDown"],
    label: "next rendering",
    repeats: true,
    run: ({ editor }, event) => arrow(editor, event, 1, 0) || editor.nextRendering(1, event.timeStamp),
  },
  { group: "View", keys: ["r"], label: "choose any three bands", run: ({ open }) => open("bands") },
  { group: "View", keys: ["="], label: "write an index", run: ({ open }) => open("index") },
  {
    group: "View",
    keys: ["t"],
    label: "stretch by percentiles or fixed",
    run: ({ editor }) => editor.setStretch({ kind: editor.stretch.kind === "fixed" ? "percentile" : "fixed" }),
  },
  { group: "View", keys: ["Shift+t"], label: "stretch each scene or all together", run: ({ editor }) => editor.setStretch({ together: !editor.stretch.together }) },
  { group: "View", keys: ["u"], label: "write the range of a fixed stretch", run: ({ open }) => open("range") },
  { group: "View", keys: ["+"], label: "zoom in", repeats: true, run: ({ editor }) => editor.zoom(0.8, cursorPlace(editor)) },
  { group: "View", keys: ["-"], label: "zoom out to the surroundings", repeats: true, run: ({ editor }) => editor.zoom(1.25, cursorPlace(editor)) },
  { group: "View", keys: ["0", "Home"], label: "show the task alone", run: ({ editor }) => editor.fit() },
  { group: "View", keys: ["i"], label: "pin the profile to the pixel under the cursor", run: ({ editor }) => editor.pin() },
  { group: "View", keys: ["j"], label: "choose the third chart", run: ({ open }) => open("chart") },
  {
    group: "Keyboard cursor",
    keys: Object.keys(STEPS).map((key) => `Shift+${key}`),
    label: "move the cursor",
    repeats: true,
    run: ({ editor }, event) => void arrow(editor, event, ...(STEPS[event.key] ?? [0, 0])),
  },
  {
    group: "Keyboard cursor",
    keys: ["c"],
    label: "arrows move the cursor (with Shift by 4), or choose date and rendering",
    run: ({ editor }) => {
      editor.cursorMode = !editor.cursorMode;
      if (editor.cursorMode && !editor.cursor) editor.moveCursor(0, 0);
      editor.refresh();
    },
  },
  {
    group: "Keyboard cursor",
    keys: ["p"],
    label: "use the tool at the cursor; held: paint while the cursor moves",
    run: ({ editor }, event) => penDown(editor, event),
    up: ({ editor }) => editor.endStroke(),
  },
  {
    group: "Keyboard cursor",
    keys: ["a"],
    label: "choose the class under the cursor",
    run: ({ editor }) => {
      const at = editor.cursor && editor.inTask(editor.cursor);
      const code = at ? editor.shownLabels()[at.row * editor.task!.place.width + at.column] : 0;
      if (code && editor.colours.has(code)) editor.setCode(code);
    },
  },
  { group: "Task", keys: ["Enter", "Ctrl+Enter"], label: "submit and go on", run: ({ submit }, event) => submit(event.timeStamp) },
  {
    group: "Task",
    keys: ["x"],
    label: "flag the task for a reviewer",
    run: ({ tasks }) => tasks?.current && tasks.remark({ flagged: !tasks.current.draft.flagged }),
  },
  { group: "Task", keys: ["/"], label: "write a comment", run: ({ open }) => open("comment") },
  { group: "Task", keys: ["k"], label: "skip the task", run: ({ open }) => open("skip") },
  { group: "Task", keys: ["Escape"], label: "leave a field, take a polygon back", run: ({ escape }) => escape() },
  { group: "Task", keys: ["Backspace"], label: "remove a polygon's last corner", repeats: true, run: ({ editor }) => editor.removeCorner() },
  { group: "Task", keys: ["?"], label: "show all keys", run: ({ open }) => open("help") },
];

function swipe(editor: Editor, step: number): void {
  editor.swipe = Math.max(0.02, Math.min(0.98, editor.swipe + step));
  editor.frame.ask();
}

function cursorPlace(editor: Editor): { x: number; y: number } {
  return editor.cursor ? { x: editor.cursor.column + 0.5, y: editor.cursor.row + 0.5 } : editor.centre;
}

/** The key of an event on any layout: letters and digits by their place where the layout has none there. */
function keyOf(event: KeyboardEvent): string {
  const { key, code } = event;
  if (/^Numpad\d$/.test(code)) return code.slice(-1);
  if (/^Digit\d$/.test(code) && !event.shiftKey && !/^[\d/?[\]=+\-.,]$/.test(key)) return code.slice(-1);
  if (/^Key[A-Z]$/.test(code) && !/^[\x20-\x7e]$/.test(key) && key.length === 1) return code.slice(-1).toLowerCase();
  return key.length === 1 ? key.toLowerCase() : key;
}

function combination(event: KeyboardEvent): string {
  const key = keyOf(event);
  const graph = event.getModifierState("AltGraph");
  const held = (event.ctrlKey || event.metaKey) && !graph ? "Ctrl+" : "";
  const alt = event.altKey && !graph ? "Alt+" : "";
  const shift = event.shiftKey && (key.length > 1 || /[a-z ]/.test(key)) ? "Shift+" : "";
  return held + alt + shift + key;
}

const TABLE = new Map(ACTIONS.flatMap((action) => action.keys.map((key) => [key, action] as const)));

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("textarea, select, input:not([type=checkbox]):not([type=range]):not([type=radio])") || target.isContentEditable);
}

/** Follow the keyboard until the returned function is called. */
export function listen(page: Page): () => void {
  const held = new Map<string, Action>();
  const down = (event: KeyboardEvent) => {
    const combined = combination(event);
    if (document.querySelector("dialog[open]")) return;
    const field = typing(event.target);
    if (field && !["Escape", "Ctrl+Enter"].includes(combined)) return;
    const action = TABLE.get(combined);
    if (!action) return;
    const button = event.target instanceof HTMLElement && event.target.closest("button, a, summary, input");
    if (button && ["Enter", " "].includes(combined)) return;
    if (event.target instanceof HTMLInputElement && event.key.startsWith("Arrow")) return;
    event.preventDefault();
    if (event.repeat && !action.repeats) return;
    if (action.up) held.set(event.code, action);
    action.run(page, event);
  };
  const up = (event: KeyboardEvent) => {
    held.get(event.code)?.up?.(page);
    held.delete(event.code);
  };
  const blur = () => {
    for (const action of held.values()) action.up?.(page);
    held.clear();
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", blur);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("blur", blur);
  };
}

export function keyText(keys: string[]): string {
  const names: Record<string, string> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
  if (keys.every((key) => key.startsWith("Shift+Arrow"))) return "Shift+arrows";
  const shown = keys.length > 5 ? [keys[0]!, "…", keys[keys.length - 1]!] : keys;
  return shown
    .map((key) =>
      key
        .split(/(?<=.)\+/)
        .map((part) => part.replace(/^Arrow(Up|Down|Left|Right)$/, (name) => names[name] ?? name))
        .map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part))
        .join("+"),
    )
    .join(" ");
}

