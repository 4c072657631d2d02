// What the server answers under /explore/.

import { bytesOf, fetched, getJson } from "../../shared/http";

export { getJson };

export interface ClassColumn {
  column: string;
  /** Key of its label product; null where no taxonomy is known. */
  labels: string | null;
  name: string;
  groups: { column: string; name: string }[];
}

export interface ProductInfo {
  key: string;
  title: string;
  kind: string;
  bands: string[];
  steps: string[];
  licence: string;
  attribution: string;
  /** Classes of a label raster; empty for other products. */
  legend: { code: number; name: string; colour: string }[];
  /** Whether its pixels have series to draw. */
  series: boolean;
}

export interface About {
  name: string;
  version: string;
  title: string;
  description: string;
  uri: string;
  samples: number;
  size: number;
  products: ProductInfo[];
  classes: ClassColumn[];
  /** Label products, each of which speaks of the whole ground. */
  label_sets: { key: string; title: string }[];
  strata: string[];
  splits: string[];
  /** Names of split sets; `splits` are those of the one that was asked for. */
  split_sets: string[];
  tiles: [string, number, number, number, number][];
}

export interface Arrays {
  lon: Float32Array;
  lat: Float32Array;
  largest: Uint8Array;
  stratum: Uint8Array;
  split: Uint8Array;
}

export interface Selection {
  count: number;
  bits: Uint8Array;
  histogram: Record<string, number>;
  strata: Record<string, number>;
  files: number;
}

export interface Asset {
  step: string | null;
  path: string;
  href: string;
}

export interface Sample {
  id: string;
  row: number;
  bounds: [number, number, number, number];
  zone: string;
  tile: string;
  stratum: string | null;
  split: string | null;
  fractions: Record<string, number>;
  assets: Record<string, Asset[]>;
}

export interface Scene {
  id: string;
  datetime: string;
  baseline?: string;
  cloud_cover?: number;
}

export interface Lineage {
  timesteps: { timestep: string; scenes: Scene[]; observations?: number }[];
}

/** The series of one pixel; null is nodata. */
export interface PixelSeries {
  row: number;
  column: number;
  unit: string;
  bands: string[];
  steps: string[];
  times: string[];
  values: Record<string, (number | null)[]>;
  /** 1 σ, in the unit of the values. */
  sigma: Record<string, (number | null)[]> | null;
  quality: Record<string, (number | null)[]>;
  /** Timesteps that hold a real observation. */
  observed: boolean[];
  overpasses: Record<string, { time: string; scenes: string[] }>;
}

export interface Question {
  filter: string;
  box: string;
  /** Split set whose splits are meant; empty for those of the recipe. */
  splitSet: string;
  /** Label product whose classes are shown; empty for the first. */
  labels: string;
}

/** What the page shows: which splits, and which labels. */
export type View = Pick<Question, "splitSet" | "labels">;

function stated({ splitSet, labels }: View): URLSearchParams {
  const parameters = new URLSearchParams();
  if (splitSet) parameters.set("split_set", splitSet);
  if (labels) parameters.set("labels", labels);
  return parameters;
}

/** The classes of one label product, the first unless told. */
export function classesOf(about: About, labels: string): ClassColumn[] {
  const key = labels || about.label_sets[0]?.key;
  return key ? about.classes.filter((item) => item.labels === key) : about.classes;
}

/** An address under /explore/, with the split set and the labels that are meant. */
export function under(path: string, view: View): string {
  const text = stated(view).toString();
  return text ? `explore/${path}?${text}` : `explore/${path}`;
}

export function queryOf(question: Question): string {
  const parameters = stated(question);
  if (question.filter.trim()) parameters.set("filter", question.filter.trim());
  if (question.box) parameters.set("box", question.box);
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

export async function getArrays(count: number, view: View): Promise<Arrays> {
  const data = await (await fetched(under("samples", view))).arrayBuffer();
  const bytes = (place: number) => new Uint8Array(data, 8 * count + place * count, count);
  return {
    lon: new Float32Array(data, 0, count),
    lat: new Float32Array(data, 4 * count, count),
    largest: bytes(0),
    stratum: bytes(1),
    split: bytes(2),
  };
}

export async function getSelection(question: Question, signal: AbortSignal): Promise<Selection> {
  type Packed = Omit<Selection, "bits"> & { bits: string };
  const found = await getJson<Packed>(`explore/selection${queryOf(question)}`, signal);
  return { ...found, bits: bytesOf(found.bits) };
}

export function holds(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3] ?? 0) >> (row & 7)) % 2 === 1;
}
