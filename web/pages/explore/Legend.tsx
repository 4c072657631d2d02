// What colours mean: on the map, and in pictures of classes and of single bands.

import { useEffect, useState } from "preact/hooks";
import type { BandLegend, ProductInfo } from "./api";
import { getJson } from "./api";
import { RAMP_STYLE } from "./colours";

export interface Entry {
  name: string;
  colour: string;
}

/** Entries that a legend begins with. */
const LISTED = 12;

function Entries({ items }: { items: Entry[] }) {
  return (
    <ul>
      {items.map((item) => (
        <li key={item.name}>
          <i class="dot" style={{ background: item.colour }} />
          {item.name}
        </li>
      ))}
    </ul>
  );
}

function Ramp({ low, high, style = RAMP_STYLE }: { low: string; high: string; style?: string }) {
  return (
    <div class="ramp">
      <i style={{ background: style }} />
      <span>{low}</span>
      <span>{high}</span>
    </div>
  );
}

interface MapLegendProps {
  title: string;
  items: Entry[] | null;
  /** Share that the ramp of bins ends at; null where samples are squares. */
  top: number | null;
  open: boolean;
}

/** Of the map: kinds, or shares where `items` is null. */
export function MapLegend({ title, items, top, open }: MapLegendProps) {
  return (
    <details class="legend" open={open}>
      <summary>{title}</summary>
      {items ? (
        <>
          <Entries items={items.slice(0, LISTED)} />
          {items.length > LISTED && (
            <details>
              <summary>{items.length - LISTED} more</summary>
              <Entries items={items.slice(LISTED)} />
            </details>
          )}
        </>
      ) : (
        <Ramp low="0 %" high={`${Math.round(100 * (top ?? 1))} %${top !== null && top < 1 ? " or more" : ""}`} />
      )}
      {top !== null && <p class="quiet">{items ? "Squares sum up samples: the most frequent one." : "Squares sum up samples: their mean."}</p>}
    </details>
  );
}

/** The legend of a picture: natural colours, a ramp with its limits, or classes with their shares in this chip. */
export function PictureLegend({ address, product, bands }: { address: string; product: ProductInfo; bands: string }) {
  const [legend, setLegend] = useState<BandLegend | null>(null);
  const natural = product.rendering?.natural;
  const mixed = bands ? bands.includes(",") : Boolean(natural);
  useEffect(() => {
    setLegend(null);
    if (mixed || !product.rendering) return;
    const stop = new AbortController();
    getJson<BandLegend>(address.replace(/\.png(\?bands=|$)/, (_, query: string) => (query ? ".json?band=" : ".json")), stop.signal)
      .then(setLegend)
      .catch(() => undefined);
    return () => stop.abort();
  }, [address, mixed]);
  if (mixed) return natural ? <p class="quiet">{`Black to white: ${natural.unit} ${natural.limits.join("–")}. Light grey: no data.`}</p> : null;
  if (!legend) return null;
  return legend.kind === "categorical" ? <ClassRows legend={legend} /> : <RampOf legend={legend} />;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function RampOf({ legend }: { legend: BandLegend }) {
  const [low, high] = legend.limits ?? [0, 1];
  const short = (value: number) => String(Number(value.toPrecision(3)));
  const stops = legend.stops?.map(([place, colour]) => `${colour} ${100 * place}%`).join(", ");
  return (
    <>
      <Ramp low={short(low)} high={`${short(high)} ${legend.unit ?? ""}`} style={stops ? `linear-gradient(to right, ${stops})` : RAMP_STYLE} />
      {legend.nodata && <p class="quiet">{`Light grey: ${legend.nodata.name}, ${percent(legend.nodata_share ?? 0)}`}</p>}
    </>
  );
}

/** Classes of a chip, the largest first; those that do not occur are left out. */
function ClassRows({ legend }: { legend: BandLegend }) {
  const rows = (legend.classes ?? []).filter((row) => (row.share ?? 0) > 0).sort((a, b) => b.share! - a.share!);
  return (
    <ul class="classes" aria-label="Classes">
      {rows.map((row) => (
        <li key={row.code}>
          <i class="dot" style={{ background: row.colour }} />
          <span class="name">{row.name}</span>
          <span class="number">{percent(row.share!)}</span>
        </li>
      ))}
      {(legend.other_share ?? 0) > 0 && (
        <li>
          <i class="dot" />
          <span class="name">other numbers</span>
          <span class="number">{percent(legend.other_share!)}</span>
        </li>
      )}
      {(legend.nodata_share ?? 0) > 0 && (
        <li>
          <i class="dot none" />
          <span class="name">{legend.nodata?.name ?? "no data"}</span>
          <span class="number">{percent(legend.nodata_share!)}</span>
        </li>
      )}
    </ul>
  );
}
