// How samples are painted: as squares where they are wide enough to be seen, else as bins of many.

import { holds } from "./api";
import { ramp } from "./colours";

const FAINT = "#c9d1d8";
/** Of a chosen sample. */
export const OUTLINE = "rgba(31,41,55,0.65)";
/** Pixels that a sample is wide before it is painted as a square of its own. */
const SEEN = 6;
/** Pixels along a side of a bin, about. */
const BIN = 9;

/** What colours say: one of some kinds, or a share of 200. */
export interface Painting {
  bits: Uint8Array | null;
  codes: Uint8Array;
  /** Of each code; null where codes are shares. */
  colours: string[] | null;
  other: string;
}

export interface Positions {
  xs: Float64Array;
  ys: Float64Array;
  half: Float64Array;
}

export interface Frame {
  /** West and north edge, in metres of the map. */
  west: number;
  north: number;
  /** Metres a pixel of the screen. */
  resolution: number;
  width: number;
  height: number;
  /** Pixels of the canvas a pixel of the screen. */
  ratio: number;
}

export interface Bins {
  side: number;
  columns: number;
  rows: number;
  firstColumn: number;
  /** Counted southwards. */
  firstRow: number;
  /** Samples of each bin. */
  totals: Uint32Array;
  /** Samples of each bin and code, or sums of shares. */
  counts: Uint32Array;
  kinds: number;
  /** Bins with samples that are not chosen. */
  left: Uint8Array;
  /** Share that the ramp ends at. */
  top: number;
}

export interface Found {
  count: number;
  /** The most frequent code, or the mean share, 0 to 1. */
  code: number;
  share: number;
}

export function areSquares(half: number, resolution: number): boolean {
  return (2 * half) / resolution >= SEEN;
}

/** Sum up samples in bins that stay where they are while the map moves. */
export function binned(at: Positions, { bits, codes, colours }: Painting, frame: Frame): Bins {
  const side = 2 ** (Math.round(2 * Math.log2(BIN * frame.resolution)) / 2);
  const firstColumn = Math.floor(frame.west / side);
  const firstRow = Math.floor(-frame.north / side);
  const columns = Math.floor((frame.west + frame.width * frame.resolution) / side) - firstColumn + 1;
  const rows = Math.floor((-frame.north + frame.height * frame.resolution) / side) - firstRow + 1;
  const kinds = colours ? colours.length + 1 : 1;
  const totals = new Uint32Array(columns * rows);
  const counts = new Uint32Array(columns * rows * kinds);
  const left = new Uint8Array(columns * rows);
  for (let row = 0; row < at.xs.length; row++) {
    const column = Math.floor(at.xs[row]! / side) - firstColumn;
    const line = Math.floor(-at.ys[row]! / side) - firstRow;
    if (column < 0 || line < 0 || column >= columns || line >= rows) continue;
    const bin = line * columns + column;
    if (bits && !holds(bits, row)) {
      left[bin] = 1;
      continue;
    }
    totals[bin]!++;
    if (colours) counts[bin * kinds + Math.min(codes[row]!, kinds - 1)]!++;
    else counts[bin]! += codes[row]!;
  }
  return { side, columns, rows, firstColumn, firstRow, totals, counts, kinds, left, top: colours ? 1 : topOf(totals, counts) };
}

/** The share that all but 2 % of the bins keep below, in steps of 5 %. */
function topOf(totals: Uint32Array, sums: Uint32Array): number {
  const shares: number[] = [];
  for (let bin = 0; bin < totals.length; bin++) if (totals[bin]) shares.push(sums[bin]! / totals[bin]! / 200);
  shares.sort((a, b) => a - b);
  return Math.min(1, Math.max(0.05, Math.ceil((shares[Math.floor(0.98 * (shares.length - 1))] ?? 1) * 20) / 20));
}

function strongest(bins: Bins, bin: number): number {
  let best = 0;
  for (let kind = 1; kind < bins.kinds; kind++) {
    if (bins.counts[bin * bins.kinds + kind]! > bins.counts[bin * bins.kinds + best]!) best = kind;
  }
  return best;
}

export function binAt(bins: Bins, x: number, y: number, shares: boolean): Found | null {
  const column = Math.floor(x / bins.side) - bins.firstColumn;
  const line = Math.floor(-y / bins.side) - bins.firstRow;
  if (column < 0 || line < 0 || column >= bins.columns || line >= bins.rows) return null;
  const bin = line * bins.columns + column;
  const count = bins.totals[bin]!;
  if (!count) return null;
  if (shares) return { count, code: -1, share: bins.counts[bin]! / count / 200 };
  const code = strongest(bins, bin);
  return { count, code, share: bins.counts[bin * bins.kinds + code]! / count };
}

export function paintBins(context: CanvasRenderingContext2D, bins: Bins, { colours, other }: Painting, frame: Frame): void {
  const scale = frame.ratio / frame.resolution;
  const edge = bins.side * scale;
  for (let line = 0; line < bins.rows; line++) {
    for (let column = 0; column < bins.columns; column++) {
      const bin = line * bins.columns + column;
      const count = bins.totals[bin]!;
      if (!count && !bins.left[bin]) continue;
      if (!count) context.fillStyle = FAINT;
      else if (colours) context.fillStyle = colours[strongest(bins, bin)] ?? other;
      else context.fillStyle = ramp(bins.counts[bin]! / count / 200 / bins.top);
      const x = ((bins.firstColumn + column) * bins.side - frame.west) * scale;
      const y = ((bins.firstRow + line) * bins.side + frame.north) * scale;
      context.fillRect(x + 0.5, y + 0.5, edge - 1, edge - 1);
    }
  }
}

/** Rows within a frame: those that are not chosen first. */
export function within(at: Positions, bits: Uint8Array | null, frame: Frame): number[] {
  const [below, above]: [number[], number[]] = [[], []];
  const [east, south] = [frame.west + frame.width * frame.resolution, frame.north - frame.height * frame.resolution];
  for (let row = 0; row < at.xs.length; row++) {
    const [x, y, half] = [at.xs[row]!, at.ys[row]!, at.half[row]!];
    if (x + half < frame.west || x - half > east || y - half > frame.north || y + half < south) continue;
    (!bits || holds(bits, row) ? above : below).push(row);
  }
  return [...below, ...above];
}

/** Squares, but for those that are drawn in their true place. */
export function paintSquares(
  context: CanvasRenderingContext2D,
  rows: number[],
  at: Positions,
  { bits, codes, colours, other }: Painting,
  frame: Frame,
  pictured: (row: number) => boolean,
): void {
  const scale = frame.ratio / frame.resolution;
  for (const row of rows) {
    const chosen = !bits || holds(bits, row);
    const half = at.half[row]! * scale;
    const [x, y] = [(at.xs[row]! - frame.west) * scale, (frame.north - at.ys[row]!) * scale];
    const colour = !chosen ? FAINT : colours ? (colours[codes[row]!] ?? other) : ramp(codes[row]! / 200);
    if (chosen && pictured(row)) continue;
    context.fillStyle = colour;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    if (half < 6 * frame.ratio) continue;
    context.strokeStyle = chosen ? OUTLINE : "#aab5bf";
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }
}
