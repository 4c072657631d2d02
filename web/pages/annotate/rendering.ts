// Pictures of a cube, made in the browser: band triples and indices, with a stretch that can be chosen.

import type { Band, Campaign, StatedRendering } from "./api";
import { RAMP } from "./colours";
import type { Cube } from "./cube";
import { FULL } from "./cube";
import type { Node } from "./expression";
import { bandPlaces, compute, parse } from "./expression";

export interface Rendering {
  name: string;
  bands: [string, string, string] | null;
  expression: string | null;
  /** Values shown as darkest and brightest by a fixed stretch: reflectance, or the index's own. */
  range: [number, number];
}

export interface Stretch {
  kind: "percentile" | "fixed";
  /** Whether the scenes share one stretch; only so can their brightness be compared. */
  together: boolean;
  /** Own range of a fixed stretch; none is the rendering's. */
  range: [number, number] | null;
}

const REFLECTANCE: [number, number] = [0, 0.3];
const USUAL: [string, string[], [number, number]][] = [
  ["True colour", ["red", "green", "blue"], [0, 0.25]],
  ["False colour (NIR)", ["nir", "red", "green"], [0, 0.45]],
  ["NDVI", ["nir", "red"], [-0.2, 0.9]],
  ["NDWI", ["green", "nir"], [-0.7, 0.6]],
  ["SWIR", ["swir22", "nir", "red"], [0, 0.45]],
];
const OTHERS: Record<string, string[]> = { swir22: ["swir22", "swir16"], nir: ["nir", "nir08", "nir09"] };

/** The first of a common name's bands that there is, by its own name. */
function named(bands: Band[], common: string): string | undefined {
  for (const name of OTHERS[common] ?? [common]) {
    const found = bands.find((band) => band.common === name);
    if (found) return found.name;
  }
  return undefined;
}

/** True and false colour, indices: those whose bands there are. */
export function usual(bands: Band[]): Rendering[] {
  return USUAL.flatMap(([name, commons, range]): Rendering[] => {
    const found = commons.map((common) => named(bands, common));
    if (found.includes(undefined)) return [];
    const [a, b, c] = found as string[];
    if (c === undefined) return [{ name, bands: null, expression: `nd(${a}, ${b})`, range }];
    return [{ name, bands: [a!, b!, c], expression: null, range }];
  });
}

function stated(item: StatedRendering): Rendering[] {
  const range = item.range ?? (item.expression ? [-1, 1] : REFLECTANCE);
  // A campaign may state reflectance as it is stored.
  const scaled: [number, number] = !item.expression && range[1] > 2 ? [range[0] / FULL, range[1] / FULL] : range;
  if (item.expression) return [{ name: item.name, bands: null, expression: item.expression, range: scaled }];
  if (item.bands?.length !== 3) return [];
  return [{ name: item.name, bands: item.bands as [string, string, string], expression: null, range: scaled }];
}

/** The campaign's renderings, then the usual ones that it does not name. */
export function renderings(campaign: Campaign): Rendering[] {
  const own = campaign.renderings.flatMap(stated);
  const shown = new Set(own.flatMap((item) => [item.name.toLowerCase(), String(item.bands)]));
  const all = [...own, ...usual(campaign.bands).filter((item) => !shown.has(item.name.toLowerCase()) && !(item.bands && shown.has(String(item.bands))))];
  if (all.length || !campaign.bands.length) return all;
  const first = campaign.bands[0]!.name;
  const grey: [string, string, string] = [first, campaign.bands[1]?.name ?? first, campaign.bands[2]?.name ?? first];
  return [{ name: "First bands", bands: grey, expression: null, range: REFLECTANCE }];
}

const SHIFT = 4;
const BINS = 65536 >> SHIFT;

/** Number of valid pixels per value. */
function histogram(cube: Cube, time: number, band: number, into: Uint32Array): void {
  const plane = cube.plane(time, band);
  const valid = cube.validity(time);
  const all = !hasClear(valid);
  for (let i = 0; i < plane.length; i++) if (plane[i] && (all || valid[i])) into[plane[i]! >> SHIFT]!++;
}

function clearShare(valid: Uint8Array): number {
  let clear = 0;
  for (let i = 0; i < valid.length; i++) clear += valid[i]!;
  return clear / valid.length;
}

/** Whether enough of a scene is clear to stretch by it; else clouds may as well be seen. */
function hasClear(valid: Uint8Array): boolean {
  return clearShare(valid) > 0.05;
}

function percentiles(counts: Uint32Array): [number, number] {
  let total = 0;
  for (const count of counts) total += count;
  if (!total) return [0, FULL];
  let low = 0;
  let high = counts.length - 1;
  for (let sum = counts[0]!; sum < total * 0.02 && low < counts.length - 1; sum += counts[++low]!);
  for (let sum = counts[high]!; sum < total * 0.02 && high > 0; sum += counts[--high]!);
  return [low << SHIFT, Math.max(high << SHIFT, (low + 1) << SHIFT)];
}

/** Every how many-th pixel is looked at to stretch an index. */
const STRIDE = 3;

/** Percentiles of an index over the clear pixels of some scenes. */
function spread(cube: Cube, times: number[], scenes: Float32Array[]): [number, number] {
  const found = new Float32Array(Math.ceil(cube.pixels / STRIDE) * times.length);
  let count = 0;
  for (const time of times) {
    const valid = cube.validity(time);
    const values = scenes[time]!;
    const all = times.length === 1 && !hasClear(valid);
    for (let i = 0; i < values.length; i += STRIDE) if ((all || valid[i]) && Number.isFinite(values[i])) found[count++] = values[i]!;
  }
  if (!count) return [0, 1];
  const sorted = found.subarray(0, count).sort();
  const low = sorted[Math.floor(count * 0.02)]!;
  const high = sorted[Math.min(count - 1, Math.ceil(count * 0.98))]!;
  return [low, high > low ? high : low + 1e-6];
}

/** Pictures of one cube, one canvas a scene. */
export class Pictures {
  readonly canvases: HTMLCanvasElement[];
  private readonly places: Map<string, number>;
  private readonly ranges = new Map<string, [number, number]>();
  private shown = "";

  constructor(
    readonly cube: Cube,
    bands: Band[],
  ) {
    this.places = bandPlaces(cube.bands, bands);
    this.canvases = cube.times.map(() => {
      const canvas = document.createElement("canvas");
      canvas.width = cube.columns;
      canvas.height = cube.rows;
      return canvas;
    });
  }

  /** Render every scene; nothing is done where this is what the canvases show. */
  show(rendering: Rendering, stretch: Stretch): void {
    const key = JSON.stringify([rendering.bands, rendering.expression, rendering.range, stretch]);
    if (key === this.shown) return;
    if (rendering.expression) this.index(rendering.expression, rendering, stretch);
    else if (rendering.bands) this.triple(rendering.bands, rendering, stretch);
    this.shown = key;
  }

  /** An expression over this cube's bands; throws an `ExpressionError` where it is none. */
  node(expression: string): Node {
    return parse(expression, this.places);
  }

  /** Values of an index in one scene; not a number where there are no data. */
  values(expression: string, time: number): Float32Array {
    const { cube } = this;
    const node = this.node(expression);
    const used = new Map<number, Float32Array>();
    const found = compute(node, (place) => {
      let band = used.get(place);
      if (!band) {
        const plane = cube.plane(time, place);
        band = new Float32Array(plane.length);
        for (let i = 0; i < plane.length; i++) band[i] = plane[i]! / FULL;
        used.set(place, band);
      }
      return band;
    });
    const values = typeof found === "number" ? new Float32Array(cube.pixels).fill(found) : found;
    const first = cube.plane(time, used.keys().next().value ?? 0);
    for (let i = 0; i < values.length; i++) if (first[i] === 0) values[i] = NaN;
    return values;
  }

  private place(band: string): number {
    const place = this.places.get(band.toLowerCase());
    if (place === undefined) throw new Error(`got band ${band}, expected one of ${this.cube.bands.join(", ")}`);
    return place;
  }

  private bandRange(time: number, band: number, together: boolean): [number, number] {
    const key = together ? `all ${band}` : `${time} ${band}`;
    let range = this.ranges.get(key);
    if (!range) this.ranges.set(key, (range = together ? this.commonRange(band) : this.sceneRange(time, band)));
    return range;
  }

  private sceneRange(time: number, band: number): [number, number] {
    const counts = new Uint32Array(BINS);
    histogram(this.cube, time, band, counts);
    return percentiles(counts);
  }

  /** The range of the middle one of the clearest scenes: one with an unmasked cloud would leave all others dark. */
  private commonRange(band: number): [number, number] {
    const clear = this.cube.times.map((_, time) => ({ time, share: clearShare(this.cube.validity(time)) }));
    const chosen = clear.sort((a, b) => b.share - a.share).filter(({ share }, place) => share > 0.5 || place === 0);
    const ranges = chosen.map(({ time }) => this.bandRange(time, band, false));
    const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
    const low = middle(ranges.map((range) => range[0]));
    return [low, Math.max(middle(ranges.map((range) => range[1])), low + (1 << SHIFT))];
  }

  private triple(bands: [string, string, string], rendering: Rendering, stretch: Stretch): void {
    const places = bands.map((band) => this.place(band));
    const fixed = (stretch.range ?? rendering.range).map((value) => value * FULL) as [number, number];
    this.canvases.forEach((canvas, time) => {
      const planes = places.map((place) => this.cube.plane(time, place));
      const ranges = places.map((place) => (stretch.kind === "fixed" ? fixed : this.bandRange(time, place, stretch.together)));
      const [red, green, blue] = planes as [Uint16Array, Uint16Array, Uint16Array];
      const [r, g, b] = ranges as [[number, number], [number, number], [number, number]];
      const [rf, gf, bf] = ranges.map(([low, high]) => 255 / (high - low)) as [number, number, number];
      const image = new ImageData(this.cube.columns, this.cube.rows);
      const data = image.data;
      for (let i = 0, at = 0; i < red.length; i++, at += 4) {
        if (!red[i] && !green[i] && !blue[i]) continue;
        data[at] = (red[i]! - r[0]) * rf;
        data[at + 1] = (green[i]! - g[0]) * gf;
        data[at + 2] = (blue[i]! - b[0]) * bf;
        data[at + 3] = 255;
      }
      canvas.getContext("2d")!.putImageData(image, 0, 0);
    });
  }

  private index(expression: string, rendering: Rendering, stretch: Stretch): void {
    const scenes = this.cube.times.map((_, time) => this.values(expression, time));
    const fixed = stretch.range ?? rendering.range;
    const every = this.cube.times.map((_, time) => time);
    const pooled = stretch.kind === "percentile" && stretch.together ? spread(this.cube, every, scenes) : fixed;
    this.canvases.forEach((canvas, time) => {
      const values = scenes[time]!;
      const [low, high] = stretch.kind === "percentile" && !stretch.together ? spread(this.cube, [time], scenes) : pooled;
      const image = new ImageData(this.cube.columns, this.cube.rows);
      const data = new Uint32Array(image.data.buffer);
      const factor = 255 / (high - low);
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (value === value) data[i] = RAMP[Math.max(0, Math.min(255, Math.round((value - low) * factor)))]!;
      }
      canvas.getContext("2d")!.putImageData(image, 0, 0);
    });
  }
}

/** Values of one pixel over time, and whether each is clear. */
export interface Series {
  values: number[];
  clear: boolean[];
}

export function series(pictures: Pictures, place: number, expression: string): Series {
  const { cube } = pictures;
  const node = pictures.node(expression);
  const values = cube.times.map((_, time) => {
    let empty = false;
    const found = compute(node, (band) => {
      const value = cube.plane(time, band)[place]!;
      empty ||= value === 0;
      return Float32Array.of(value / FULL);
    });
    return empty ? NaN : typeof found === "number" ? found : found[0]!;
  });
  return { values, clear: cube.times.map((_, time) => cube.validity(time)[place] === 1) };
}
