// The images of a sample: one date, or two side by side, their legend and lineage, and all dates as small multiples.

import { useEffect, useState } from "preact/hooks";
import type { Lineage, ProductInfo, Sample } from "./api";
import { getJson } from "./api";
import type { Address, Go } from "./address";
import { chipAddress, readable } from "./chips";
import { PictureLegend } from "./Legend";
import type { Pixel } from "./Series";
import { PixelPicker, SeriesPanel } from "./Series";

/** Combinations that people look at, where the bands are there. */
export function combinations(product: ProductInfo): [string, string][] {
  const { red, green, nir, nir08, swir16, swir22 } = product.common;
  const known: [string, (string | undefined)[]][] = [
    ["False colour", [nir, red, green]],
    ["Shortwave", [swir22, nir08 ?? nir, red]],
    ["Agriculture", [swir16, nir, product.common.blue]],
  ];
  const there = known.filter(([, bands]) => bands.every(Boolean)).map(([name, bands]): [string, string] => [name, bands.join(",")]);
  const natural = red && green && product.common.blue;
  const singles = product.bands.map((band): [string, string] => [band, band]);
  return [[natural ? "Natural colour" : (product.bands[0] ?? ""), ""], ...there, ...(natural ? singles : singles.slice(1))];
}

interface CubeProps {
  sample: Sample;
  product: ProductInfo;
  address: Address;
  go: Go;
}

export function Cube({ sample, product, address, go }: CubeProps) {
  const steps = (sample.images[product.key] ?? []).map((name) => name ?? "");
  const place = closest(steps, address.step);
  const step = steps[place] ?? "";
  const offered = combinations(product);
  const bands = offered.some(([, value]) => value === address.bands) ? address.bands : "";
  const [pixel, setPixel] = useState<Pixel | null>(null);
  useEffect(() => setPixel(null), [sample.id]);
  const beside = address.beside ? (steps[closest(steps, address.beside)] ?? "") : "";
  const picture = (name: string) => chipAddress(sample.id, { product: product.key, step: name, bands });
  const shown = beside ? [step, beside] : [step];
  const single = bands || (product.rendering?.natural ? "" : (product.bands[0] ?? ""));
  const classes = single ? product.rendering?.bands[single]?.classes : undefined;
  const setStep = (name: string) => go({ step: name });
  return (
    <div class="cube">
      <div class={beside ? "large two" : "large"}>
        {shown.map((name, number) => (
          <figure key={number}>
            <PixelPicker active={product.series || Boolean(classes?.length)} pixel={pixel} onPixel={setPixel}>
              <img src={picture(name)} alt={`${product.title}, ${name}`} />
            </PixelPicker>
            {beside && (
              <select value={name} onChange={(event) => go(number ? { beside: event.currentTarget.value } : { step: event.currentTarget.value })} aria-label={number ? "Second date" : "First date"}>
                {steps.map((one) => (
                  <option key={one} value={one}>
                    {readable(one)}
                  </option>
                ))}
              </select>
            )}
          </figure>
        ))}
        <div class="side">
          <strong class="step">{shown.filter(Boolean).map(readable).join(" and ") || product.title}</strong>
          <label>
            Bands
            <select value={bands} onChange={(event) => go({ bands: event.currentTarget.value })}>
              {offered.map(([name, value]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          {steps.length > 1 && (
            <button aria-pressed={Boolean(beside)} onClick={() => go({ beside: beside ? "" : (steps[place ? 0 : steps.length - 1] ?? "") })}>
              {beside ? "One date" : "Two dates side by side"}
            </button>
          )}
          <PictureLegend address={picture(step)} product={product} bands={bands} />
          {classes && pixel && <PixelClass address={picture(step)} pixel={pixel} classes={classes} />}
          <LineageOf sample={sample.id} product={product.key} step={step} />
        </div>
      </div>
      {steps.length > 1 && (
        <input type="range" min={0} max={steps.length - 1} value={place} onInput={(event) => setStep(steps[Number(event.currentTarget.value)] ?? "")} aria-label="Timestep" />
      )}
      {product.series && <SeriesPanel sample={sample.id} product={product} bands={bands} pixel={pixel} onPixel={setPixel} step={step} onStep={setStep} />}
      <Multiples steps={steps} place={place} picture={picture} onStep={setStep} />
    </div>
  );
}

/** The timestep of an address, or the next one there is; the middle one where none is known. */
function closest(steps: string[], wanted: string): number {
  if (!wanted) return Math.max(Math.min(Math.floor(steps.length / 2), steps.length - 1), 0);
  const own = steps.indexOf(wanted);
  if (own >= 0) return own;
  const later = steps.findIndex((name) => name > wanted);
  return later < 0 ? Math.max(steps.length - 1, 0) : later;
}

function Multiples({ steps, place, picture, onStep }: { steps: string[]; place: number; picture: (name: string) => string; onStep: (name: string) => void }) {
  // A long series is shown by every so-manieth timestep; the slider reaches all of them.
  const stride = Math.ceil(steps.length / 24);
  const shown = steps.map((name, number) => ({ name, number })).filter(({ number }) => number % stride === 0);
  return (
    <div class={(shown[0]?.name ?? "").length > 7 ? "multiples dated" : "multiples"} hidden={steps.length < 2}>
      {shown.map(({ name, number }) => (
        <button key={name} class={number === place ? "on" : ""} aria-pressed={number === place} onClick={() => onStep(name)} title={name}>
          <img src={picture(name)} alt="" loading="lazy" />
          <span>{readable(name)}</span>
        </button>
      ))}
    </div>
  );
}

function LineageOf({ sample, product, step }: { sample: string; product: string; step: string }) {
  const [lineage, setLineage] = useState<Lineage | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    getJson<Lineage>(`explore/samples/${encodeURIComponent(sample)}/lineage/${product}`, stop.signal)
      .then(setLineage)
      .catch(() => setLineage(null));
    return () => stop.abort();
  }, [sample, product]);
  const behind = lineage?.timesteps.find((item) => item.timestep === step);
  return (
    <div class="lineage">
      <span class="quiet">Lineage</span>
      {behind ? (
        <ul tabIndex={0} aria-label="Scenes">
          {behind.scenes.map((scene) => (
            <li key={scene.id} title={`${scene.id}${scene.baseline ? `, baseline ${scene.baseline}` : ""}`}>
              <span>{scene.datetime.slice(0, 10)}</span>
              <span>{scene.id.split("_").slice(0, 2).join(" ")}</span>
              <span class="number">{scene.cloud_cover === undefined ? "" : `${Math.round(scene.cloud_cover)} % cloud`}</span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="quiet">not recorded</p>
      )}
    </div>
  );
}

/** The class of the pixel under the pointer, by the colour that it is drawn with. */
function PixelClass({ address, pixel, classes }: { address: string; pixel: Pixel; classes: { name: string; colour: string }[] }) {
  const [data, setData] = useState<ImageData | null>(null);
  useEffect(() => {
    let wanted = true;
    void pixelsOf(address).then((found) => wanted && setData(found), () => wanted && setData(null));
    return () => {
      wanted = false;
    };
  }, [address]);
  if (!data) return null;
  const at = 4 * (pixel.row * data.width + pixel.column);
  const colour = `#${[0, 1, 2].map((n) => (data.data[at + n] ?? 0).toString(16).padStart(2, "0")).join("")}`;
  const name = data.data[at + 3] ? (classes.find((one) => one.colour.toLowerCase() === colour)?.name ?? "another number") : "no data";
  return (
    <p class="readout">
      <b>
        Pixel {pixel.row}, {pixel.column}
      </b>{" "}
      {name}
    </p>
  );
}

async function pixelsOf(address: string): Promise<ImageData | null> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.drawImage(image, 0, 0);
  return context?.getImageData(0, 0, canvas.width, canvas.height) ?? null;
}
