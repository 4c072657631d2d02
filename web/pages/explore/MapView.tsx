// The map with what lies over it: its legend, and what the pointer is at; below it the date of the chips.

import { useEffect, useRef, useState } from "preact/hooks";
import type { About, Arrays, ProductInfo, Sample, View } from "./api";
import { getJson, under } from "./api";
import type { Address, Go } from "./address";
import { readable } from "./chips";
import type { Colouring } from "./colouring";
import { MapLegend } from "./Legend";
import { SampleMap, type Listener, type Pointed } from "./map";

interface MapViewProps {
  about: About;
  arrays: Arrays;
  view: View;
  bits: Uint8Array | null;
  colouring: Colouring;
  product: ProductInfo | null;
  step: string;
  address: Address;
  go: Go;
  sample: Sample | null;
  hidden: boolean;
  onPick: (row: number) => void;
  /** Gives the map to those who move it. */
  onMap: (map: SampleMap) => void;
}

const [WIDE, WIDER] = ["(min-width: 900px)", "(min-width: 1500px)"];

export function MapView(props: MapViewProps) {
  const { about, arrays, bits, colouring, product, step, address, go, sample, hidden } = props;
  const target = useRef<HTMLDivElement>(null);
  const map = useRef<SampleMap | null>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [near, setNear] = useState(false);
  const [top, setTop] = useState<number | null>(null);
  const latest = useRef<Listener | null>(null);
  latest.current = {
    onPick: props.onPick,
    onPoint: setPointed,
    onMove: (view, box) => go({ view, ...(address.box ? { box } : {}) }),
    onLook: (chips, end) => {
      setNear(chips);
      setTop(end);
    },
  };
  useEffect(() => {
    if (!target.current || map.current) return;
    map.current = new SampleMap(target.current, about, arrays, {
      onPick: (row) => latest.current?.onPick(row),
      onPoint: (found) => latest.current?.onPoint(found),
      onMove: (view, box) => latest.current?.onMove(view, box),
      onLook: (chips, end) => latest.current?.onLook(chips, end),
    });
    props.onMap(map.current);
  }, []);
  useEffect(() => map.current?.place(address.view, address.box), [address.view, address.view ? "" : address.box]);
  useEffect(() => map.current?.show({ bits, codes: colouring.codes, colours: colouring.colours, other: colouring.other }), [bits, colouring]);
  useEffect(() => map.current?.showChips(product && { product: product.key, step, bands: address.bands }), [product, step, address.bands]);
  const linked = useRef(address.sample && !address.view && !address.box);
  useEffect(() => {
    map.current?.mark(sample?.corners ?? null, Boolean(linked.current && sample));
    if (sample) linked.current = "";
  }, [sample]);
  useEffect(() => {
    if (!hidden) map.current?.updateSize();
  }, [hidden, sample === null]);
  return (
    <div class="map-view" hidden={hidden}>
      <div class="map-box">
        <div
          class="map"
          ref={target}
          tabIndex={0}
          role="application"
          aria-label="Map of samples: arrow keys move it, plus and minus zoom, Enter opens the sample in the middle"
        />
        <i class="crosshair" aria-hidden="true" />
        {colouring.title && <MapLegend title={colouring.title} items={colouring.items} top={top} open={matchMedia(sample ? WIDER : WIDE).matches} />}
        {pointed && <Tip {...props} pointed={pointed} />}
      </div>
      {near && product && product.steps.length > 1 && <ChipBar about={about} product={product} step={step} go={go} />}
    </div>
  );
}

/** The date of all chips on the map, and the product that they are of. */
function ChipBar({ about, product, step, go }: { about: About; product: ProductInfo; step: string; go: Go }) {
  const offered = about.products.filter((item) => item.bands.length);
  return (
    <div class="chip-bar">
      {offered.length > 1 && (
        <select value={product.key} onChange={(event) => go({ product: event.currentTarget.value, bands: "", step: "", beside: "" })} aria-label="Product on the map">
          {offered.map((item) => (
            <option key={item.key} value={item.key}>
              {item.title}
            </option>
          ))}
        </select>
      )}
      <input
        type="range"
        min={0}
        max={product.steps.length - 1}
        value={Math.max(product.steps.indexOf(step), 0)}
        onInput={(event) => go({ step: product.steps[Number(event.currentTarget.value)] ?? "" })}
        aria-label="Date of all chips"
      />
      <strong>{readable(step)}</strong>
    </div>
  );
}

/** Milliseconds after which the id of a sample is asked for. */
const REST = 150;

/** What is below the pointer. */
function Tip({ about, arrays, view, colouring, pointed }: MapViewProps & { pointed: Pointed }) {
  const row = "row" in pointed ? pointed.row : -1;
  const [sample, setSample] = useState<Sample | null>(null);
  useEffect(() => {
    setSample(null);
    if (row < 0) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      getJson<Sample>(under(`rows/${row}`, view), stop.signal)
        .then(setSample)
        .catch(() => undefined);
    }, REST);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [row]);
  const [x, y] = pointed.at;
  return (
    <div class={x > innerWidth / 2 ? "tip left" : "tip"} style={{ left: `${x}px`, top: `${y}px` }} role="status">
      {"bin" in pointed ? (
        <>
          <b>{`${pointed.bin.count.toLocaleString("en")} sample${pointed.bin.count === 1 ? "" : "s"}`}</b>
          <span>{`${pointed.bin.code < 0 ? colouring.title : (colouring.names[pointed.bin.code] ?? "none")}: ${Math.round(100 * pointed.bin.share)} %`}</span>
        </>
      ) : (
        <>
          <b>{sample?.id ?? "…"}</b>
          <span>{about.classes[arrays.largest[row]!]?.name}</span>
          <span>{[about.strata[arrays.stratum[row]!], about.splits[arrays.split[row]!]].filter(Boolean).join(" · ")}</span>
          {!colouring.colours && <span>{`${colouring.title}: ${(colouring.codes[row] ?? 0) / 2} %`}</span>}
        </>
      )}
    </div>
  );
}
