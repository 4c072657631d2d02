import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import "ol/ol.css";
import "../../shared/base.css";
import "./style.css";
import type { About, Arrays, Question, Sample, Selection, View } from "./api";
import { classesOf, getArrays, getJson, getSelection, under } from "./api";
import { NONE, classColour, wheel } from "./colours";
import { added } from "./filter";
import { SampleMap } from "./map";
import { CopyPanel, FilterPanel, Histogram } from "./Panels";
import { SamplePanel } from "./Sample";

type Colouring = "class" | "stratum" | "split";

function start(): Question {
  const stated = new URLSearchParams(location.hash.slice(1));
  const [filter, box, splitSet, labels] = ["filter", "box", "split_set", "labels"].map((name) => stated.get(name) ?? "");
  return { filter: filter!, box: box!, splitSet: splitSet!, labels: labels! };
}

/** Entries that the legend begins with. */
const LISTED = 12;

function byFrequency(codes: Uint8Array): number[] {
  const counts = new Uint32Array(256);
  for (const code of codes) counts[code]!++;
  return [...counts.keys()].filter((code) => counts[code]! > 0).sort((a, b) => counts[b]! - counts[a]!);
}

function LegendList({ items }: { items: { name: string; colour: string }[] }) {
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

interface ExplorerProps {
  about: About;
  arrays: Arrays;
  view: View;
  onView: (view: View) => void;
}

function Explorer({ about, arrays, view, onView }: ExplorerProps) {
  const [question, setQuestion] = useState(() => ({ ...start(), ...view }));
  const classes = useMemo(() => classesOf(about, view.labels), [about, view.labels]);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [problem, setProblem] = useState("");
  const [sample, setSample] = useState<Sample | null>(null);
  const ways: Colouring[] = [
    ...(about.classes.length ? (["class"] as const) : []),
    ...(about.strata.length ? (["stratum"] as const) : []),
    ...(about.splits.length ? (["split"] as const) : []),
  ];
  const [colouring, setColouring] = useState<Colouring>(ways[0] ?? "class");
  const [inView, setInView] = useState(question.box !== "");
  const target = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLElement>(null);
  const map = useRef<SampleMap | null>(null);

  useEffect(() => {
    if (!target.current || map.current) return;
    map.current = new SampleMap(target.current, about, arrays, (row) => {
      void getJson<Sample>(under(`rows/${row}`, view)).then(setSample);
    });
    const wanted = new URLSearchParams(location.hash.slice(1)).get("sample");
    if (wanted) void getJson<Sample>(under(`samples/${encodeURIComponent(wanted)}`, view)).then(setSample);
  }, [about, arrays]);

  useEffect(() => {
    if (!inView) {
      setQuestion((old) => (old.box ? { ...old, box: "" } : old));
      return;
    }
    const heard = () => setQuestion((old) => ({ ...old, box: map.current?.box() ?? "" }));
    heard();
    return map.current?.onMove(heard);
  }, [inView]);

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      getSelection(question, stop.signal)
        .then((found) => {
          setSelection(found);
          setProblem("");
        })
        .catch((error: Error) => {
          if (error.name !== "AbortError") setProblem(error.message);
        });
    }, 200);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [question]);

  useEffect(() => {
    const stated = new URLSearchParams();
    if (question.filter) stated.set("filter", question.filter);
    if (question.box) stated.set("box", question.box);
    if (question.splitSet) stated.set("split_set", question.splitSet);
    if (question.labels) stated.set("labels", question.labels);
    if (sample) stated.set("sample", sample.id);
    history.replaceState(null, "", stated.size ? `#${stated}` : location.pathname + location.search);
  }, [question, sample]);

  const legend = useMemo(() => {
    // Codes count all classes; colours those of the labels that are shown.
    if (colouring === "class") return about.classes.map((item) => ({ name: item.name, colour: classColour(item.column, classes.indexOf(item)) }));
    const names = colouring === "stratum" ? about.strata : about.splits;
    return names.map((name, place) => ({ name, colour: wheel(place) }));
  }, [about, classes, colouring]);
  const codes = { class: arrays.largest, stratum: arrays.stratum, split: arrays.split }[colouring];

  useEffect(() => {
    map.current?.show({ bits: selection?.bits ?? null, colours: legend.map((item) => item.colour), codes, other: NONE });
  }, [selection, legend, codes]);
  useEffect(() => {
    map.current?.mark(sample?.bounds ?? null);
    // In a narrow window the panel lies below the map.
    if (sample && matchMedia("(max-width: 1000px)").matches) panel.current?.scrollIntoView({ behavior: "smooth" });
  }, [sample]);

  const used = useMemo(() => byFrequency(codes).filter((place) => place < legend.length), [codes, legend]);
  const setFilter = (filter: string) => setQuestion((old) => ({ ...old, filter }));
  return (
    <>
      <header class="top">
        <h1>{about.title}</h1>
        <p class="count" data-count={problem ? "" : (selection?.count ?? "")}>
          {problem ? (
            "no answer: see the filter"
          ) : selection ? (
            <>
              <b>{selection.count.toLocaleString("en")}</b> of {about.samples.toLocaleString("en")} samples ·{" "}
              {selection.files.toLocaleString("en")} files
            </>
          ) : (
            "…"
          )}
        </p>
        <nav>
          <a href="?f=json">STAC API</a>
          <a href="queryables">Columns</a>
        </nav>
      </header>
      <main class={sample ? "with-sample" : ""}>
        <aside class="left">
          <FilterPanel
            about={about}
            classes={classes}
            filter={question.filter}
            problem={problem}
            onFilter={setFilter}
            splitSet={view.splitSet}
            onSplitSet={(splitSet) => onView({ ...view, splitSet })}
            labels={view.labels}
            onLabels={(labels) => onView({ ...view, labels })}
          />
          <label class="check">
            <input type="checkbox" checked={inView} onChange={(event) => setInView(event.currentTarget.checked)} />
            Only what is in view
          </label>
          {selection && !problem && about.classes.length > 0 && <Histogram classes={classes} selection={selection} onAdd={(text) => setFilter(added(question.filter, text))} />}
          {!problem && <CopyPanel about={about} question={question} files={selection?.files ?? 0} />}
        </aside>
        <div class="middle">
          <div class="map" ref={target} />
          <div class="legend" hidden={!ways.length}>
            <label>
              Colour by{" "}
              <select value={colouring} onChange={(event) => setColouring(event.currentTarget.value as Colouring)}>
                {ways.map((way) => (
                  <option key={way} value={way}>
                    {way === "class" ? "largest class" : way}
                  </option>
                ))}
              </select>
            </label>
            <LegendList items={used.slice(0, LISTED).map((place) => legend[place]!)} />
            {used.length > LISTED && (
              <details>
                <summary>{used.length - LISTED} more</summary>
                <LegendList items={used.slice(LISTED).map((place) => legend[place]!)} />
              </details>
            )}
          </div>
          <div class="tools">
            <button onClick={() => map.current?.fit()}>Whole corpus</button>
            <button onClick={() => map.current?.fit(selection?.bits ?? null)}>What is chosen</button>
          </div>
          {!sample && <p class="hint">Click a sample to see its cube, labels and lineage.</p>}
        </div>
        {sample && (
          <aside class="right" ref={panel}>
            <SamplePanel about={about} classes={classes} sample={sample} onClose={() => setSample(null)} />
          </aside>
        )}
      </main>
    </>
  );
}

function App() {
  const [view, setView] = useState<View>(() => ({ splitSet: start().splitSet, labels: start().labels }));
  const [loaded, setLoaded] = useState<{ about: About; arrays: Arrays; view: View } | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let wanted = true;
    getJson<About>(under("corpus", view))
      .then(async (about) => {
        const arrays = await getArrays(about.samples, view);
        if (!wanted) return;
        document.title = about.title;
        setLoaded({ about, arrays, view });
      })
      .catch((error: Error) => wanted && setProblem(error.message));
    return () => {
      wanted = false;
    };
  }, [view]);
  if (problem) return <p class="problem alone">The server does not answer: {problem}</p>;
  // Other splits or labels are another page: map, legend and selection begin anew, the filter stands in the address.
  return loaded ? <Explorer key={`${loaded.view.splitSet} ${loaded.view.labels}`} {...loaded} onView={setView} /> : <p class="alone quiet">Loading the corpus …</p>;
}

const root = document.getElementById("app");
if (root) render(<App />, root);
