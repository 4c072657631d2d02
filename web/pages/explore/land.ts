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
  ground.addFeatures([
    ...marked("land", format.readFeatures(feature(atlas, land)) as Feature[]),
    ...Object.entries(lines).flatMap(([kind, line]) => marked(kind, format.readFeatures(line) as Feature[])),
  ]);
  const shapes = format.readFeatures(feature(atlas, countries)) as Feature<Polygon | MultiPolygon>[];
  names.addFeatures(shapes.flatMap((shape) => named(shape)));
}

/** The name of a country, in its largest part. */
function named(shape: Feature<Polygon | MultiPolygon>): OlFeature<Point>[] {
  const geometry = shape.getGeometry();
  if (!geometry) return [];
  const parts = geometry instanceof Polygon ? [geometry] : geometry.getPolygons();
  const largest = parts.reduce((best, part) => (part.getArea() > best.getArea() ? part : best));
  const [x, y] = largest.getInteriorPoint().getCoordinates() as [number, number];
  return [new OlFeature({ geometry: new Point([x, y]), name: shape.get("name") as string })];
}
