// The series of the pixel under the pointer: a strip per band with its uncertainty, and one of quality.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PixelSeries, ProductInfo } from "./api";
import { getJson } from "./api";
import { readable } from "./chips";

export interface Pixel {
  row: number;
  column: number;
  /** Pixels along a side of the chip. */
  width: number;
  height: number;
}

interface PickerProps {
  active: boolean;
  pixel: Pixel | null;
  onPixel: (pixel: Pixel) => void;
  children: ComponentChildren;
}

const MOVES: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function clamped(value: number, size: number): number {
  return Math.max(0, Math.min(size - 1, value));
}

/** A chip whose pixels are chosen by the pointer, or with the arrow keys. */
export function PixelPicker({ active, pixel, onPixel, children }: PickerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const size = () => {
    const image = frame.current?.querySelector("img");
    return image && image.naturalWidth ? { width: image.naturalWidth, height: image.naturalHeight } : null;
  };
  const point = (event: PointerEvent) => {
    const [chip, box] = [size(), frame.current?.getBoundingClientRect()];
    if (!active || !chip || !box) return;
    const column = clamped(Math.floor(((event.clientX - box.left) / box.width) * chip.width), chip.width);
    const row = clamped(Math.floor(((event.clientY - box.top) / box.height) * chip.height), chip.height);
    if (pixel?.row !== row || pixel.column !== column) onPixel({ row, column, ...chip });
  };
  const press = (event: KeyboardEvent) => {
    const [chip, move] = [size(), MOVES[event.key]];
    if (!active || !chip || !move) return;
    event.preventDefault();
    const from = pixel ?? { row: chip.height >> 1, column: chip.width >> 1 };
    onPixel({ row: clamped(from.row + move[0], chip.height), column: clamped(from.column + move[1], chip.width), ...chip });
  };
  const share = (value: number, of: number) => `${(100 * value) / of}%`;
  return (
    <div
      ref={frame}
      class={active ? "picker on" : "picker"}
      onPointerMove={point}
      onPointerDown={point}
      onKeyDown={press}
      tabIndex={active ? 0 : undefined}
      role={active ? "application" : undefined}
      aria-label={active ? "Chip: the pointer or the arrow keys choose a pixel" : undefined}
    >
      {children}
      {pixel && active && (
        <i
          class="cursor"
          style={{
            left: share(pixel.column, pixel.width),
            top: share(pixel.row, pixel.height),
            width: share(1, pixel.width),
            height: share(1, pixel.height),
          }}
        />
      )}
    </div>
  );
}

interface SeriesProps {
  sample: string;
  product: ProductInfo;
  /** Bands of the picture; empty for natural colours. */
  bands: string;
  /** The mean of all pixels if there is none. */
  pixel: Pixel | null;
  onPixel: (pixel: Pixel | null) => void;
  step: string | null;
  onStep: (step: string) => void;
}

/** Milliseconds for which the pointer rests before a pixel is asked for. */
const REST = 60;
const INDEX = "NDVI";

export function SeriesPanel({ sample, product, bands, pixel, onPixel, step, onStep }: SeriesProps) {
  const [series, setSeries] = useState<PixelSeries | null>(null);
  const [problem, setProblem] = useState("");
  const [all, setAll] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const under = `explore/samples/${encodeURIComponent(sample)}`;
    const address = pixel ? `${under}/series/${product.key}?row=${pixel.row}&column=${pixel.column}` : `${under}/mean/${product.key}`;
    const timer = setTimeout(() => {
      getJson<PixelSeries>(address, stop.signal)
        .then((found) => {
          setSeries(withIndex(found, product));
          setProblem("");
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
        });
    }, REST);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [sample, product.key, pixel?.row, pixel?.column]);
  if (problem) return <p class="problem">{problem}</p>;
  if (!series) return <p class="quiet">Reading the series …</p>;
  const few = bands ? bands.split(",") : product.rendering?.natural?.bands ?? series.bands.slice(0, 3);
  const shown = series.bands.filter((band) => all || series.bands.length < 6 || band === INDEX || few.includes(band));
  return (
    <div class="series" data-pixel={series.row === null ? "mean" : `${series.row},${series.column}`}>
      <Readout series={series} step={step} />
      {shown.map((band) => (
        <BandStrip key={band} series={series} band={band} place={series.bands.indexOf(band)} step={step} onStep={onStep} />
      ))}
      {series.valid && <ValidStrip series={series} step={step} onStep={onStep} />}
      <QualityStrip series={series} step={step} onStep={onStep} />
      <p class="row">
        {series.bands.length >= 6 && <button onClick={() => setAll(!all)}>{all ? "Fewer bands" : `All ${series.bands.length} bands`}</button>}
        {pixel ? <button onClick={() => onPixel(null)}>Mean of the sample</button> : <span class="quiet">Point at the image for one pixel.</span>}
      </p>
    </div>
  );
}

/** With the vegetation index of a pixel, where the bands for it are there and numbers are reflectance. */
function withIndex(series: PixelSeries, { common }: ProductInfo): PixelSeries {
  const [red, nir] = [series.values[common.red ?? ""], series.values[common.nir ?? ""]];
  if (!red || !nir || !series.unit || series.bands.includes(INDEX)) return series;
  const index = red.map((value, n) => {
    const other = nir[n];
    return value === null || other === null || other === undefined || value + other <= 0 ? null : (other - value) / (other + value);
  });
  return { ...series, bands: [INDEX, ...series.bands], values: { ...series.values, [INDEX]: index } };
}

const COLOURS = ["#3568b8", "#3d8f4e", "#b8443f", "#7a4f9c", "#8a6d1f", "#3c8fb5", "#b8505d", "#5f6f52"];
const SKY: Record<number, [string, string]> = { 1: ["cloud", "#8f9aa3"], 2: ["shadow", "#3b4650"], 3: ["cirrus", "#c5b23f"] };
const [WIDTH, LEFT] = [400, 44];

function numeral(value: number | null | undefined, unit: string): string {
  return value === null || value === undefined ? "no data" : unit ? value.toFixed(4) : String(value);
}

/** What the quality layers say about one timestep. */
function Readout({ series, step }: { series: PixelSeries; step: string | null }) {
  const place = series.steps.indexOf(step ?? "");
  const layer = (name: string) => series.quality[name]?.[place];
  const behind = series.overpasses[String(layer("traceability") ?? "")];
  const [synthetic, days] = [layer("synthetic"), layer("days")];
  const said = [
    typeof synthetic === "number" && `${synthetic} % synthetic`,
    typeof days === "number" && `${days} days to the closest observation`,
    behind && behind.scenes.join(" + "),
  ].filter(Boolean);
  return (
    <p class="readout">
      <b>{series.row === null ? "Mean of the sample" : `Pixel ${series.row}, ${series.column}`}</b>{" "}
      <span class="quiet">{[readable(step ?? ""), ...said].filter(Boolean).join(" · ")}</span>
    </p>
  );
}

interface StripProps {
  series: PixelSeries;
  step: string | null;
  onStep: (step: string) => void;
}

/** From times to places along a strip, and back to the timestep under the pointer. */
function along(series: PixelSeries) {
  const times = series.times.map((text) => Date.parse(text));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const right = (time: number) => LEFT + ((time - first) / Math.max(last - first, 1)) * (WIDTH - LEFT - 6);
  const at = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    return times.reduce((best, time, place) => (Math.abs(right(time) - x) < Math.abs(right(times[best]!) - x) ? place : best), 0);
  };
  return { times, right, at };
}

function BandStrip({ series, band, place, step, onStep }: StripProps & { band: string; place: number }) {
  const [values, sigma] = [series.values[band] ?? [], series.sigma?.[band]];
  const { times, right, at } = along(series);
  const known = values.map((value, n) => ({ value, n })).filter((one): one is { value: number; n: number } => one.value !== null);
  const spread = (n: number) => 2 * (sigma?.[n] ?? 0);
  const low = Math.min(...known.map(({ value, n }) => value - spread(n)));
  const high = Math.max(...known.map(({ value, n }) => value + spread(n)));
  const [height, colour] = [72, COLOURS[place % COLOURS.length]!];
  const up = (value: number) => height - 5 - ((value - low) / Math.max(high - low, 1e-9)) * (height - 21);
  const point = (n: number, value: number) => `${right(times[n]!).toFixed(1)},${up(value).toFixed(1)}`;
  const belt = (factor: number) =>
    [
      ...known.map(({ value, n }) => point(n, value + factor * (sigma?.[n] ?? 0))),
      ...[...known].reverse().map(({ value, n }) => point(n, value - factor * (sigma?.[n] ?? 0))),
    ].join(" ");
  const chosen = series.steps.indexOf(step ?? "");
  const own = values[chosen];
  const error = sigma?.[chosen];
  const told = `${band}: ${numeral(own, series.unit)}${typeof error === "number" ? ` ± ${numeral(error, series.unit)}` : ""}`;
  return (
    <svg class="strip" data-band={band} viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={told} onClick={(event) => onStep(series.steps[at(event)]!)}>
      <title>{told}</title>
      {known.length > 0 && (
        <>
          <text class="axis" x={LEFT - 4} y={20}>{numeral(high, series.unit)}</text>
          <text class="axis" x={LEFT - 4} y={height - 4}>{numeral(low, series.unit)}</text>
          {sigma && <polygon class="sigma" points={belt(2)} fill={colour} opacity={0.14} />}
          {sigma && <polygon class="sigma" points={belt(1)} fill={colour} opacity={0.28} />}
          <polyline points={known.map(({ value, n }) => point(n, value)).join(" ")} fill="none" stroke={colour} stroke-width={1.3} />
          {known.filter(({ n }) => series.observed[n]).map(({ value, n }) => (
            <circle key={n} cx={right(times[n]!)} cy={up(value)} r={2} fill={colour} />
          ))}
        </>
      )}
      {chosen >= 0 && <line class="now" x1={right(times[chosen]!)} x2={right(times[chosen]!)} y1={0} y2={height} />}
      <text x={LEFT + 4} y={11} fill={colour} class="name">{told}</text>
    </svg>
  );
}

/** Share of pixels with data. */
function ValidStrip({ series, step, onStep }: StripProps) {
  const { times, right, at } = along(series);
  const shares = series.valid ?? [];
  const width = Math.max(((WIDTH - LEFT) / Math.max(times.length, 1)) * 0.8, 1);
  const chosen = series.steps.indexOf(step ?? "");
  const told = `Valid pixels: ${chosen < 0 ? "–" : `${Math.round(100 * (shares[chosen] ?? 0))} %`}`;
  return (
    <svg class="strip valid" viewBox={`0 0 ${WIDTH} 50`} role="img" aria-label={told} onClick={(event) => onStep(series.steps[at(event)]!)}>
      <title>{told}</title>
      <text class="axis" x={LEFT - 4} y={22}>100 %</text>
      <text class="axis" x={LEFT - 4} y={48}>0</text>
      {shares.map((share, n) => (
        <rect key={n} x={right(times[n]!) - width / 2} y={48 - 30 * share} width={width} height={30 * share} fill="#5f7d8c" />
      ))}
      {chosen >= 0 && <line class="now" x1={right(times[chosen]!)} x2={right(times[chosen]!)} y1={0} y2={50} />}
      <text x={LEFT + 4} y={11} fill="#3f5866" class="name">{told}</text>
    </svg>
  );
}

/** Share of synthetic data, the dates of real observations, and clouds. */
function QualityStrip({ series, step, onStep }: StripProps) {
  const { times, right, at } = along(series);
  const synthetic = series.quality.synthetic;
  if (!synthetic) return null;
  const width = (WIDTH - LEFT) / Math.max(times.length, 1);
  const chosen = series.steps.indexOf(step ?? "");
  const there = [...new Set((series.quality.cloud ?? []).filter((code): code is number => code !== null && code > 0))];
  return (
    <>
      <svg class="strip quality" viewBox={`0 0 ${WIDTH} 46`} role="img" aria-label="Quality" onClick={(event) => onStep(series.steps[at(event)]!)}>
        <text class="axis" x={LEFT - 4} y={14}>100 %</text>
        <text class="axis" x={LEFT - 4} y={38}>0</text>
        {synthetic.map((share, n) => (
          <rect key={n} x={right(times[n]!) - width / 2} y={38 - 0.28 * (share ?? 0)} width={width} height={0.28 * (share ?? 0)} fill="#d98032" opacity={0.45} />
        ))}
        {Object.entries(series.overpasses).map(([code, one]) => (
          <line key={code} class="pass" x1={right(Date.parse(one.time))} x2={right(Date.parse(one.time))} y1={1} y2={7} />
        ))}
        {(series.quality.cloud ?? []).map((code, n) => (code ? <rect key={n} x={right(times[n]!) - 1.5} y={41} width={3} height={4} fill={SKY[code]?.[1]} /> : null))}
        {chosen >= 0 && <line class="now" x1={right(times[chosen]!)} x2={right(times[chosen]!)} y1={0} y2={46} />}
      </svg>
      <p class="quiet keys">
        Dots: timesteps with a real observation. Bands: ± 1 σ, ± 2 σ. Below: <i style={{ background: "#d98032" }} /> synthetic share
        {there.map((code) => (
          <span key={code}>
            , <i style={{ background: SKY[code]?.[1] }} /> {SKY[code]?.[0]}
          </span>
        ))}
        ; ticks: dates of observations.
      </p>
    </>
  );
}
