// Below the filter: the classes of what it found, and how to get the same elsewhere.

import { useState } from "preact/hooks";
import type { About, ClassColumn, Question, Selection } from "./api";
import { queryOf } from "./api";
import { classColour } from "./colours";
import { named } from "./filter";

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
      colour: old?.colour ?? classColour(own.column, place, item.colour),
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
              <button key={number} class={number === level ? "chip on" : "chip"} aria-pressed={number === level} aria-label={`Level ${number}`} onClick={() => setLevel(number)}>
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

export function pythonText(text: string): string {
  return JSON.stringify(text);
}

function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return <button onClick={() => void copy()}>{done ? "Copied" : label}</button>;
}

export function CopyPanel({ about, question, files }: { about: About; question: Question; files: number }) {
  const [kind, setKind] = useState<"Python" | "CLI" | "Files">("Python");
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
  return (
    <section class="copy">
      <h2>
        Copy as
        <span class="levels">
          {(["Python", "CLI", "Files"] as const).map((name) => (
            <button key={name} class={name === kind ? "chip on" : "chip"} aria-pressed={name === kind} onClick={() => setKind(name)}>
              {name}
            </button>
          ))}
        </span>
      </h2>
      <pre tabIndex={0} aria-label={`Text to copy: ${kind}`}>
        {texts[kind]}
      </pre>
      <div class="row">
        <CopyButton text={texts[kind]} />
        <a href={address} download="files.txt">
          Download the list of {files.toLocaleString("en")} files
        </a>
      </div>
    </section>
  );
}
