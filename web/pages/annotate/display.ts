// What is shown of one task: date, rendering, overlay, view and cursor, which all views of the page share.

import type { Campaign, Place } from "./api";
import { ownColour, safeColours } from "./colours";
import type { Cube } from "./cube";
import type { Point, Strokes } from "./mask";
import type { Rendering, Stretch } from "./rendering";
import { Pictures, renderings } from "./rendering";
import { keepSettings, readSettings } from "./settings";
import { Frame, Watched } from "./watch";

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
  /** What was done to the labels before. */
  strokes?: Strokes | undefined;
}

const OPACITIES = [0, 0.25, 0.5, 0.75, 1];
/** Pixels around the task that the edit canvas shows of its surroundings at first. */
const MARGIN = 1;

export class Display extends Watched {
  readonly frame = new Frame();
  readonly classes;
  readonly renderings: Rendering[];
  task: EditorTask | null = null;
  pictures: Pictures | null = null;
  mask = new Uint8Array();
  viewed = new Set<number>();
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
  problem = "";

  constructor(readonly campaign: Campaign) {
    super();
    const settings = readSettings();
    this.classes = campaign.classes;
    this.renderings = renderings(campaign);
    this.rendering = this.renderings.find((item) => item.name === settings.rendering) ?? this.renderings[0]!;
    this.stretch = settings.stretch;
    this.opacity = settings.opacity;
    this.safe = settings.safe;
    this.colours = this.colourTable();
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

  protected render(): void {
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

  protected see(): void {
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

  /** A pixel of the window as one of the task; none outside of it. */
  inTask(point: Point): Point | null {
    if (!this.task) return null;
    const { place, cube } = this.task;
    const row = point.row - cube.window.row_offset;
    const column = point.column - cube.window.column_offset;
    return row >= 0 && column >= 0 && row < place.height && column < place.width ? { row, column } : null;
  }
}
