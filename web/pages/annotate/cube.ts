// The imagery of a task's window: reflectance as uint16 (10,000 is white, 0 none) and which pixels are valid.

import type { Window } from "./api";

export const FULL = 10_000;

export class Cube {
  readonly times: Date[];
  readonly rows: number;
  readonly columns: number;
  readonly pixels: number;
  readonly bands: string[];

  private constructor(
    readonly window: Window,
    private readonly reflectance: Uint16Array,
    private readonly valid: Uint8Array,
  ) {
    this.times = window.times.map((time) => new Date(time));
    this.rows = window.rows;
    this.columns = window.columns;
    this.pixels = window.rows * window.columns;
    this.bands = window.bands;
  }

  /** Decode what the server sent: reflectance (time, band, y, x), little-endian, then validity (time, y, x). */
  static decode(window: Window, bytes: ArrayBuffer): Cube {
    const planes = window.times.length * window.rows * window.columns;
    const count = planes * window.bands.length;
    if (bytes.byteLength !== 2 * count + planes) {
      throw new Error(`got ${bytes.byteLength} bytes of imagery, expected ${2 * count + planes}`);
    }
    return new Cube(window, new Uint16Array(bytes, 0, count), new Uint8Array(bytes, 2 * count, planes));
  }

  /** One band of one scene. */
  plane(time: number, band: number): Uint16Array {
    const start = (time * this.bands.length + band) * this.pixels;
    return this.reflectance.subarray(start, start + this.pixels);
  }

  /** Which pixels of a scene are free of cloud, cloud shadow and defects. */
  validity(time: number): Uint8Array {
    return this.valid.subarray(time * this.pixels, (time + 1) * this.pixels);
  }
}
