// The state of one task on the page: its labels, what is shown of it, and what the tools do.

import type { Campaign, Place } from "./api";
import { ownColour, safeColours } from "./colours";
import type { Cube } from "./cube";
import type { Change, Point } from "./mask";
import { History, dab, difference, inside, line, region, segment } from "./mask";
import type { Rendering, Stretch } from "./rendering";
import { Pictures, renderings } from "./rendering";
import { keepSettings, readSettings } from "./settings";
import { Frame, Watched } from "./watch";

export type Tool = "brush" | "fill" | "erase" | "polygon" | "superpixel";
export type Overlay = "mine" | "guess" | "difference";
export type Compare = "one" | "side" | "swipe";

/** Labels of another person or of a model, which a reviewer may look at. */
export interface Layer {
  name: string;
  labels: Uint8Array;
}

export interface EditorTask {
  key: string;
  chip: string;
  place: Place;
  cube: Cube;
  guess: Uint8Array;
  labels: Uint8Array;
  viewed: number[];
  layers: Layer[];
}

export const SIZES = [1, 2, 3, 4, 5, 7, 9, 13];
export const SEGMENTS = [3, 4, 6, 8, 12];
const OPACITIES = [0, 0.25, 0.5, 0.75, 1];
/** Pixels around the task that the edit canvas shows of its surroundings at first. */
const MARGIN = 1;

export class Editor extends Watched {
  readonly frame = new Frame();
  readonly classes;
  readonly renderings: Rendering[];
  task: EditorTask | null = null;
  pictures: Pictures | null = null;
  mask = new Uint8Array();
  counts = new Map<number, number>();
  changedPixels = 0;
  viewed = new Set<number>();
  tool: Tool = "brush";
  code: number;
  size = 3;
  segmentSize = 6;
  segments: Uint16Array | null = null;
  overlay: Overlay = "mine";
  layer: Layer | null = null;
  hidden = false;
  /** Whether the small views show the labels too. */
  labelled = false;
  opacity: number;
  colours: Map<number, string>;
  safe: boolean;
  rendering: Rendering;
  stretch: Stretch;
  date = 0;
  other = 0;
  compare: Compare = "one";
  swipe = 0.5;
  /** The view: its centre in pixels of the window, and how many of them it spans. */
  centre = { x: 0, y: 0 };
  span = 34;
  /** Hovered pixel of the window, and the one whose profile stays. */
  cursor: Point | null = null;
  pinned: Point | null = null;
  cursorMode = false;
  polygon: { x: number; y: number }[] = [];
  problem = "";
  onStroke: () => void = () => undefined;
  onSegmentsWanted: () => void = () => undefined;
  private history = new History();
  private stroke: { before: Uint8Array; last: Point | null; tool: Tool; only: number | null } | null = null;

  constructor(readonly campaign: Campaign) {
    super();
    const settings = readSettings();
    this.classes = campaign.classes;
    this.code = campaign.classes[0]?.code ?? 1;
    this.renderings = renderings(campaign);
    this.rendering = this.renderings.find((item) => item.name === settings.rendering) ?? this.renderings[0]!;
    this.stretch = settings.stretch;
    this.opacity = settings.opacity;
    this.safe = settings.safe;
    this.colours = this.colourTable();
  }

  open(task: EditorTask, prepared: Pictures | null = null): void {
    this.task = task;
    this.mask = task.labels.slice();
    this.history = new History();
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

  /** Draw the canvases and the components again. */
  refresh(): void {
    this.frame.ask();
    this.changed();
  }

  private colourTable(): Map<number, string> {
    return this.safe ? safeColours(this.classes) : new Map(this.classes.map((item) => [item.code, ownColour(item)]));
  }

  setSafe(safe: boolean): void {
    this.safe = safe;
    this.colours = this.colourTable();
    keepSettings({ safe });
    this.refresh();
  }

  // What is shown.

  private render(): void {
    try {
      this.pictures?.show(this.rendering, this.stretch);
      this.problem = "";
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  setRendering(rendering: Rendering, start = performance.now()): void {
    this.rendering = rendering;
    keepSettings({ rendering: rendering.name });
    this.render();
    this.frame.measure("rendering", start);
    this.refresh();
  }

  nextRendering(step: number, start = performance.now()): void {
    const at = this.renderings.indexOf(this.rendering);
    this.setRendering(this.renderings[(at + step + this.renderings.length) % this.renderings.length]!, start);
  }

  setStretch(change: Partial<Stretch>): void {
    this.stretch = { ...this.stretch, ...change };
    keepSettings({ stretch: this.stretch });
    this.render();
    this.refresh();
  }

  private see(): void {
    this.viewed.add(this.date);
    if (this.compare !== "one") this.viewed.add(this.other);
  }

  setDate(date: number, start = performance.now()): void {
    const count = this.task?.cube.times.length ?? 1;
    this.date = (date + count) % count;
    this.see();
    this.frame.measure("date", start);
    this.refresh();
  }

  setOther(date: number): void {
    const count = this.task?.cube.times.length ?? 1;
    this.other = (date + count) % count;
    this.see();
    this.refresh();
  }

  setCompare(compare: Compare): void {
    this.compare = compare;
    if (compare !== "one" && this.other === this.date) this.setOther(this.date + 1);
    this.see();
    this.refresh();
  }

  setOverlay(overlay: Overlay, layer: Layer | null = null): void {
    this.overlay = overlay;
    this.layer = layer;
    this.hidden = false;
    this.refresh();
  }

  setOpacity(opacity: number): void {
    this.opacity = opacity;
    keepSettings({ opacity });
    this.refresh();
  }

  nextOpacity(): void {
    this.setOpacity(OPACITIES.find((value) => value > this.opacity + 0.01) ?? OPACITIES[0]!);
  }

  setHidden(hidden: boolean): void {
    if (hidden === this.hidden) return;
    this.hidden = hidden;
    this.refresh();
  }

  /** The labels that the overlay shows; none where it shows nothing there. */
  shownLabels(): Uint8Array {
    if (this.layer) return this.layer.labels;
    if (this.overlay === "guess") return this.task?.guess ?? this.mask;
    if (this.overlay === "mine") return this.mask;
    const guess = this.task?.guess ?? this.mask;
    return this.mask.map((code, place) => (code === guess[place] ? 0 : code));
  }

  // The view.

  /** Show the task alone. */
  fit(): void {
    const window = this.task?.cube.window;
    const place = this.task?.place;
    if (!window || !place) return;
    this.span = Math.max(place.height, place.width) + 2 * MARGIN;
    this.centre = { x: window.column_offset + place.width / 2, y: window.row_offset + place.height / 2 };
    this.refresh();
  }

  zoom(factor: number, around = this.centre): void {
    const window = this.task?.cube.window;
    if (!window) return;
    const widest = Math.max(window.rows, window.columns);
    const span = Math.max(6, Math.min(widest, this.span * factor));
    const part = span / this.span;
    this.span = span;
    this.moveTo({ x: around.x + (this.centre.x - around.x) * part, y: around.y + (this.centre.y - around.y) * part });
  }

  moveTo(centre: { x: number; y: number }): void {
    const window = this.task?.cube.window;
    if (!window) return;
    const keep = (value: number, size: number) => (this.span >= size ? size / 2 : Math.max(this.span / 2, Math.min(size - this.span / 2, value)));
    this.centre = { x: keep(centre.x, window.columns), y: keep(centre.y, window.rows) };
    this.refresh();
  }

  // The cursor: in pixels of the window.

  setCursor(cursor: Point | null): void {
    if (cursor?.row === this.cursor?.row && cursor?.column === this.cursor?.column) return;
    this.cursor = cursor;
    this.frame.ask();
  }

  pin(point: Point | null = this.cursor): void {
    const same = point && this.pinned?.row === point.row && this.pinned.column === point.column;
    this.pinned = same ? null : point;
    this.refresh();
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

  /** A pixel of the window as one of the task; none outside of it. */
  inTask(point: Point): Point | null {
    if (!this.task) return null;
    const { place, cube } = this.task;
    const row = point.row - cube.window.row_offset;
    const column = point.column - cube.window.column_offset;
    return row >= 0 && column >= 0 && row < place.height && column < place.width ? { row, column } : null;
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
