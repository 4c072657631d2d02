// The page of one corpus: filter at the left, map or gallery in the middle, a sample at the right.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { About, Arrays, Question, Sample, Selection, View } from "./api";
import { classesOf, getJson, getSelection, neighbour, under } from "./api";
import { strange, type Address, type Go } from "./address";
import { kindsOf, useColouring } from "./colouring";
import { combinations } from "./Cube";
import { added } from "./filter";
import { ClassOptions, FilterPanel, titlesOf } from "./Filter";
import { Gallery } from "./Gallery";
import type { SampleMap } from "./map";
import { MapView } from "./MapView";
import { CopyPanel, Histogram } from "./Panels";
import { SamplePanel } from "./Sample";

interface ExplorerProps {
  about: About;
  arrays: Arrays;
  view: View;
  address: Address;
  go: Go;
}

/** What a question chooses; the last answer stays until another comes. */
function useSelection(question: Question): { selection: Selection | null; problem: string } {
  const [selection, setSelection] = useState<Selection | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    getSelection(question, stop.signal)
      .then((found) => {
        setSelection(found);
        setProblem("");
      })
      .catch((error: Error) => {
        if (error.name !== "AbortError") setProblem(error.message);
      });
    return () => stop.abort();
  }, [JSON.stringify(question)]);
  return { selection, problem };
}

/** The sample of the address, and why there is none. */
function useSample(id: string, view: View): { sample: Sample | null; problem: string } {
  const [found, setFound] = useState<{ sample: Sample | null; problem: string }>({ sample: null, problem: "" });
  useEffect(() => {
    if (!id) {
      setFound({ sample: null, problem: "" });
      return;
    }
    const stop = new AbortController();
    getJson<Sample>(under(`samples/${encodeURIComponent(id)}`, view), stop.signal)
      .then((sample) => setFound({ sample, problem: "" }))
      .catch((error: Error) => error.name !== "AbortError" && setFound({ sample: null, problem: `${id}: ${error.message}` }));
    return () => stop.abort();
  }, [id]);
  return found;
}

/** What the address names that is not there. */
function doubts(address: Address, about: About, titles: Map<string, string>): string[] {
  const products = about.products.filter((item) => item.bands.length);
  const own = products.find((item) => item.key === address.product) ?? products[0];
  const ways = ["", ...kindsOf(about).map(([kind]) => kind)];
  const wrong: [string, string, boolean][] = [
    ["product", address.product, Boolean(address.product) && own?.key !== address.product],
    ["date", address.step, Boolean(address.step) && !own?.steps.includes(address.step)],
    ["bands", address.bands, Boolean(own) && !combinations(own!).some(([, value]) => value === address.bands)],
    ["colour", address.colour, !ways.includes(address.colour) && !titles.has(address.colour)],
    ["show", address.show, !["", "map", "gallery"].includes(address.show)],
  ];
  const said = wrong.filter(([, , is]) => is).map(([name, value]) => `no ${name} '${value}'`);
  return [...said, ...strange(location.hash).map((name) => `'${name}' means nothing here`)];
}

/** The clearest timestep of a sample; null until it is known. */
function useClearest(sample: Sample | null, product: string): string | null {
  const [found, setFound] = useState<{ of: string; step: string }>({ of: "", step: "" });
  const wanted = sample ? `${sample.id} ${product}` : "";
  useEffect(() => {
    if (!sample || !product) return;
    const stop = new AbortController();
    getJson<{ step: string | null }>(`explore/samples/${encodeURIComponent(sample.id)}/clearest/${product}`, stop.signal)
      .then(({ step }) => setFound({ of: wanted, step: step ?? "" }))
      .catch((error: Error) => error.name !== "AbortError" && setFound({ of: wanted, step: "" }));
    return () => stop.abort();
  }, [wanted]);
  if (!sample || !product) return "";
  return found.of === wanted ? found.step : null;
}

export function Explorer({ about, arrays, view, address, go }: ExplorerProps) {
  const classes = useMemo(() => classesOf(about, view.labels), [about, view.labels]);
  const titles = useMemo(() => titlesOf(classes), [classes]);
  const question: Question = { filter: address.filter, box: address.box, ...view };
  const { selection, problem } = useSelection(question);
  const { sample, problem: lost } = useSample(address.sample, view);
  const colouring = useColouring(about, classes, arrays, address.colour, titles);
  const [drawer, setDrawer] = useState(false);
  const map = useRef<SampleMap | null>(null);
  const products = about.products.filter((item) => item.bands.length);
  const product = products.find((item) => item.key === address.product) ?? products[0] ?? null;
  const pictured = sample ? products.filter((item) => sample.images[item.key]?.length) : [];
  const clearest = useClearest(sample, (pictured.find((item) => item.key === address.product) ?? pictured[0])?.key ?? "");
  const step = address.step || clearest || (product?.steps[Math.floor(product.steps.length / 2)] ?? "");
  const gallery = address.show === "gallery" && product !== null;
  const pickRow = (row: number) => {
    void getJson<Sample>(under(`rows/${row}`, view)).then((found) => go({ sample: found.id }));
  };
  const next = sample && selection && selection.count > 1 ? neighbour(selection.bits, about.samples, sample.row, 1) : -1;
  const walk = sample && selection && next >= 0 ? (by: 1 | -1) => pickRow(neighbour(selection.bits, about.samples, sample.row, by)) : null;
  useKeys({ onStep: walk, onEscape: () => (drawer ? setDrawer(false) : go({ sample: "" })) });
  const setFilter = (filter: string) => go({ filter });
  const notes = [...(lost ? [lost] : []), ...doubts(address, about, titles)];
  return (
    <>
      <header class="top">
        <h1>{about.title}</h1>
        <p class="count" data-count={problem ? "" : (selection?.count ?? "")} role="status">
          {selection ? (
            <>
              <b>{selection.count.toLocaleString("en")}</b> of {about.samples.toLocaleString("en")} samples <span class="files">· {selection.files.toLocaleString("en")} files</span>
            </>
          ) : problem ? (
            "no answer: see the filter"
          ) : (
            "…"
          )}
          {selection && problem && " "}
          {selection && problem && <em>before this filter</em>}
        </p>
        <button class="drawer-button" aria-expanded={drawer} aria-controls="filter" onClick={() => setDrawer(!drawer)}>
          {drawer ? "Back" : "Filter"}
        </button>
        <nav aria-label="Other forms">
          <a href="?f=json">STAC API</a>
          <a href="queryables">Columns</a>
        </nav>
      </header>
      {notes.length > 0 && (
        <p class="notice" role="alert">
          The address is not quite right: {notes.join("; ")}.
        </p>
      )}
      <main class={`${sample ? "with-sample" : ""} ${drawer ? "with-drawer" : ""}`}>
        <aside class="left" id="filter" aria-label="Filter and classes">
          <FilterPanel
            about={about}
            classes={classes}
            filter={address.filter}
            problem={problem}
            onFilter={setFilter}
            splitSet={view.splitSet}
            onSplitSet={(splitSet) => go({ splitSet })}
            labels={view.labels}
            onLabels={(labels) => go({ labels, colour: "", sort: "" })}
          />
          <label class="check">
            <input type="checkbox" checked={address.box !== ""} onChange={(event) => go({ box: event.currentTarget.checked ? (map.current?.box() ?? "") : "" })} />
            Only what is in view
          </label>
          {selection && about.classes.length > 0 && <Histogram classes={classes} selection={selection} onAdd={(text) => setFilter(added(address.filter, text))} />}
          {selection && !problem && <CopyPanel about={about} question={question} files={selection.files} />}
        </aside>
        <div class="middle">
          <Toolbar about={about} titles={titles} address={address} go={go} gallery={gallery} withImages={product !== null}>
            <button onClick={() => map.current?.fit()}>Whole corpus</button>
            <button onClick={() => map.current?.fit(selection?.bits ?? null)}>What is chosen</button>
          </Toolbar>
          <MapView
            about={about}
            arrays={arrays}
            view={view}
            bits={selection?.bits ?? null}
            colouring={colouring}
            product={product}
            step={step}
            address={address}
            go={go}
            sample={sample}
            hidden={gallery}
            onPick={pickRow}
            onMap={(made) => (map.current = made)}
          />
          {gallery && (
            <Gallery
              question={question}
              product={product}
              bands={address.bands}
              only={address.only}
              onOnly={(only) => go({ only })}
              sort={address.sort}
              onSort={(sort) => go({ sort: sort === "index" ? "" : sort })}
              titles={titles}
              sample={address.sample}
              onPick={(id, date) => go({ sample: id, step: date })}
            />
          )}
        </div>
        {sample && (
          <aside class="right" aria-label="Sample">
            <SamplePanel about={about} classes={classes} sample={sample} address={{ ...address, step: address.step || clearest || "" }} ready={Boolean(address.step) || clearest !== null} go={go} onStep={walk} onClose={() => go({ sample: "" })} />
          </aside>
        )}
      </main>
    </>
  );
}

interface ToolbarProps {
  about: About;
  titles: Map<string, string>;
  address: Address;
  go: Go;
  gallery: boolean;
  withImages: boolean;
  children: preact.ComponentChildren;
}

function Toolbar({ about, titles, address, go, gallery, withImages, children }: ToolbarProps) {
  const kinds = kindsOf(about);
  const colour = titles.has(address.colour) || kinds.some(([kind]) => kind === address.colour) ? address.colour : (kinds[0]?.[0] ?? "");
  return (
    <div class="bar-of-tools">
      {withImages && (
        <span class="tabs" role="group" aria-label="Show">
          {["Map", "Gallery"].map((name) => (
            <button key={name} class={gallery === (name === "Gallery") ? "chip on" : "chip"} aria-pressed={gallery === (name === "Gallery")} onClick={() => go({ show: name === "Gallery" ? "gallery" : "" })}>
              {name}
            </button>
          ))}
        </span>
      )}
      {!gallery && kinds.length + titles.size > 0 && (
        <label>
          Colour by{" "}
          <select value={colour} onChange={(event) => go({ colour: event.currentTarget.value === kinds[0]?.[0] ? "" : event.currentTarget.value })}>
            {kinds.map(([kind, title]) => (
              <option key={kind} value={kind}>
                {title}
              </option>
            ))}
            <ClassOptions titles={titles} />
          </select>
        </label>
      )}
      {!gallery && children}
    </div>
  );
}

/** Keys that work wherever nothing else uses them: Esc closes, arrows go to other samples, "/" to the filter. */
function useKeys(keys: { onStep: ((by: 1 | -1) => void) | null; onEscape: () => void }) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const at = event.target as Element;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") latest.current.onEscape();
      if (at.closest("input, select, textarea, [role=application]")) return;
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") latest.current.onStep?.(event.key === "ArrowLeft" ? -1 : 1);
      if (event.key !== "/") return;
      event.preventDefault();
      document.querySelector<HTMLElement>("#filter input, #filter summary")?.focus();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
