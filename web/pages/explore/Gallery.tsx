// The gallery: pictures of what is chosen, in an order.

import { useEffect, useState } from "preact/hooks";
import type { GalleryItem, GalleryPage, ProductInfo, Question } from "./api";
import { getGallery } from "./api";
import { chipAddress, readable } from "./chips";
import { ClassOptions } from "./Filter";

interface GalleryProps {
  question: Question;
  product: ProductInfo;
  bands: string;
  /** The only date; empty for all. */
  only: string;
  onOnly: (step: string) => void;
  /** `index`, `cloud`, `valid`, `date`, or the column of a class. */
  sort: string;
  onSort: (sort: string) => void;
  titles: Map<string, string>;
  sample: string;
  onPick: (id: string, step: string) => void;
}

const ORDERS: Record<string, string> = { index: "corpus order", cloud: "least cloud", valid: "most valid pixels", date: "date" };

function facts(item: GalleryItem): string[] {
  return [
    ...(item.share === null ? [] : [`${Math.round(100 * item.share)} %`]),
    ...(item.valid === null ? [] : [`${Math.round(100 * item.valid)} % valid`]),
    ...(item.cloud === null ? [] : [`${Math.round(item.cloud)} % cloud`]),
  ];
}

export function Gallery(props: GalleryProps) {
  const { question, product, bands, only, sort } = props;
  const [pages, setPages] = useState<GalleryPage[]>([]);
  const [problem, setProblem] = useState("");
  const own: Record<string, string> = sort in ORDERS ? { sort } : sort ? { sort: "share", column: sort } : { sort: "index" };
  const asked = JSON.stringify([question, product.key, only, own]);
  const load = (before: GalleryPage[], signal: AbortSignal) =>
    getGallery(question, { product: product.key, step: only, ...own, first: String(before.reduce((sum, page) => sum + page.items.length, 0)) }, signal)
      .then((page) => {
        setPages([...before, page]);
        setProblem("");
      })
      .catch((error: Error) => error.name !== "AbortError" && setProblem(error.message));
  useEffect(() => {
    const stop = new AbortController();
    void load([], stop.signal);
    return () => stop.abort();
  }, [asked]);
  const items = pages.flatMap((page) => page.items);
  const first = pages[0];
  return (
    <section class="gallery" aria-label="Gallery">
      <GalleryTools {...props} />
      {problem && <p class="problem">{problem}</p>}
      {first && (
        <p class="quiet">
          {first.images.toLocaleString("en")} images
          {first.considered < first.samples && `, of the first ${first.considered.toLocaleString("en")} of ${first.samples.toLocaleString("en")} samples`}
        </p>
      )}
      <ul class="thumbs">
        {items.map((item) => (
          <li key={`${item.id} ${item.step}`}>
            <button class={item.id === props.sample ? "on" : ""} onClick={() => props.onPick(item.id, item.step === "-" ? "" : item.step)}>
              <img src={chipAddress(item.id, { product: product.key, step: item.step, bands })} alt={`${item.id}, ${item.step}`} loading="lazy" />
              <span class="name">{item.step === "-" ? item.id : readable(item.step)}</span>
              <span>{facts(item).join(" · ")}</span>
            </button>
          </li>
        ))}
      </ul>
      {first && items.length < first.images && (
        <button class="next" onClick={() => void load(pages, new AbortController().signal)}>
          Show more
        </button>
      )}
      {first && !first.images && <p class="quiet">No images in what is chosen.</p>}
    </section>
  );
}

function GalleryTools({ product, only, onOnly, sort, onSort, titles }: GalleryProps) {
  return (
    <div class="bar-of-tools">
      {product.steps.length > 0 && (
        <label>
          Date{" "}
          <select value={only} onChange={(event) => onOnly(event.currentTarget.value)}>
            <option value="">all</option>
            {product.steps.map((name) => (
              <option key={name} value={name}>
                {readable(name)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        Sort by{" "}
        <select value={sort || "index"} onChange={(event) => onSort(event.currentTarget.value)}>
          {Object.entries(ORDERS).map(([name, title]) => (
            <option key={name} value={name === "index" ? "index" : name}>
              {title}
            </option>
          ))}
          <ClassOptions titles={titles} />
        </select>
      </label>
    </div>
  );
}
