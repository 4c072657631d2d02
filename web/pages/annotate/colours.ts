// Colours of classes and of indices that people with any colour vision can tell apart.

import type { ClassChoice } from "./api";

export type Rgb = [number, number, number];

// Okabe and Ito's colours without black, then some of Tol's for campaigns with many classes.
const SAFE = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#f2f2f2", "#882255", "#999933", "#332288", "#117733"];

export function rgbOf(colour: string): Rgb {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  if (!match) return [128, 128, 128];
  return [parseInt(match[1]!, 16), parseInt(match[2]!, 16), parseInt(match[3]!, 16)];
}

function hexOf(rgb: Rgb): string {
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function distance(a: Rgb, b: Rgb): number {
  return 2 * (a[0] - b[0]) ** 2 + 4 * (a[1] - b[1]) ** 2 + 3 * (a[2] - b[2]) ** 2;
}

/** Safe colours for the classes, each as near to the campaign's own as is left: water stays blue. */
export function safeColours(classes: ClassChoice[]): Map<number, string> {
  const chosen = new Map<number, string>();
  const left = SAFE.slice(0, Math.max(8, classes.length));
  const pairs = classes.flatMap((item) => left.map((colour) => ({ item, colour, far: distance(rgbOf(item.colour), rgbOf(colour)) })));
  for (const { item, colour } of pairs.sort((a, b) => a.far - b.far)) {
    if (chosen.has(item.code) || [...chosen.values()].includes(colour)) continue;
    chosen.set(item.code, colour);
  }
  for (const item of classes) if (!chosen.has(item.code)) chosen.set(item.code, ownColour(item));
  return chosen;
}

/** The campaign's colour of a class, whatever was written for it. */
export function ownColour(item: ClassChoice): string {
  return hexOf(rgbOf(item.colour));
}

/** Black or white, whichever reads better on a colour. */
export function inkOn(colour: string): string {
  const [red, green, blue] = rgbOf(colour);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#101418" : "#ffffff";
}

// Viridis, the usual ramp that stays in order in greyscale too.
const STOPS: Rgb[] = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];

/** 256 colours of a ramp, packed as little-endian RGBA. */
export const RAMP: Uint32Array = Uint32Array.from({ length: 256 }, (_, step) => {
  const at = (step / 255) * (STOPS.length - 1);
  const low = STOPS[Math.floor(at)]!;
  const high = STOPS[Math.min(Math.floor(at) + 1, STOPS.length - 1)]!;
  const part = at - Math.floor(at);
  const [red, green, blue] = low.map((value, place) => Math.round(value + (high[place]! - value) * part)) as Rgb;
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});
