// Label rasters and what strokes do to them: pure, in pixels of the task, row 0 north.

export interface Point {
  row: number;
  column: number;
}

export interface Shape {
  height: number;
  width: number;
}

/** What one stroke changed. */
export interface Change {
  places: Uint32Array;
  before: Uint8Array;
  after: Uint8Array;
}

/** Strokes that can be taken back, and those that were: the latest last. */
export interface Strokes {
  done: Change[];
  undone: Change[];
}

/** Strokes that can be taken back: as many as a browser keeps beside a draft without being slow. */
const LONGEST_HISTORY = 200;

/** Pixels on the line between two, both included (Bresenham). */
export function line(from: Point, to: Point): Point[] {
  const points: Point[] = [];
  let { row, column } = from;
  const down = Math.abs(to.row - row);
  const along = Math.abs(to.column - column);
  let rest = along - down;
  for (;;) {
    points.push({ row, column });
    if (row === to.row && column === to.column) return points;
    const twice = 2 * rest;
    if (twice > -down) {
      rest -= down;
      column += Math.sign(to.column - column);
    }
    if (twice < along) {
      rest += along;
      row += Math.sign(to.row - row);
    }
  }
}

/** Places under a round brush of `size` pixels; those outside of the raster are left out. */
export function dab(centre: Point, size: number, shape: Shape): number[] {
  const places: number[] = [];
  const first = -Math.floor((size - 1) / 2);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const far = (i - (size - 1) / 2) ** 2 + (j - (size - 1) / 2) ** 2;
      const row = centre.row + first + i;
      const column = centre.column + first + j;
      if (far > (size / 2) ** 2 || row < 0 || column < 0 || row >= shape.height || column >= shape.width) continue;
      places.push(row * shape.width + column);
    }
  }
  return places;
}

/** The pixels of one class that hang together with a place by their sides. */
export function region(mask: Uint8Array, shape: Shape, start: number): number[] {
  const seen = new Uint8Array(mask.length);
  const found = [start];
  seen[start] = 1;
  for (let at = 0; at < found.length; at++) {
    const place = found[at]!;
    const column = place % shape.width;
    const next = [place - shape.width, place + shape.width, column > 0 ? place - 1 : -1, column < shape.width - 1 ? place + 1 : -1];
    for (const other of next) {
      if (other < 0 || other >= mask.length || seen[other] || mask[other] !== mask[start]) continue;
      seen[other] = 1;
      found.push(other);
    }
  }
  return found;
}

/** Places whose centres lie inside a polygon of (x, y) in task pixels, and those of its corners. */
export function inside(corners: { x: number; y: number }[], shape: Shape): number[] {
  const found = new Set<number>();
  for (const { x, y } of corners) {
    if (x >= 0 && y >= 0 && x < shape.width && y < shape.height) found.add(Math.floor(y) * shape.width + Math.floor(x));
  }
  for (let row = 0; row < shape.height; row++) {
    const crossings: number[] = [];
    corners.forEach((a, place) => {
      const b = corners[(place + 1) % corners.length]!;
      const middle = row + 0.5;
      if (a.y <= middle !== b.y <= middle) crossings.push(a.x + ((middle - a.y) * (b.x - a.x)) / (b.y - a.y));
    });
    crossings.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const first = Math.max(0, Math.ceil(crossings[pair]! - 0.5));
      const last = Math.min(shape.width - 1, Math.ceil(crossings[pair + 1]! - 0.5) - 1);
      for (let column = first; column <= last; column++) found.add(row * shape.width + column);
    }
  }
  return [...found];
}

/** The places of the segment that holds a place. */
export function segment(segments: Uint16Array, place: number): number[] {
  const found: number[] = [];
  segments.forEach((value, other) => {
    if (value === segments[place]) found.push(other);
  });
  return found;
}

export function difference(before: Uint8Array, after: Uint8Array): Change {
  const places: number[] = [];
  for (let place = 0; place < after.length; place++) if (before[place] !== after[place]) places.push(place);
  const of = (mask: Uint8Array): Uint8Array => Uint8Array.from(places, (place) => mask[place]!);
  return { places: Uint32Array.from(places), before: of(before), after: of(after) };
}

/** Strokes that can be taken back and done again. */
export class History {
  private done: Change[];
  private undone: Change[];

  constructor({ done, undone }: Strokes = { done: [], undone: [] }) {
    this.done = [...done];
    this.undone = [...undone];
  }

  add(change: Change): void {
    this.done = [...this.done.slice(1 - LONGEST_HISTORY), change];
    this.undone = [];
  }

  get strokes(): Strokes {
    return { done: [...this.done], undone: [...this.undone] };
  }

  undo(mask: Uint8Array): boolean {
    const change = this.done.pop();
    if (!change) return false;
    change.places.forEach((place, at) => (mask[place] = change.before[at]!));
    this.undone.push(change);
    return true;
  }

  redo(mask: Uint8Array): boolean {
    const change = this.undone.pop();
    if (!change) return false;
    change.places.forEach((place, at) => (mask[place] = change.after[at]!));
    this.done.push(change);
    return true;
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }
}
