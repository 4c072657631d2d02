// Drawing of a view: imagery, labels, outline of the task, crosshair. All views share the editor's transform.

import { rgbOf } from "./colours";
import type { Editor } from "./editor";

export interface Viewport {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** CSS pixels per pixel of the window. */
export function scaleOf(editor: Editor, view: Viewport): number {
  return Math.min(view.width, view.height) / editor.span;
}

/** A place of a view in pixels of the window. */
export function windowPlace(editor: Editor, view: Viewport, x: number, y: number): { x: number; y: number } {
  const scale = scaleOf(editor, view);
  return {
    x: (x - view.x - view.width / 2) / scale + editor.centre.x,
    y: (y - view.y - view.height / 2) / scale + editor.centre.y,
  };
}

const small = document.createElement("canvas");

/** The labels as a picture of one pixel each. */
export function labelPicture(editor: Editor): HTMLCanvasElement {
  const { height, width } = editor.task!.place;
  if (small.width !== width || small.height !== height) {
    small.width = width;
    small.height = height;
  }
  const table = new Map([...editor.colours].map(([code, colour]) => [code, rgbOf(colour)]));
  const image = new ImageData(width, height);
  editor.shownLabels().forEach((code, place) => {
    const colour = table.get(code);
    if (!colour) return;
    image.data.set(colour, 4 * place);
    image.data[4 * place + 3] = 255;
  });
  small.getContext("2d")!.putImageData(image, 0, 0);
  return small;
}

export interface Look {
  date: number;
  labels: HTMLCanvasElement | null;
  dim: boolean;
  /** Outlines of pixels and classes, brush and polygon: on the edit canvas alone. */
  fine: boolean;
}

/** Draw one scene into a part of a canvas. */
export function drawView(context: CanvasRenderingContext2D, editor: Editor, view: Viewport, look: Look): void {
  const { task, pictures } = editor;
  context.save();
  context.beginPath();
  context.rect(view.x, view.y, view.width, view.height);
  context.clip();
  context.fillStyle = "#d6dce1";
  context.fillRect(view.x, view.y, view.width, view.height);
  const picture = pictures?.canvases[look.date];
  if (task && picture) {
    const scale = scaleOf(editor, view);
    context.translate(view.x + view.width / 2, view.y + view.height / 2);
    context.scale(scale, scale);
    context.translate(-editor.centre.x, -editor.centre.y);
    context.imageSmoothingEnabled = false;
    context.globalAlpha = look.dim ? 0.4 : 1;
    context.drawImage(picture, 0, 0);
    const { window } = task.cube;
    if (look.labels && !editor.hidden && editor.opacity > 0) {
      context.globalAlpha = editor.opacity;
      context.drawImage(look.labels, window.column_offset, window.row_offset);
    }
    context.globalAlpha = 1;
    if (look.fine) drawFine(context, editor, scale);
    outline(context, window.column_offset, window.row_offset, task.place.width, task.place.height, scale, look.fine);
    crosshair(context, editor, view, scale);
  }
  context.restore();
}

/** A double line, which shows on dark and on bright ground. */
function stroked(context: CanvasRenderingContext2D, scale: number, thick = 1): void {
  context.lineWidth = (thick + 2) / scale;
  context.strokeStyle = "rgba(0, 0, 0, 0.65)";
  context.stroke();
  context.lineWidth = thick / scale;
  context.strokeStyle = "#ffffff";
  context.stroke();
}

function outline(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, scale: number, fine: boolean): void {
  context.beginPath();
  context.rect(x, y, width, height);
  stroked(context, scale, fine ? 2 : 1);
}

function crosshair(context: CanvasRenderingContext2D, editor: Editor, view: Viewport, scale: number): void {
  const { pinned, cursor } = editor;
  if (pinned) {
    context.beginPath();
    context.arc(pinned.column + 0.5, pinned.row + 0.5, Math.max(0.45, 4 / scale), 0, 7);
    stroked(context, scale, 2);
  }
  if (!cursor) return;
  const reach = Math.max(view.width, view.height) / scale;
  const [x, y] = [cursor.column + 0.5, cursor.row + 0.5];
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
    context.moveTo(x + dx * 0.8, y + dy * 0.8);
    context.lineTo(x + dx * reach, y + dy * reach);
  }
  context.lineWidth = 1 / scale;
  context.strokeStyle = "rgba(255, 255, 255, 0.75)";
  context.stroke();
}

function drawFine(context: CanvasRenderingContext2D, editor: Editor, scale: number): void {
  const { task } = editor;
  const { row_offset: top, column_offset: left } = task!.cube.window;
  if (!editor.hidden && editor.opacity > 0) {
    borders(context, editor, editor.shownLabels(), left, top);
    context.lineWidth = 1.5 / scale;
    context.strokeStyle = "rgba(16, 20, 24, 0.75)";
    context.stroke();
  }
  if (editor.tool === "superpixel" && editor.segments) {
    borders(context, editor, editor.segments, left, top);
    context.lineWidth = 1 / scale;
    context.strokeStyle = "rgba(255, 255, 255, 0.8)";
    context.stroke();
  }
  drawBrush(context, editor, scale, left, top);
  drawPolygon(context, editor, scale, left, top);
}

/** The path along which neighbouring pixels differ. */
function borders(context: CanvasRenderingContext2D, editor: Editor, values: Uint8Array | Uint16Array, left: number, top: number): void {
  const { height, width } = editor.task!.place;
  context.beginPath();
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column];
      if (column + 1 < width && values[row * width + column + 1] !== value) {
        context.moveTo(left + column + 1, top + row);
        context.lineTo(left + column + 1, top + row + 1);
      }
      if (row + 1 < height && values[(row + 1) * width + column] !== value) {
        context.moveTo(left + column, top + row + 1);
        context.lineTo(left + column + 1, top + row + 1);
      }
    }
  }
}

function drawBrush(context: CanvasRenderingContext2D, editor: Editor, scale: number, left: number, top: number): void {
  const at = editor.cursor && editor.inTask(editor.cursor);
  if (!at) return;
  const size = editor.tool === "brush" || editor.tool === "erase" ? editor.size : 1;
  const first = -Math.floor((size - 1) / 2);
  context.beginPath();
  if (size < 4) context.rect(left + at.column + first, top + at.row + first, size, size);
  else context.arc(left + at.column + first + size / 2, top + at.row + first + size / 2, size / 2, 0, 7);
  stroked(context, scale, 1.5);
}

function drawPolygon(context: CanvasRenderingContext2D, editor: Editor, scale: number, left: number, top: number): void {
  const [first, ...others] = editor.polygon;
  if (!first) return;
  context.beginPath();
  context.moveTo(left + first.x, top + first.y);
  for (const corner of others) context.lineTo(left + corner.x, top + corner.y);
  if (editor.cursor) context.lineTo(editor.cursor.column + 0.5, editor.cursor.row + 0.5);
  stroked(context, scale, 1.5);
  for (const corner of editor.polygon) {
    context.beginPath();
    context.arc(left + corner.x, top + corner.y, 4 / scale, 0, 7);
    stroked(context, scale, 1.5);
  }
}
