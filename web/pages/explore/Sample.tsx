// One sample: labels, its cube as small multiples with a time slider, and what is behind each timestep.

import { useEffect, useState } from "preact/hooks";
import type { About, ClassColumn, Lineage, ProductInfo, Sample } from "./api";
import { getJson } from "./api";
import { classColour } from "./colours";
import type { Pixel } from "./Series";
import { PixelPicker, SeriesPanel } from "./Series";

interface Props {
  about: About;
  classes: ClassColumn[];
  sample: Sample;
  onClose: () => void;
}

function chip(sample: Sample, product: string, step: string | null, bands: string): string {
  const query = bands ? `?bands=${encodeURIComponent(bands)}` : "";
  return `explore/samples/${sample.id}/${product}/${step ?? "-"}.png${query}`;
}

/** Combinations that people look at, where the bands are there. */
function combinations(product: ProductInfo): [string, string][] {
  const known: [string, string][] = [
    ["False colour", "B08,B04,B03"],
    ["Shortwave", "B12,B8A,B04"],
    ["False colour", "nir,red,green"],
  ];
  const there = known.filter(([, bands]) => bands.split(",").every((band) => product.bands.includes(band)));
  const singles = product.bands.map((band): [string, string] => [band, band]);
  return [[product.kind === "imagery" && product.bands.length > 2 ? "Natural colour" : (product.bands[0] ?? ""), ""], ...there, ...singles];
}

export function SamplePanel({ about, classes, sample, onClose }: Props) {
  const names = new Map(classes.map((item, place) => [item.column, { name: item.name, place }]));
  const products = about.products.filter((item) => item.bands.length && sample.assets[item.key]?.length);
  const [key, setKey] = useState(products[0]?.key ?? "");
  const product = products.find((item) => item.key === key) ?? products[0];
  // Shares of other label products are of the same ground.
  const fractions = Object.entries(sample.fractions).filter(([column]) => !classes.length || names.has(column));
  return (
    <section class="sample" data-sample={sample.id}>
      <header>
        <div>
          <h2>{sample.id}</h2>
          <p class="quiet">
            {[`tile ${sample.tile}`, sample.stratum && `stratum ${sample.stratum}`, sample.split && `split ${sample.split}`]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
        <button class="plain" onClick={onClose} aria-label="Close" title="Close">
          ✕
        </button>
      </header>
      {fractions.length > 0 && <h3>Labels</h3>}
      <div class="stack" hidden={!fractions.length} role="img" aria-label="Shares of classes">
        {fractions.map(([column, share]) => (
          <span
            key={column}
            title={`${names.get(column)?.name ?? column}: ${(100 * share).toFixed(1)} %`}
            style={{ width: `${100 * share}%`, background: classColour(column, names.get(column)?.place ?? 0) }}
          />
        ))}
      </div>
      <table class="labels" hidden={!fractions.length}>
        <tbody>
          {fractions.slice(0, 8).map(([column, share]) => (
            <tr key={column}>
              <td>
                <i class="dot" style={{ background: classColour(column, names.get(column)?.place ?? 0) }} />
                {names.get(column)?.name ?? column}
              </td>
              <td class="code">{column}</td>
              <td class="number">{(100 * share).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      {product && (
        <>
          <h3>
            Cube
            <select value={product.key} onChange={(event) => setKey(event.currentTarget.value)} aria-label="Product">
              {products.map((item) => (
                <option key={item.key} value={item.key}>
                  {item.title}
                </option>
              ))}
            </select>
          </h3>
          <Cube key={`${sample.id} ${product.key}`} sample={sample} product={product} />
        </>
      )}
      {!products.length && <p class="quiet">No chips of this sample are in the corpus.</p>}
      <p class="links">
        {about.products
          .filter((item) => sample.assets[item.key]?.length)
          .map((item) => (
            <a key={item.key} href={`search?filter=${encodeURIComponent(`sample_id = '${sample.id}'`)}`} target="_blank">
              STAC items
            </a>
          ))
          .slice(0, 1)}
      </p>
    </section>
  );
}

function Cube({ sample, product }: { sample: Sample; product: ProductInfo }) {
  const steps = [...new Set((sample.assets[product.key] ?? []).map((asset) => asset.step))];
  const [place, setPlace] = useState(Math.min(Math.floor(steps.length / 2), steps.length - 1));
  const [bands, setBands] = useState("");
  const [lineage, setLineage] = useState<Lineage | null>(null);
  const [pixel, setPixel] = useState<Pixel | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    getJson<Lineage>(`explore/samples/${sample.id}/lineage/${product.key}`, stop.signal)
      .then(setLineage)
      .catch(() => setLineage(null));
    return () => stop.abort();
  }, [sample.id, product.key]);
  const step = steps[place] ?? null;
  const behind = lineage?.timesteps.find((item) => item.timestep === step);
  // A long series is shown by every so-manieth timestep; the slider reaches all of them.
  const stride = Math.ceil(steps.length / 24);
  const shown = steps.map((name, number) => ({ name, number })).filter(({ number }) => number % stride === 0);
  return (
    <div class="cube">
      <div class="large">
        <PixelPicker active={product.series} pixel={pixel} onPixel={setPixel}>
          <img src={chip(sample, product.key, step, bands)} alt={`${product.title}, ${step ?? ""}`} />
        </PixelPicker>
        <div class="side">
          <strong class="step">{step ?? product.title}</strong>
          <label>
            Bands
            <select value={bands} onChange={(event) => setBands(event.currentTarget.value)}>
              {combinations(product).map(([name, value]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          {product.legend.length > 0 && ["class", "classes"].includes(bands || (product.bands[0] ?? "")) && (
            <ul class="classes" aria-label="Classes">
              {product.legend.map((item) => (
                <li key={item.code}>
                  <i class="dot" style={{ background: item.colour }} />
                  {item.name}
                </li>
              ))}
            </ul>
          )}
          <div class="lineage">
            <span class="quiet">Lineage</span>
            {behind ? (
              <ul>
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
        </div>
      </div>
      {steps.length > 1 && (
        <input
          type="range"
          min={0}
          max={steps.length - 1}
          value={place}
          onInput={(event) => setPlace(Number(event.currentTarget.value))}
          aria-label="Timestep"
        />
      )}
      {product.series && <SeriesPanel sample={sample.id} product={product.key} pixel={pixel} step={step} onStep={(name) => setPlace(Math.max(steps.indexOf(name), 0))} />}
      <div class={(shown[0]?.name ?? "").length > 7 ? "multiples dated" : "multiples"} hidden={steps.length < 2}>
        {shown.map(({ name, number }) => (
          <button key={name} class={number === place ? "on" : ""} onClick={() => setPlace(number)} title={name ?? ""}>
            <img src={chip(sample, product.key, name, bands)} alt={name ?? ""} loading="lazy" />
            <span>{name}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
