// One sample: its labels, its images, what opens it elsewhere, and the way to the ones before and after it.

import type { About, ClassColumn, ProductInfo, Sample } from "./api";
import type { Address, Go } from "./address";
import { classColour } from "./colours";
import { Cube } from "./Cube";
import { CopyButton, pythonText } from "./Panels";

interface Props {
  about: About;
  classes: ClassColumn[];
  sample: Sample;
  address: Address;
  go: Go;
  /** Whether it is known which date is shown. */
  ready: boolean;
  /** To the sample before or after this one; null where there is no other. */
  onStep: ((by: 1 | -1) => void) | null;
  onClose: () => void;
}

export function SamplePanel({ about, classes, sample, address, go, ready, onStep, onClose }: Props) {
  const products = about.products.filter((item) => item.bands.length && sample.images[item.key]?.length);
  const product = products.find((item) => item.key === address.product) ?? products[0];
  return (
    <section class="sample" data-sample={sample.id} aria-label="Sample">
      <header>
        <div>
          <h2>{sample.id}</h2>
          <p class="quiet">
            {[`tile ${sample.tile}`, sample.stratum && `stratum ${sample.stratum}`, sample.split && `split ${sample.split}`].filter(Boolean).join(" · ")}
          </p>
        </div>
        <div class="steps">
          <button onClick={() => onStep?.(-1)} disabled={!onStep} aria-label="Previous sample" title="Previous sample: ←">
            ‹
          </button>
          <button onClick={() => onStep?.(1)} disabled={!onStep} aria-label="Next sample" title="Next sample: →">
            ›
          </button>
          <button class="plain" onClick={onClose} aria-label="Close" title="Close: Esc">
            ✕
          </button>
        </div>
      </header>
      <Labels classes={classes} sample={sample} />
      {product ? (
        <>
          <h3>
            Images
            <select value={product.key} onChange={(event) => go({ product: event.currentTarget.value, bands: "", step: "", beside: "" })} aria-label="Product">
              {products.map((item) => (
                <option key={item.key} value={item.key}>
                  {item.title}
                </option>
              ))}
            </select>
          </h3>
          {ready && <Cube key={product.key} sample={sample} product={product} address={address} go={go} />}
        </>
      ) : (
        <p class="quiet">The corpus has no images of this sample.</p>
      )}
      <p class="links">
        <CopyButton text={pythonOf(about, sample, product)} label="Copy Python for this sample" />
        <a href={`search?filter=${encodeURIComponent(`sample_id = '${sample.id}'`)}`} target="_blank" rel="noreferrer">
          STAC items
        </a>
      </p>
    </section>
  );
}

function pythonOf(about: About, sample: Sample, product: ProductInfo | undefined): string {
  const lines = ["import landloom", "", `corpus = landloom.open(${pythonText(about.uri)})`, `sample = corpus.select([${pythonText(sample.id)}])`];
  if (product) lines.push(`cube = sample.cube(0, ${pythonText(product.key)})`);
  return `${lines.join("\n")}\n`;
}

/** Shares of the labels that are shown: those of other label products are of the same ground. */
function Labels({ classes, sample }: { classes: ClassColumn[]; sample: Sample }) {
  const own = new Map(classes.map((item, place) => [item.column, { name: item.name, colour: classColour(item.column, place, item.colour) }]));
  const rows = Object.entries(sample.fractions).filter(([column]) => !classes.length || own.has(column));
  if (!rows.length) return null;
  const of = (column: string) => own.get(column) ?? { name: column, colour: classColour(column, 0) };
  return (
    <>
      <h3>Labels</h3>
      <div class="stack" role="img" aria-label="Shares of classes">
        {rows.map(([column, share]) => (
          <span key={column} title={`${of(column).name}: ${(100 * share).toFixed(1)} %`} style={{ width: `${100 * share}%`, background: of(column).colour }} />
        ))}
      </div>
      <table class="labels">
        <tbody>
          {rows.slice(0, 8).map(([column, share]) => (
            <tr key={column}>
              <td>
                <i class="dot" style={{ background: of(column).colour }} />
                {of(column).name}
              </td>
              <td class="code">{column}</td>
              <td class="number">{(100 * share).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > 8 && <p class="quiet">{`and ${rows.length - 8} more`}</p>}
    </>
  );
}
