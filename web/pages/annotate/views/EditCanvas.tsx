// The edit canvas: one scene, or two side by side or by swipe, with the labels over it.

import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Viewport } from "../draw";
import { drawView, labelPicture, scaleOf, windowPlace } from "../draw";
import type { Editor, Tool } from "../editor";
import { useWatched } from "../watch";
import { useCanvas } from "./canvas";
import { dateText } from "./text";

const DIVIDER = 10;

/** The parts of the canvas, and the date that each shows. */
function parts(editor: Editor, width: number, height: number): { view: Viewport; clip: Viewport; date: number }[] {
  const whole = { x: 0, y: 0, width, height };
  const { date, other, swipe } = editor;
  if (editor.compare === "side") {
    const left = { x: 0, y: 0, width: width / 2 - 1, height };
    const right = { x: width / 2 + 1, y: 0, width: width / 2 - 1, height };
    return [{ view: left, clip: left, date }, { view: right, clip: right, date: other }];
  }
  const one = { view: whole, clip: whole, date };
  if (editor.compare === "one") return [one];
  const at = swipe * width;
  return [{ ...one, clip: { ...whole, width: at } }, { view: whole, clip: { ...whole, x: at, width: width - at }, date: other }];
}

function caption(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  const width = context.measureText(text).width;
  context.fillStyle = "rgba(16, 20, 24, 0.72)";
  context.fillRect(x, y, width + 14, 21);
  context.fillStyle = "#fff";
  context.fillText(text, x + 7, y + 11);
}

function heldTool(event: PointerEvent, editor: Editor): Tool {
  return event.ctrlKey || event.metaKey ? "fill" : editor.tool;
}

export function EditCanvas({ editor, label }: { editor: Editor; label: string }) {
  useWatched(editor);
  const canvas = useRef<HTMLCanvasElement>(null);

  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number, height: number) => {
      context.clearRect(0, 0, width, height);
      if (!editor.task) return;
      const labels = labelPicture(editor);
      for (const { view, clip, date } of parts(editor, width, height)) {
        context.save();
        context.beginPath();
        context.rect(clip.x, clip.y, clip.width, clip.height);
        context.clip();
        drawView(context, editor, view, { date, labels, dim: false, fine: true });
        const text = `${dateText(editor.task.cube.times[date]!)} · ${Math.round(100 * editor.task.cube.window.clear[date]!)} % clear`;
        // By swipe the second caption keeps to the right edge.
        const right = editor.compare === "swipe" && date === editor.other && clip.x > 0;
        caption(context, text, right ? Math.max(clip.x, width - 168) : clip.x, 0);
        context.restore();
      }
      if (editor.compare !== "one") {
        const at = editor.compare === "side" ? width / 2 : editor.swipe * width;
        context.fillStyle = "#fff";
        context.fillRect(at - 1.5, 0, 3, height);
        if (editor.compare === "swipe") {
          context.beginPath();
          context.arc(at, height / 2, 9, 0, 7);
          context.fill();
        }
      }
    },
    [editor],
  );
  useCanvas(canvas, editor.frame, draw);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let held: "stroke" | "divider" | "pan" | null = null;
    let panFrom: { x: number; y: number; centre: { x: number; y: number } } | null = null;

    const local = (event: MouseEvent) => {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const viewAt = (x: number) => {
      const all = parts(editor, element.clientWidth, element.clientHeight);
      return (all.find(({ clip }) => x >= clip.x && x < clip.x + clip.width) ?? all[0]!).view;
    };
    /** Where an event lies in pixels of the window; during a stroke in the part where it began. */
    let strokeView: Viewport | null = null;
    const place = (event: MouseEvent) => {
      const { x, y } = local(event);
      return windowPlace(editor, strokeView ?? viewAt(x), x, y);
    };
    const taskPixel = (event: MouseEvent) => {
      const { x, y } = place(event);
      const { row_offset, column_offset } = editor.task!.cube.window;
      return { row: Math.floor(y) - row_offset, column: Math.floor(x) - column_offset };
    };
    const hover = (event: MouseEvent) => {
      const { x, y } = place(event);
      const { rows, columns } = editor.task!.cube.window;
      const within = x >= 0 && y >= 0 && x < columns && y < rows;
      editor.setCursor(within ? { row: Math.floor(y), column: Math.floor(x) } : null);
    };
    const nearDivider = (event: MouseEvent) => editor.compare === "swipe" && Math.abs(local(event).x - editor.swipe * element.clientWidth) < DIVIDER;

    const corner = (event: PointerEvent) => {
      const { x, y } = place(event);
      const { row_offset, column_offset } = editor.task!.cube.window;
      const at = { x: x - column_offset, y: y - row_offset };
      const first = editor.polygon[0];
      const scale = scaleOf(editor, viewAt(local(event).x));
      if (first && editor.polygon.length > 2 && Math.hypot(at.x - first.x, at.y - first.y) * scale < 9) editor.closePolygon();
      else editor.addCorner(at);
    };

    const down = (event: PointerEvent) => {
      if (!editor.task) return;
      element.focus({ preventScroll: true });
      strokeView = null;
      hover(event);
      if (event.button === 2) return editor.pin();
      if (event.button === 1 || nearDivider(event)) {
        held = event.button === 1 ? "pan" : "divider";
        panFrom = { ...local(event), centre: editor.centre };
      } else if (event.button === 0 && event.altKey) {
        const pixel = editor.cursor && editor.inTask(editor.cursor);
        const code = pixel ? editor.shownLabels()[pixel.row * editor.task.place.width + pixel.column] : 0;
        if (code && editor.colours.has(code)) editor.setCode(code);
      } else if (event.button === 0 && editor.tool === "polygon" && !event.ctrlKey && !event.metaKey) corner(event);
      else if (event.button === 0) {
        held = "stroke";
        editor.beginStroke(taskPixel(event), heldTool(event, editor), event.shiftKey);
        strokeView = viewAt(local(event).x);
        editor.frame.measure("stroke", event.timeStamp);
      }
      if (held) element.setPointerCapture(event.pointerId);
      event.preventDefault();
    };
    const move = (event: PointerEvent) => {
      if (!editor.task) return;
      if (held === "stroke") {
        const events = event.getCoalescedEvents?.() ?? [];
        for (const each of events.length ? events : [event]) editor.strokeTo(taskPixel(each));
        editor.frame.measure("stroke", event.timeStamp);
      } else if (held === "divider") {
        editor.swipe = Math.max(0.02, Math.min(0.98, local(event).x / element.clientWidth));
      } else if (held === "pan" && panFrom) {
        const { x, y } = local(event);
        const scale = scaleOf(editor, viewAt(x));
        editor.moveTo({ x: panFrom.centre.x - (x - panFrom.x) / scale, y: panFrom.centre.y - (y - panFrom.y) / scale });
      }
      element.classList.toggle("divides", nearDivider(event));
      hover(event);
      editor.frame.ask();
    };
    const up = (event: PointerEvent) => {
      if (held === "stroke") editor.endStroke();
      held = null;
      strokeView = null;
      if (element.hasPointerCapture(event.pointerId)) element.releasePointerCapture(event.pointerId);
    };
    const leave = () => {
      if (!held && !editor.cursorMode) editor.setCursor(null);
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const factor = Math.exp(Math.max(-0.4, Math.min(0.4, event.deltaY * 0.002)));
      editor.zoom(factor, place(event));
    };
    const menu = (event: Event) => event.preventDefault();
    const twice = () => editor.polygon.length > 2 && editor.closePolygon();
    const heard: [string, (event: never) => void, AddEventListenerOptions?][] = [
      ["pointerdown", down],
      ["pointermove", move],
      ["pointerup", up],
      ["pointercancel", up],
      ["pointerleave", leave],
      ["wheel", wheel, { passive: false }],
      ["contextmenu", menu],
      ["dblclick", twice],
    ];
    for (const [name, listener, options] of heard) element.addEventListener(name, listener as EventListener, options);
    return () => {
      for (const [name, listener] of heard) element.removeEventListener(name, listener as EventListener);
    };
  }, [editor]);

  return <canvas ref={canvas} class={`edit ${editor.tool}`} tabIndex={0} role="application" aria-roledescription="label editor" aria-label={label} aria-describedby="pixel" />;
}
