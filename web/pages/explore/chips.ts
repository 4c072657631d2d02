// Chips on the map: pictures of the samples in view, each in its true place.

import { fromLonLat } from "ol/proj";
import { getJson } from "./api";
import { OUTLINE, type Frame } from "./painting";

/** Zoom from which chips are drawn. */
export const CHIPS_FROM = 13;
/** Chips that are drawn at most. */
const MOST = 400;
const KEPT = 1_500;

/** What is drawn of each sample. */
export interface Shown {
  product: string;
  step: string;
  bands: string;
}

interface Place {
  row: number;
  id: string;
  /** South-east, north-east, north-west and south-west corner in degrees. */
  corners: [number, number][];
  steps: string[];
}

/** A timestep as people read it: with a space before the time of day, and without seconds. */
export function readable(step: string): string {
  return step.replace(/^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)\d\d$/, "$1 $2:$3");
}

export function chipAddress(id: string, { product, step, bands }: Shown): string {
  const query = bands ? `?bands=${encodeURIComponent(bands)}` : "";
  return `explore/samples/${encodeURIComponent(id)}/${product}/${encodeURIComponent(step || "-")}.png${query}`;
}

/** Pictures that come when they are asked for; `onChange` says that there are more. */
export class MapChips {
  private shown: Shown | null = null;
  private readonly places = new Map<number, Place | null>();
  private readonly images = new Map<string, HTMLImageElement>();

  constructor(private readonly onChange: () => void) {}

  show(shown: Shown | null): void {
    if (this.shown?.product !== shown?.product) this.places.clear();
    this.shown = shown;
  }

  /** Ask for the places of samples that are not known yet. */
  want(rows: number[]): void {
    const { shown } = this;
    if (!shown) return;
    const asked = rows.slice(0, MOST).filter((row) => !this.places.has(row));
    if (!asked.length) return;
    for (const row of asked) this.places.set(row, null);
    getJson<Place[]>(`explore/places?product=${shown.product}&rows=${asked.join(",")}`)
      .then((found) => {
        if (this.shown?.product !== shown.product) return;
        for (const place of found) this.places.set(place.row, place);
        this.onChange();
      })
      .catch(() => asked.forEach((row) => this.places.delete(row)));
  }

  /** Draw the picture of a sample, or its outline filled with its colour where there is no picture; false where its place is not known yet. */
  draw(context: CanvasRenderingContext2D, row: number, frame: Frame, colour: string): boolean {
    const [place, shown] = [this.places.get(row), this.shown];
    if (!place || !shown) return false;
    const image = place.steps.includes(shown.step || "-") ? this.image(chipAddress(place.id, shown)) : null;
    const picture = image?.complete && image.naturalWidth ? image : null;
    const scale = frame.ratio / frame.resolution;
    const [right, left, below] = [1, 2, 3].map((corner) => {
      const [x, y] = fromLonLat(place.corners[corner]!) as [number, number];
      return [(x - frame.west) * scale, (frame.north - y) * scale] as const;
    });
    if (!right || !left || !below) return false;
    context.save();
    context.transform(right[0] - left[0], right[1] - left[1], below[0] - left[0], below[1] - left[1], left[0], left[1]);
    context.imageSmoothingEnabled = false;
    context.fillStyle = picture ? "#eef1f3" : colour;
    context.fillRect(0, 0, 1, 1);
    if (picture) context.drawImage(picture, 0, 0, 1, 1);
    context.beginPath();
    context.rect(0, 0, 1, 1);
    context.restore();
    context.strokeStyle = picture ? colour : OUTLINE;
    context.lineWidth = (picture ? 2 : 1) * frame.ratio;
    context.stroke();
    return true;
  }

  private image(address: string): HTMLImageElement {
    const known = this.images.get(address);
    if (known) return known;
    const image = new Image();
    image.onload = () => this.onChange();
    image.src = address;
    this.images.set(address, image);
    if (this.images.size > KEPT) this.images.delete(this.images.keys().next().value!);
    return image;
  }
}
