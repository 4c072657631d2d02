// Coasts, borders and names of countries: Natural Earth 1 : 50 million, in the public domain, as `world-atlas` packs it.

import GeoJSON from "ol/format/GeoJSON";
import type Feature from "ol/Feature";
import type MultiPolygon from "ol/geom/MultiPolygon";
import Point from "ol/geom/Point";
import Polygon from "ol/geom/Polygon";
import OlFeature from "ol/Feature";
import VectorLayer from "ol/layer/Vector";
import VectorImageLayer from "ol/layer/VectorImage";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style, Text } from "ol/style";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-50m.json?url";
import { fetched } from "../../shared/http";

type World = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

export const SEA = "#e4ebf0";
const [LAND, COAST, BORDER] = ["#fbfbf9", "#8496a5", "#c3cbd2"];

export interface Land {
  below: VectorImageLayer;
  names: VectorLayer;
}

/** Layers that fill themselves once the file has come. */
export function landLayers(filled: boolean): Land {
  const [ground, names] = [new VectorSource(), new VectorSource()];
  const styles: Record<string, Style> = {
    land: new Style(filled ? { fill: new Fill({ color: LAND }) } : {}),
    border: new Style({ stroke: new Stroke({ color: BORDER, width: 1 }) }),
    coast: new Style({ stroke: new Stroke({ color: COAST, width: 1 }) }),
  };
  const below = new VectorImageLayer({ source: ground, imageRatio: 1.5, style: (item) => styles[String(item.get("kind"))] });
  const above = new VectorLayer({
    source: names,
    declutter: true,
    // Of names that would overlap, that of the larger country stays.
    renderOrder: (a, b) => Number(b.get("area")) - Number(a.get("area")),
    style: (item) =>
      new Style({
        text: new Text({
          text: String(item.get("name")),
          font: "12px system-ui, sans-serif",
          fill: new Fill({ color: "#54616d" }),
          stroke: new Stroke({ color: "rgba(255,255,255,0.85)", width: 3 }),
        }),
      }),
  });
  void fill(ground, names);
  return { below, names: above };
}

async function fill(ground: VectorSource, names: VectorSource): Promise<void> {
  const atlas = (await (await fetched(world)).json()) as World;
  const format = new GeoJSON({ featureProjection: "EPSG:3857" });
  const { countries, land } = atlas.objects;
  const lines = { border: mesh(atlas, countries, (a, b) => a !== b), coast: mesh(atlas, countries, (a, b) => a === b) };
  const marked = (kind: string, items: Feature[]) => items.map((item) => (item.set("kind", kind, true), item));
  const shape = (one: GeoJSON.GeoJSON) => format.readFeatures(unwrapped(one));
  ground.addFeatures([
    ...marked("land", shape(feature(atlas, land))),
    ...Object.entries(lines).flatMap(([kind, line]) => marked(kind, shape(line))),
  ]);
  const shapes = shape(feature(atlas, countries)) as Feature<Polygon | MultiPolygon>[];
  names.addFeatures(shapes.flatMap((shape) => named(shape)));
}

type Line = [number, number][];

/** Lines that cross 180° go on beyond it: the atlas lets them jump to the other side. */
function unwrapped<T>(shape: T): T {
  return JSON.parse(JSON.stringify(shape), (_, value: unknown) => (isLine(value) ? straight(value) : value)) as T;
}

function isLine(value: unknown): value is Line {
  return Array.isArray(value) && value.length > 1 && Array.isArray(value[0]) && typeof value[0][0] === "number";
}

function straight(line: Line): Line {
  let shift = 0;
  const found = line.map(([lon, lat], place): [number, number] => {
    const jump = lon - (line[place - 1]?.[0] ?? lon);
    shift -= Math.abs(jump) > 180 ? 360 * Math.sign(jump) : 0;
    return [lon + shift, lat];
  });
  const [first, last] = [found[0]!, found.at(-1)!];
  // Only the ring around the pole does not come back to where it began.
  return Math.abs(last[0] - first[0]) < 300 || line.at(-1)?.[1] !== line[0]?.[1] ? found : [...found, [last[0], -89.9], [first[0], -89.9], first];
}

/** The name of a country, in its largest part. */
function named(shape: Feature<Polygon | MultiPolygon>): OlFeature<Point>[] {
  const geometry = shape.getGeometry();
  if (!geometry) return [];
  const parts = geometry instanceof Polygon ? [geometry] : geometry.getPolygons();
  const largest = parts.reduce((best, part) => (part.getArea() > best.getArea() ? part : best));
  const [x, y] = largest.getInteriorPoint().getCoordinates() as [number, number];
  return [new OlFeature({ geometry: new Point([x, y]), area: largest.getArea(), name: shape.get("name") as string })];
}
