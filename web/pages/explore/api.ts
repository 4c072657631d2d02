// What the server answers under /explore/.

import { bytesOf, fetched, getJson } from "../../shared/http";

export { getJson };

export interface ClassColumn {
  column: string;
  /** Key of its label product; null where no taxonomy is known. */
  labels: string | null;
  name: string;
  colour?: string | null;
  groups: { column: string; name: string }[];
}

export interface NaturalLegend {
  bands: string[];
  limits: [number, number];
  unit: string;
}

export interface ClassRow {
  code: number;
  name: string;
  colour: string;
  /** Of a chip, 0 to 1. */
  share?: number;
}

/** What the numbers of a band mean, and with which colours they are drawn. */
export interface BandLegend {
  kind: "continuous" | "categorical";
  unit?: string;
  /** Null for those of the data. */
  limits?: [number, number] | null;
  /** Place on the ramp, 0 to 1, and colour. */
  stops?: [number, string][];
  classes?: ClassRow[];
  nodata: { name: string } | null;
  /** Of a chip. */
  nodata_share?: number;
  other_share?: number;
}

export interface ProductInfo {
  key: string;
  title: string;
  kind: string;
  bands: string[];
  steps: string[];
  licence: string;
  attribution: string;
  /** How its numbers are drawn: natural colours, if it has them, and each band. */
  rendering?: { natural: NaturalLegend | null; bands: Record<string, BandLegend> };
  /** Whether its pixels have series to draw. */
  series: boolean;
  /** Common name → band. */
  common: Record<string, string>;
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
  /** Tiles of a map of others below the samples. */
  basemap: { url: string; credit: string } | null;
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
  /** Of its square, in degrees. */
  corners: [number, number][];
  zone: string;
  tile: string;
  stratum: string | null;
  split: string | null;
  fractions: Record<string, number>;
  assets: Record<string, Asset[]>;
  /** Timesteps with an image of each product that has pixels; null for one without time. */
  images: Record<string, (string | null)[]>;
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

/** The series of one pixel, or the mean of all, with row and column null; a null value is nodata. */
export interface PixelSeries {
  row: number | null;
  column: number | null;
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
  /** Share of pixels with data, of a mean. */
  valid?: number[];
}

export interface GalleryItem {
  id: string;
  row: number;
  step: string;
  share: number | null;
  valid: number | null;
  /** Percent. */
  cloud: number | null;
}

export interface GalleryPage {
  images: number;
  considered: number;
  samples: number;
  items: GalleryItem[];
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

/** Bytes of a sample: two floats and three codes. */
const SAMPLE = 11;

export async function getArrays(view: View): Promise<Arrays> {
  const data = await (await fetched(under("samples", view))).arrayBuffer();
  const count = data.byteLength / SAMPLE;
  const bytes = (place: number) => new Uint8Array(data, 8 * count + place * count, count);
  return {
    lon: new Float32Array(data, 0, count),
    lat: new Float32Array(data, 4 * count, count),
    largest: bytes(0),
    stratum: bytes(1),
    split: bytes(2),
  };
}

/** Share of a class in every sample; 200 is all of it. */
export async function getShares(column: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetched(`explore/shares/${encodeURIComponent(column)}`)).arrayBuffer());
}

export function getGallery(question: Question, more: Record<string, string>, signal: AbortSignal): Promise<GalleryPage> {
  const stated = new URLSearchParams(queryOf(question));
  stated.delete("labels");
  for (const [name, value] of Object.entries(more)) if (value) stated.set(name, value);
  return getJson<GalleryPage>(`explore/gallery?${stated}`, signal);
}

export async function getSelection(question: Question, signal: AbortSignal): Promise<Selection> {
  type Packed = Omit<Selection, "bits"> & { bits: string };
  const found = await getJson<Packed>(`explore/selection${queryOf(question)}`, signal);
  return { ...found, bits: bytesOf(found.bits) };
}

/** The next row that is chosen, forwards or backwards and around the end; -1 if there is no other. */
export function neighbour(bits: Uint8Array, count: number, row: number, by: 1 | -1): number {
  for (let at = (row + by + count) % count; at !== row; at = (at + by + count) % count) if (holds(bits, at)) return at;
  return -1;
}

export function holds(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3] ?? 0) >> (row & 7)) % 2 === 1;
}
