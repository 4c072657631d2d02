// The map: graticule and tiles in vectors, samples painted on one canvas, so that half a million of them stay quick.

import Map from "ol/Map";
import View from "ol/View";
import Feature from "ol/Feature";
import Polygon, { fromExtent } from "ol/geom/Polygon";
import Graticule from "ol/layer/Graticule";
import ImageLayer from "ol/layer/Image";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat, transformExtent } from "ol/proj";
import ImageCanvas from "ol/source/ImageCanvas";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style, Text } from "ol/style";
import ScaleLine from "ol/control/ScaleLine";
import { defaults as defaultControls } from "ol/control/defaults";
import { containsExtent, getCenter, type Extent } from "ol/extent";
import type { About, Arrays } from "./api";
import { holds } from "./api";

const FAINT = "#cfd6dd";

export interface Painting {
  bits: Uint8Array | null;
  colours: string[];
  codes: Uint8Array;
  other: string;
}

export class SampleMap {
  private readonly map: Map;
  private readonly xs: Float64Array;
  private readonly ys: Float64Array;
  private readonly half: Float64Array;
  private readonly source: ImageCanvas;
  private readonly marks = new VectorSource();
  private painting: Painting;
  private readonly whole: Extent;

  constructor(target: HTMLElement, about: About, arrays: Arrays, onPick: (row: number) => void) {
    const count = about.samples;
    this.painting = { bits: null, colours: [], codes: arrays.largest, other: FAINT };
    this.xs = new Float64Array(count);
    this.ys = new Float64Array(count);
    this.half = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const [x, y] = fromLonLat([arrays.lon[row] ?? 0, arrays.lat[row] ?? 0]) as [number, number];
      this.xs[row] = x;
      this.ys[row] = y;
      this.half[row] = about.size / 2 / Math.max(Math.cos(((arrays.lat[row] ?? 0) * Math.PI) / 180), 0.05);
    }
    this.whole = this.extentOf(null);
    this.source = new ImageCanvas({
      ratio: 1,
      projection: "EPSG:3857",
      canvasFunction: (extent, resolution, ratio, size) => this.paint(extent, resolution, ratio, size as [number, number]),
    });
    const tiles = new VectorSource({
      features: about.tiles.map(([, ...box]) => new Feature(boxShape(box))),
    });
    this.map = new Map({
      target,
      controls: defaultControls({ attribution: false, rotate: false }).extend([new ScaleLine()]),
      layers: [
        new VectorLayer({
          source: tiles,
          style: new Style({ fill: new Fill({ color: "#ffffff" }), stroke: new Stroke({ color: "#b8c2cc", width: 1 }) }),
        }),
        new Graticule({
          strokeStyle: new Stroke({ color: "rgba(90,110,130,0.18)", width: 1 }),
          showLabels: true,
          wrapX: false,
          lonLabelPosition: 0.005,
          latLabelPosition: 0.005,
          lonLabelStyle: label("bottom", "center"),
          latLabelStyle: label("middle", "start"),
        }),
        new ImageLayer({ source: this.source }),
        new VectorLayer({
          source: this.marks,
          style: new Style({ stroke: new Stroke({ color: "#111827", width: 3 }) }),
        }),
      ],
      view: new View({ maxZoom: 17, constrainResolution: false }),
    });
    this.fit();
    this.map.on("singleclick", (event) => {
      const row = this.nearest(event.coordinate as [number, number]);
      if (row >= 0) onPick(row);
    });
    this.map.on("pointermove", (event) => {
      if (event.dragging) return;
      target.style.cursor = this.nearest(event.coordinate as [number, number]) >= 0 ? "pointer" : "";
    });
  }

  /** Show everything, or what is chosen. */
  fit(bits: Uint8Array | null = null): void {
    const extent = bits ? this.extentOf(bits) : this.whole;
    if (extent[0]! <= extent[2]!) this.map.getView().fit(extent, { padding: [70, 270, 70, 80], maxZoom: 13 });
  }

  show(painting: Painting): void {
    this.painting = painting;
    this.source.changed();
  }

  /** Outline a sample, and bring it into view where it is not. */
  mark(bounds: [number, number, number, number] | null): void {
    this.marks.clear();
    if (!bounds) return;
    const shape = boxShape(bounds);
    this.marks.addFeature(new Feature(shape));
    // The panel that shows the sample takes room from the map first.
    requestAnimationFrame(() => {
      this.map.updateSize();
      const view = this.map.getView();
      if (!containsExtent(view.calculateExtent(this.map.getSize()), shape.getExtent())) {
        view.setCenter(getCenter(shape.getExtent()));
      }
    });
  }

  /** West, south, east, north in degrees of what is in view. */
  box(): string {
    const extent = transformExtent(this.map.getView().calculateExtent(this.map.getSize()), "EPSG:3857", "EPSG:4326");
    const limits = [-180, -89.9, 180, 89.9];
    return extent
      .map((value, place) => (place < 2 ? Math.max(value, limits[place]!) : Math.min(value, limits[place]!)).toFixed(5))
      .join(",");
  }

  onMove(heard: () => void): () => void {
    this.map.on("moveend", heard);
    return () => this.map.un("moveend", heard);
  }

  private extentOf(bits: Uint8Array | null): Extent {
    const extent: Extent = [Infinity, Infinity, -Infinity, -Infinity];
    for (let row = 0; row < this.xs.length; row++) {
      if (bits && !holds(bits, row)) continue;
      const x = this.xs[row]!;
      const y = this.ys[row]!;
      if (x < extent[0]!) extent[0] = x;
      if (y < extent[1]!) extent[1] = y;
      if (x > extent[2]!) extent[2] = x;
      if (y > extent[3]!) extent[3] = y;
    }
    return extent;
  }

  private nearest(at: [number, number]): number {
    const reach = 8 * (this.map.getView().getResolution() ?? 1);
    let best = -1;
    let distance = Infinity;
    for (let row = 0; row < this.xs.length; row++) {
      const own = Math.max(Math.abs(this.xs[row]! - at[0]), Math.abs(this.ys[row]! - at[1]));
      if (own < distance && own < Math.max(reach, this.half[row]!)) {
        if (this.painting.bits && !holds(this.painting.bits, row)) continue;
        distance = own;
        best = row;
      }
    }
    return best;
  }

  private paint(extent: Extent, resolution: number, ratio: number, size: [number, number]): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = size[0];
    canvas.height = size[1];
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    const scale = ratio / resolution;
    const [west, , , north] = extent as [number, number, number, number];
    const { bits, colours, codes, other } = this.painting;
    const draw = (chosen: boolean) => {
      for (let row = 0; row < this.xs.length; row++) {
        if (chosen !== (!bits || holds(bits, row))) continue;
        const x = (this.xs[row]! - west) * scale;
        const y = (north - this.ys[row]!) * scale;
        if (x < -40 || y < -40 || x > size[0] + 40 || y > size[1] + 40) continue;
        const half = Math.max(this.half[row]! * scale, (chosen ? 2.5 : 1.5) * ratio);
        context.fillStyle = chosen ? (colours[codes[row]!] ?? other) : FAINT;
        context.fillRect(x - half, y - half, 2 * half, 2 * half);
        if (half > 3 * ratio) context.strokeRect(x - half, y - half, 2 * half, 2 * half);
      }
    };
    context.lineWidth = ratio;
    context.strokeStyle = "#c3ccd5";
    draw(false);
    context.strokeStyle = "rgba(31,41,55,0.65)";
    draw(true);
    return canvas;
  }
}

function boxShape(box: readonly number[]): Polygon {
  return fromExtent(transformExtent([...box], "EPSG:4326", "EPSG:3857"));
}

function label(baseline: CanvasTextBaseline, align: CanvasTextAlign): Text {
  return new Text({
    font: "11px system-ui, sans-serif",
    textBaseline: baseline,
    textAlign: align,
    fill: new Fill({ color: "#6b7785" }),
    stroke: new Stroke({ color: "#f3f5f7", width: 3 }),
  });
}
