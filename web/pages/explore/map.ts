// The map: land and tiles as vectors, samples painted on one canvas, so that half a million of them stay quick.

import Feature from "ol/Feature";
import OlMap from "ol/Map";
import View from "ol/View";
import Attribution from "ol/control/Attribution";
import ScaleLine from "ol/control/ScaleLine";
import { defaults as defaultControls } from "ol/control/defaults";
import { containsExtent, getCenter, type Extent } from "ol/extent";
import Polygon, { fromExtent } from "ol/geom/Polygon";
import ImageLayer from "ol/layer/Image";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import VectorImageLayer from "ol/layer/VectorImage";
import { fromLonLat, toLonLat, transformExtent } from "ol/proj";
import ImageCanvas from "ol/source/ImageCanvas";
import VectorSource from "ol/source/Vector";
import XYZ from "ol/source/XYZ";
import { Stroke, Style } from "ol/style";
import type { About, Arrays } from "./api";
import { holds } from "./api";
import { CHIPS_FROM, MapChips, type Shown } from "./chips";
import { landLayers } from "./land";
import { areSquares, binAt, binned, paintBins, paintSquares, within, type Bins, type Found, type Frame, type Painting, type Positions } from "./painting";
import { ramp } from "./colours";

/** What is below the pointer, or in the middle of the map where keys move it. */
export type Pointed = { at: [number, number] } & ({ row: number } | { bin: Found });

export interface Listener {
  onPick: (row: number) => void;
  onPoint: (pointed: Pointed | null) => void;
  /** A person moved the map. */
  onMove: (view: string, box: string) => void;
  /** Whether chips can be seen, and the share at which the ramp of bins ends; null where there are squares. */
  onLook: (chips: boolean, top: number | null) => void;
}

const [LEGEND, LEGEND_FROM] = [260, 700];

export class SampleMap {
  private readonly map: OlMap;
  private readonly at: Positions;
  private readonly source: ImageCanvas;
  private readonly marks = new VectorSource();
  private readonly chips: MapChips;
  private readonly whole: Extent;
  private painting: Painting;
  private bins: Bins | null = null;
  private settled = "";
  private look = "";
  private fresh = 0;

  constructor(
    private readonly target: HTMLElement,
    about: About,
    arrays: Arrays,
    private readonly listener: Listener,
  ) {
    this.painting = { bits: null, colours: [], codes: arrays.largest, other: "#9aa5b1" };
    this.at = positions(about, arrays);
    this.whole = this.extentOf(null);
    this.source = new ImageCanvas({
      ratio: 1.2,
      projection: "EPSG:3857",
      canvasFunction: (extent, resolution, ratio, size) => this.paint(extent, resolution, ratio, size as [number, number]),
    });
    this.chips = new MapChips(() => this.again());
    const { basemap } = about;
    const land = landLayers(!basemap);
    const tiles = basemap ? [new TileLayer({ source: new XYZ({ url: basemap.url, attributions: escaped(basemap.credit) }) })] : [];
    this.map = new OlMap({
      target,
      controls: defaultControls({ attribution: false, rotate: false }).extend([
        new ScaleLine(),
        ...(basemap?.credit ? [new Attribution({ collapsible: false })] : []),
      ]),
      layers: [
        ...tiles,
        ...(basemap ? [] : [land.below]),
        new VectorImageLayer({
          source: new VectorSource({ features: about.tiles.map(([, ...box]) => new Feature(boxShape(box))) }),
          minZoom: 6,
          style: new Style({ stroke: new Stroke({ color: "rgba(90,110,130,0.35)", width: 1 }) }),
        }),
        new ImageLayer({ source: this.source }),
        new VectorLayer({ source: this.marks, style: new Style({ stroke: new Stroke({ color: "#111827", width: 3 }) }) }),
        ...(basemap ? [] : [land.names]),
      ],
      view: new View({ minZoom: 1, maxZoom: 18, constrainResolution: false, multiWorld: true }),
      keyboardEventTarget: target,
    });
    this.settle(this.whole);
    this.listen();
  }

  /** Show everything, or what is chosen. */
  fit(bits: Uint8Array | null = null): void {
    this.settle(bits ? this.extentOf(bits) : this.whole);
    this.moved(true);
  }

  /** Go to a place of an address: `longitude,latitude,zoom`, or west, south, east and north. */
  place(view: string, box = ""): void {
    const numbers = (view || box).split(",").map(Number);
    if (numbers.some((one) => !Number.isFinite(one)) || ![3, 4].includes(numbers.length)) return;
    if (numbers.length === 4) {
      this.settle(transformExtent(numbers, "EPSG:4326", "EPSG:3857"), 0, 18);
      return;
    }
    if (this.view() === view) return;
    this.map.getView().setCenter(fromLonLat(numbers.slice(0, 2)));
    this.map.getView().setZoom(numbers[2]!);
    this.settled = this.view();
  }

  show(painting: Painting): void {
    this.painting = painting;
    this.source.changed();
  }

  showChips(shown: Shown | null): void {
    this.chips.show(shown);
    this.source.changed();
  }

  /** Outline a sample; bring it into view where it is not, or near where `near` says so. */
  mark(corners: [number, number][] | null, near = false): void {
    this.marks.clear();
    if (!corners) return;
    const shape = new Polygon([[...corners, corners[0]!].map((corner) => fromLonLat(corner))]);
    this.marks.addFeature(new Feature(shape));
    // The panel that shows the sample takes room from the map first.
    requestAnimationFrame(() => {
      this.map.updateSize();
      const view = this.map.getView();
      if (near) view.fit(shape.getExtent(), { maxZoom: 14, size: this.size() });
      else if (!containsExtent(view.calculateExtent(this.map.getSize()), shape.getExtent())) view.setCenter(getCenter(shape.getExtent()));
      this.settled = this.view();
    });
  }

  updateSize(): void {
    this.map.updateSize();
  }

  /** West, south, east, north in degrees of what is in view. */
  box(): string {
    const extent = transformExtent(this.map.getView().calculateExtent(this.map.getSize()), "EPSG:3857", "EPSG:4326");
    const limits = [-180, -89.9, 180, 89.9];
    return extent
      .map((value, place) => (place < 2 ? Math.max(value, limits[place]!) : Math.min(value, limits[place]!)).toFixed(5))
      .join(",");
  }

  private view(): string {
    const view = this.map.getView();
    const [lon, lat] = toLonLat(view.getCenter() ?? [0, 0]) as [number, number];
    return `${lon.toFixed(5)},${lat.toFixed(5)},${(view.getZoom() ?? 0).toFixed(2)}`;
  }

  private size(): [number, number] {
    return [Math.max(this.target.clientWidth, 100), Math.max(this.target.clientHeight, 100)];
  }

  private settle(extent: Extent, margin = 40, maxZoom = 13.5): void {
    if (!(extent[0]! <= extent[2]!)) return;
    const size = this.size();
    // The legend takes the right of a wide map.
    const right = margin && size[0] > LEGEND_FROM ? LEGEND : margin;
    this.map.getView().fit(extent, { padding: [margin, right, margin, margin], maxZoom, size });
    this.settled = this.view();
  }

  private moved(asked: boolean): void {
    const view = this.view();
    if (view === this.settled && !asked) return;
    this.settled = view;
    this.listener.onMove(view, this.box());
  }

  private listen(): void {
    this.map.on("moveend", () => this.moved(false));
    this.map.on("singleclick", (event) => this.pick(event.coordinate as [number, number]));
    let waiting = 0;
    this.map.on("pointermove", (event) => {
      if (event.dragging || waiting) return;
      waiting = requestAnimationFrame(() => {
        waiting = 0;
        this.point(event.coordinate as [number, number], event.pixel as [number, number]);
      });
    });
    this.target.addEventListener("pointerleave", () => this.listener.onPoint(null));
    this.target.addEventListener("blur", () => this.listener.onPoint(null));
    this.target.addEventListener("keydown", (event) => {
      if (event.target === this.target && event.key === "Enter") this.pick(this.middle());
    });
    this.map.on("postrender", () => {
      if (document.activeElement === this.target && this.target.matches(":focus-visible")) this.pointMiddle();
    });
  }

  private middle(): [number, number] {
    return (this.map.getView().getCenter() ?? [0, 0]) as [number, number];
  }

  private pointMiddle(): void {
    const [width, height] = this.size();
    this.point(this.middle(), [width / 2, height / 2]);
  }

  private pick(at: [number, number]): void {
    const row = this.nearest(at);
    const bin = this.bins && binAt(this.bins, at[0], at[1], !this.painting.colours);
    if (bin && bin.count > 1) this.map.getView().animate({ center: at, zoom: (this.map.getView().getZoom() ?? 3) + 2, duration: 250 });
    else if (row >= 0) this.listener.onPick(row);
  }

  private point(at: [number, number], pixel: [number, number]): void {
    const bin = this.bins && binAt(this.bins, at[0], at[1], !this.painting.colours);
    const row = this.bins ? -1 : this.nearest(at);
    this.target.style.cursor = bin || row >= 0 ? "pointer" : "";
    this.listener.onPoint(bin ? { at: pixel, bin } : row >= 0 ? { at: pixel, row } : null);
  }

  private extentOf(bits: Uint8Array | null): Extent {
    const extent: Extent = [Infinity, Infinity, -Infinity, -Infinity];
    for (let row = 0; row < this.at.xs.length; row++) {
      if (bits && !holds(bits, row)) continue;
      const [x, y, half] = [this.at.xs[row]!, this.at.ys[row]!, this.at.half[row]!];
      if (x - half < extent[0]!) extent[0] = x - half;
      if (y - half < extent[1]!) extent[1] = y - half;
      if (x + half > extent[2]!) extent[2] = x + half;
      if (y + half > extent[3]!) extent[3] = y + half;
    }
    return extent;
  }

  private nearest(at: [number, number]): number {
    const reach = 8 * (this.map.getView().getResolution() ?? 1);
    let best = -1;
    let distance = Infinity;
    const { xs, ys, half } = this.at;
    for (let row = 0; row < xs.length; row++) {
      const own = Math.max(Math.abs(xs[row]! - at[0]), Math.abs(ys[row]! - at[1]));
      if (own >= distance || own >= Math.max(reach, half[row]!)) continue;
      if (this.painting.bits && !holds(this.painting.bits, row)) continue;
      distance = own;
      best = row;
    }
    return best;
  }

  private again(): void {
    if (!this.fresh) this.fresh = requestAnimationFrame(() => ((this.fresh = 0), this.source.changed()));
  }

  private paint(extent: Extent, resolution: number, ratio: number, size: [number, number]): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    const frame: Frame = { west: extent[0]!, north: extent[3]!, resolution, width: size[0] / ratio, height: size[1] / ratio, ratio };
    const { painting } = this;
    const near = (this.map.getView().getZoomForResolution(resolution) ?? 0) >= CHIPS_FROM - 0.01;
    if (areSquares(this.at.half[0] ?? 0, resolution)) {
      this.bins = null;
      const rows = within(this.at, painting.bits, frame);
      const chosen = near ? rows.filter((row) => !painting.bits || holds(painting.bits, row)) : [];
      if (near) this.chips.want(chosen);
      const colour = (row: number) => (painting.colours ? (painting.colours[painting.codes[row]!] ?? painting.other) : ramp(painting.codes[row]! / 200));
      context.lineWidth = ratio;
      paintSquares(context, rows, this.at, painting, frame, (row) => near && this.chips.draw(context, row, frame, colour(row)));
    } else {
      this.bins = binned(this.at, painting, frame);
      paintBins(context, this.bins, painting, frame);
    }
    this.tell(near, this.bins?.top ?? null);
    return canvas;
  }

  private tell(near: boolean, top: number | null): void {
    const look = `${near} ${top}`;
    if (look === this.look) return;
    this.look = look;
    this.listener.onLook(near, top);
  }
}

function positions(about: About, arrays: Arrays): Positions {
  const count = about.samples;
  const [xs, ys, half] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  for (let row = 0; row < count; row++) {
    const [lon, lat] = [arrays.lon[row]!, arrays.lat[row]!];
    const [x, y] = fromLonLat([lon, lat]) as [number, number];
    xs[row] = x;
    ys[row] = y;
    half[row] = about.size / 2 / Math.max(Math.cos((lat * Math.PI) / 180), 0.05);
  }
  return { xs, ys, half };
}

function boxShape(box: readonly number[]): Polygon {
  return fromExtent(transformExtent([...box], "EPSG:4326", "EPSG:3857"));
}

/** Attributions are markup to OpenLayers. */
function escaped(text: string): string {
  const holder = document.createElement("span");
  holder.textContent = text;
  return holder.innerHTML;
}
