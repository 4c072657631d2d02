// The left side: the filter, the classes of what it found, and how to get the same elsewhere.

import { useState } from "preact/hooks";
import type { About, ClassColumn, Question, Selection } from "./api";
import { queryOf } from "./api";
import { classColour } from "./colours";
import { added, listed, named, toggled } from "./filter";

interface FilterProps {
  about: About;
  classes: ClassColumn[];
  filter: string;
  problem: string;
  onFilter: (text: string) => void;
  splitSet: string;
  onSplitSet: (name: string) => void;
  labels: string;
  onLabels: (key: string) => void;
}

export function FilterPanel({ about, classes, filter, problem, onFilter, splitSet, onSplitSet, labels, onLabels }: FilterProps) {
  const groups = new Map(classes.flatMap((item) => item.groups.map((group) => [group.column, group.name])));
  const [column, setColumn] = useState(classes[0]?.column ?? "");
  const [sign, setSign] = useState(">=");
  const [share, setShare] = useState(50);
  return (
    <section>
      <h2>Filter</h2>
      <textarea
        value={filter}
        onInput={(event) => onFilter(event.currentTarget.value)}
        placeholder="All samples. CQL2, for example: clc_31 >= 0.5 AND NOT clc_1 > 0"
        spellcheck={false}
        rows={3}
        aria-label="CQL2 filter"
        aria-invalid={problem !== ""}
      />
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {about.label_sets.length > 1 && (
        <label class="words">
          <span class="quiet">Labels</span>
          <select
            value={labels || about.label_sets[0]?.key}
            onChange={(event) => onLabels(event.currentTarget.value === about.label_sets[0]?.key ? "" : event.currentTarget.value)}
            aria-label="Labels"
          >
            {about.label_sets.map((item) => (
              <option key={item.key} value={item.key}>
                {item.title} ({item.key})
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="builder" hidden={!classes.length}>
        <select value={column} onChange={(event) => setColumn(event.currentTarget.value)} aria-label="Class">
          <optgroup label="Groups">
            {[...groups].map(([name, title]) => (
              <option key={name} value={name}>
                {title} ({name})
              </option>
            ))}
          </optgroup>
          <optgroup label="Classes">
            {classes.map((item) => (
              <option key={item.column} value={item.column}>
                {item.name} ({item.column})
              </option>
            ))}
          </optgroup>
        </select>
        <div class="row">
          <select value={sign} onChange={(event) => setSign(event.currentTarget.value)} aria-label="Comparison">
            <option value=">=">at least</option>
            <option value="<=">at most</option>
            <option value="=">exactly</option>
          </select>
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={share}
            onInput={(event) => setShare(Number(event.currentTarget.value))}
            aria-label="Share"
          />
          <span class="number">{share} %</span>
          <button onClick={() => onFilter(added(filter, `${named(column)} ${sign} ${share / 100}`))}>Add</button>
        </div>
      </div>
      <Words title="Strata" name="stratum" values={about.strata} filter={filter} onFilter={onFilter} />
      {about.split_sets.length > 0 && (
        <label class="words">
          <span class="quiet">Split set</span>
          <select value={splitSet} onChange={(event) => onSplitSet(event.currentTarget.value)} aria-label="Split set">
            <option value="">of the recipe</option>
            {about.split_sets.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Words title="Splits" name="split" values={about.splits} filter={filter} onFilter={onFilter} />
    </section>
  );
}

interface WordsProps {
  title: string;
  name: string;
  values: string[];
  filter: string;
  onFilter: (text: string) => void;
}

function Words({ title, name, values, filter, onFilter }: WordsProps) {
  const chosen = listed(filter, name);
  if (!values.length) return null;
  return (
    <div class="words">
      <span class="quiet">{title}</span>
      {values.map((value) => (
        <button
          key={value}
          class={chosen.includes(value) ? "chip on" : "chip"}
          aria-pressed={chosen.includes(value)}
          onClick={() => onFilter(toggled(filter, name, value))}
        >
          {value}
        </button>
      ))}
    </div>
  );
}

/** Classes that the histogram begins with. */
const SHOWN = 8;

interface HistogramProps {
  classes: ClassColumn[];
  selection: Selection;
  onAdd: (condition: string) => void;
}

export function Histogram({ classes, selection, onAdd }: HistogramProps) {
  const depth = Math.max(1, ...classes.map((item) => item.groups.length + 1));
  const [level, setLevel] = useState(depth);
  const sums = new Map<string, { name: string; area: number; colour: string }>();
  classes.forEach((item, place) => {
    const area = selection.histogram[item.column] ?? 0;
    if (!area) return;
    const own = level === depth ? item : ([...item.groups].sort((a, b) => a.column.length - b.column.length)[level - 1] ?? item);
    const old = sums.get(own.column);
    sums.set(own.column, {
      name: own.name,
      area: area + (old?.area ?? 0),
      colour: old?.colour ?? classColour(own.column, place),
    });
  });
  const [all, setAll] = useState(false);
  const rows = [...sums].sort((a, b) => b[1].area - a[1].area);
  const largest = rows[0]?.[1].area ?? 1;
  return (
    <section class="histogram">
      <h2>
        Classes
        {depth > 1 && (
          <span class="levels" role="group" aria-label="Level of the taxonomy">
            {Array.from({ length: depth }, (_, place) => place + 1).map((number) => (
              <button key={number} class={number === level ? "chip on" : "chip"} onClick={() => setLevel(number)}>
                {number}
              </button>
            ))}
          </span>
        )}
      </h2>
      {rows.slice(0, all ? undefined : SHOWN).map(([column, row]) => (
        <button key={column} class="bar" onClick={() => onAdd(`${named(column)} >= 0.5`)} title={`Add: ${named(column)} >= 0.5`}>
          <span class="name">{row.name}</span>
          <span class="number">{((100 * row.area) / Math.max(selection.count, 1)).toFixed(1)} %</span>
          <span class="track">
            <span style={{ width: `${(100 * row.area) / largest}%`, background: row.colour }} />
          </span>
        </button>
      ))}
      {rows.length > SHOWN && (
        <button class="more" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `All ${rows.length} classes`}
        </button>
      )}
      {!rows.length && <p class="quiet">No class in what is chosen.</p>}
    </section>
  );
}

function pythonText(text: string): string {
  return JSON.stringify(text);
}

function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function CopyPanel({ about, question, files }: { about: About; question: Question; files: number }) {
  const [kind, setKind] = useState<"Python" | "CLI" | "Files">("Python");
  const [done, setDone] = useState(false);
  const where = question.filter.trim();
  const python = [
    question.box && `region=(${question.box.split(",").join(", ")})`,
    where && `where=${pythonText(where)}`,
    question.splitSet && `split_set=${pythonText(question.splitSet)}`,
  ].filter(Boolean);
  const cli = [question.box && `--region=${question.box}`, where && `--where ${shellText(where)}`, question.splitSet && `--split-set ${shellText(question.splitSet)}`].filter(Boolean);
  const address = new URL(`explore/files.txt${queryOf(question)}`, location.href).href;
  const texts = {
    Python: `from landloom import Corpus\n\ncorpus = Corpus.open(${pythonText(about.uri)})\nselection = corpus.query(${python.join(", ")})\nselection.assets.write_list("files.txt")`,
    CLI: ["landloom query", shellText(about.uri), ...cli, "--list files.txt"].join(" "),
    Files: `curl -o files.txt ${shellText(address)}`,
  };
  const copy = async () => {
    await navigator.clipboard.writeText(texts[kind]).catch(() => undefined);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <section class="copy">
      <h2>
        Copy as
        <span class="levels">
          {(["Python", "CLI", "Files"] as const).map((name) => (
            <button key={name} class={name === kind ? "chip on" : "chip"} onClick={() => setKind(name)}>
              {name}
            </button>
          ))}
        </span>
      </h2>
      <pre>{texts[kind]}</pre>
      <div class="row">
        <button onClick={() => void copy()}>{done ? "Copied" : "Copy"}</button>
        <a href={address} download="files.txt">
          Download the list of {files.toLocaleString("en")} files
        </a>
      </div>
    </section>
  );
}
