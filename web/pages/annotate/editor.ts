// The labels of one task on the page, and what the tools do to them.

import type { Campaign } from "./api";
import type { EditorTask, Layer } from "./display";
import { Display } from "./display";
import type { Change, Point, Strokes } from "./mask";
import { History, dab, difference, inside, line, region, segment } from "./mask";
import { Pictures } from "./rendering";

export type Tool = "brush" | "fill" | "erase" | "polygon" | "superpixel";
export const SIZES = [1, 2, 3, 4, 5, 7, 9, 13];
export const SEGMENTS = [3, 4, 6, 8, 12];
export class Editor extends Display {
  counts = new Map<number, number>();
  changedPixels = 0;
  tool: Tool = "brush";
  code: number;
  size = 3;
  segmentSize = 6;
  segments: Uint16Array | null = null;
  cursorMode = false;
  polygon: { x: number; y: number }[] = [];
  onStroke: () => void = () => undefined;
  onSegmentsWanted: () => void = () => undefined;
  private history = new History();
  private stroke: { before: Uint8Array; last: Point | null; tool: Tool; only: number | null } | null = null;

  constructor(campaign: Campaign) {
    super(campaign);
    this.code = campaign.classes[0]?.code ?? 1;
  }

  open(task: EditorTask, prepared: Pictures | null = null): void {
    this.task = task;
    this.mask = task.labels.slice();
    this.history = new History(task.strokes);
    this.stroke = null;
    this.polygon = [];
    this.segments = null;
    this.layer = null;
    this.pinned = null;
    this.cursor = null;
    this.overlay = "mine";
    this.hidden = false;
    this.viewed = new Set(task.viewed);
    this.pictures = prepared ?? new Pictures(task.cube, this.campaign.bands);
    this.date = this.clearDate(task);
    this.other = Math.min(this.other, task.cube.times.length - 1);
    this.fit();
    this.render();
    this.see();
    this.count();
    this.refresh();
    if (this.tool === "superpixel") this.onSegmentsWanted();
  }

  /** The date that was on show, or the clearest where that one is clouded here. */
  private clearDate(task: EditorTask): number {
    const { clear } = task.cube.window;
    if ((clear[this.date] ?? 0) >= 0.5) return this.date;
    return Math.max(0, clear.indexOf(Math.max(...clear)));
  }

  /** Move the cursor by keys; it begins in the middle of the task and stays inside it. */
  moveCursor(down: number, along: number): void {
    if (!this.task) return;
    const { place } = this.task;
    const old = this.cursor && this.inTask(this.cursor);
    const from = old ?? { row: Math.floor(place.height / 2), column: Math.floor(place.width / 2) };
    const to = old
      ? { row: Math.max(0, Math.min(place.height - 1, from.row + down)), column: Math.max(0, Math.min(place.width - 1, from.column + along)) }
      : from;
    const { row_offset, column_offset } = this.task.cube.window;
    this.cursor = { row: to.row + row_offset, column: to.column + column_offset };
    if (this.stroke) this.strokeTo(to);
    this.refresh();
  }

  // Labels.

  setCode(code: number): void {
    this.code = code;
    if (this.tool === "erase") this.tool = "brush";
    this.refresh();
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.polygon = [];
    if (tool === "superpixel" && !this.segments) this.onSegmentsWanted();
    this.refresh();
  }

  /** A larger or smaller brush, or larger or smaller superpixels. */
  resize(step: number): void {
    if (this.tool === "superpixel") {
      const at = SEGMENTS.indexOf(this.segmentSize) + step;
      this.segmentSize = SEGMENTS[Math.max(0, Math.min(SEGMENTS.length - 1, at))]!;
      this.segments = null;
      this.onSegmentsWanted();
    } else {
      const at = SIZES.indexOf(this.size) + step;
      this.size = SIZES[Math.max(0, Math.min(SIZES.length - 1, at))]!;
    }
    this.refresh();
  }

  /**
   * Begin a stroke at a pixel of the task, which may lie outside of it.
   *
   * `tool` may differ from the chosen one while a key is held; with `preserve` only pixels of the first one's class change.
   */
  beginStroke(at: Point, tool: Tool = this.tool, preserve = false): void {
    if (!this.task || this.stroke) return;
    const { height, width } = this.task.place;
    const within = at.row >= 0 && at.column >= 0 && at.row < height && at.column < width;
    const only = preserve && within ? this.mask[at.row * width + at.column]! : null;
    if (this.overlay !== "mine" || this.layer) this.setOverlay("mine");
    this.stroke = { before: this.mask.slice(), last: null, tool, only };
    this.strokeTo(at);
  }

  strokeTo(at: Point): void {
    const { stroke, task } = this;
    if (!stroke || !task) return;
    const from = stroke.last ?? at;
    stroke.last = at;
    for (const point of line(from, at)) this.put(point, stroke.tool, stroke.only);
    this.frame.ask();
  }

  endStroke(): void {
    const { stroke } = this;
    if (!stroke) return;
    this.stroke = null;
    this.keep(difference(stroke.before, this.mask));
  }

  get stroking(): boolean {
    return this.stroke !== null;
  }

  private put(point: Point, tool: Tool, only: number | null): void {
    const { height, width } = this.task!.place;
    const within = point.row >= 0 && point.column >= 0 && point.row < height && point.column < width;
    const place = point.row * width + point.column;
    let places: number[] = [];
    if (tool === "brush" || tool === "erase") places = dab(point, this.size, this.task!.place);
    else if (within && tool === "fill") places = this.mask[place] === this.code ? [] : region(this.mask, this.task!.place, place);
    else if (within && tool === "superpixel" && this.segments) places = segment(this.segments, place);
    for (const each of places) {
      if (only === null || this.stroke!.before[each] === only) this.mask[each] = tool === "erase" ? this.task!.guess[each]! : this.code;
    }
  }

  /** Change all at once, as a stroke that can be taken back. */
  private atOnce(change: () => void): void {
    const before = this.mask.slice();
    change();
    this.keep(difference(before, this.mask));
  }

  restoreAll(): void {
    this.atOnce(() => this.mask.set(this.task!.guess));
  }

  adopt(layer: Layer): void {
    this.atOnce(() => this.mask.set(layer.labels));
    this.setOverlay("mine");
  }

  addCorner(corner: { x: number; y: number }): void {
    this.polygon = [...this.polygon, corner];
    this.refresh();
  }

  removeCorner(): void {
    this.polygon = this.polygon.slice(0, -1);
    this.refresh();
  }

  closePolygon(): void {
    const corners = this.polygon;
    this.polygon = [];
    if (corners.length && this.task) {
      if (this.overlay !== "mine" || this.layer) this.setOverlay("mine");
      const shape = this.task.place;
      this.atOnce(() => {
        for (const place of inside(corners, shape)) this.mask[place] = this.code;
      });
    }
    this.refresh();
  }

  undo(): void {
    if (!this.stroke && this.history.undo(this.mask)) this.afterChange();
  }

  redo(): void {
    if (!this.stroke && this.history.redo(this.mask)) this.afterChange();
  }

  get strokes(): Strokes {
    return this.history.strokes;
  }

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  private keep(change: Change): void {
    if (change.places.length) {
      this.history.add(change);
      this.afterChange();
    } else this.refresh();
  }

  private afterChange(): void {
    this.count();
    this.onStroke();
    this.refresh();
  }

  private count(): void {
    const counts = new Map<number, number>();
    let changed = 0;
    this.mask.forEach((code, place) => {
      counts.set(code, (counts.get(code) ?? 0) + 1);
      if (code !== this.task!.guess[place]) changed++;
    });
    this.counts = counts;
    this.changedPixels = changed;
  }
}
