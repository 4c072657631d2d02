// All scenes at a glance: small views that share the edit canvas's transform and crosshair.

import { useCallback, useEffect, useRef } from "preact/hooks";
import { drawView, labelPicture, windowPlace } from "../draw";
import type { Editor } from "../editor";
import { useWatched } from "../watch";
import { useCanvas } from "./canvas";
import { dateText } from "./text";

/** Scenes with a smaller clear share of the task are dimmed. */
const CLOUDY = 0.5;

function Multiple({ editor, date }: { editor: Editor; date: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const task = editor.task!;
  const clear = task.cube.window.clear[date] ?? 1;
  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number, height: number) => {
      const now = editor.task;
      if (!now || date >= now.cube.times.length) return;
      const dim = (now.cube.window.clear[date] ?? 1) < CLOUDY;
      drawView(context, editor, { x: 0, y: 0, width, height }, { date, labels: editor.labelled ? labelPicture(editor) : null, dim, fine: false });
    },
    [editor, date],
  );
  useCanvas(canvas, editor.frame, draw);
  const active = date === editor.date;
  const second = editor.compare !== "one" && date === editor.other;
  useEffect(() => {
    // The views alone: `scrollIntoView` would also scroll a narrow page away from the edit canvas.
    const shown = active ? button.current : null;
    const views = shown?.parentElement;
    if (!shown || !views) return;
    const above = shown.getBoundingClientRect().top - views.getBoundingClientRect().top;
    const below = above + shown.offsetHeight - views.clientHeight;
    if (above < 0 || below > 0) views.scrollTop += above < 0 ? above : below;
  }, [active]);
  const hover = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const { x, y } = windowPlace(editor, { x: 0, y: 0, width: box.width, height: box.height }, event.clientX - box.left, event.clientY - box.top);
    const { rows, columns } = task.cube;
    if (x >= 0 && y >= 0 && x < columns && y < rows) editor.setCursor({ row: Math.floor(y), column: Math.floor(x) });
  };
  const seen = editor.viewed.has(date);
  const name = `${dateText(task.cube.times[date]!)}, ${Math.round(100 * clear)} % clear${seen ? ", shown" : ", not shown yet"}`;
  return (
    <button
      ref={button}
      class={`multiple${active ? " on" : ""}${second ? " second" : ""}${clear < CLOUDY ? " cloudy" : ""}`}
      aria-pressed={active}
      title={`${name}. Shift+click: compare with it`}
      tabIndex={active ? 0 : -1}
      onPointerMove={hover}
      onPointerLeave={() => editor.setCursor(null)}
      onClick={(event) => (event.shiftKey ? (editor.setOther(date), editor.compare === "one" && editor.setCompare("side")) : editor.setDate(date, event.timeStamp))}
    >
      <canvas ref={canvas} />
      <span class="sr">{name}</span>
      <span class="caption" aria-hidden="true">
        <span>
          <span class="year">{dateText(task.cube.times[date]!).slice(0, 5)}</span>
          {dateText(task.cube.times[date]!).slice(5)}
        </span>
        <span class={seen ? "seen" : "unseen"}>{seen ? "✓" : "•"}</span>
        <span class="share">{Math.round(100 * (1 - clear))}&thinsp;%</span>
      </span>
    </button>
  );
}

export function Multiples({ editor }: { editor: Editor }) {
  useWatched(editor);
  const count = editor.task?.cube.times.length ?? 0;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element || !count) return;
    // As many columns as make the views largest.
    const arrange = () => {
      let best = 1;
      let largest = 0;
      for (let columns = 1; columns <= count; columns++) {
        const rows = Math.ceil(count / columns);
        const side = Math.min((element.clientWidth - 6 * (columns - 1)) / columns, (element.clientHeight - 6 * (rows - 1)) / rows - 20);
        if (side > largest) [largest, best] = [side, columns];
      }
      element.style.setProperty("--columns", String(best));
      const side = Math.max(56, Math.floor(largest) - 4);
      element.style.setProperty("--side", `${side}px`);
      element.classList.toggle("narrow", side < 110);
      element.classList.toggle("tiny", side < 76);
    };
    arrange();
    const sizes = new ResizeObserver(arrange);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [count]);
  return (
    <div class="multiples" ref={box} role="group" aria-label="All scenes">
      {Array.from({ length: count }, (_, date) => (
        <Multiple key={date} editor={editor} date={date} />
      ))}
    </div>
  );
}
