// The filter: classes by name, words of strata and splits, and the text that they write.

import { useEffect, useId, useState } from "preact/hooks";
import type { About, ClassColumn } from "./api";
import { added, comparison, conditions, listed, named, toggled, without } from "./filter";

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

/** Milliseconds without a key after which a text is asked for. */
const PAUSE = 500;

/** Options of a list: the share of each class. */
export function ClassOptions({ titles }: { titles: Map<string, string> }) {
  return (
    <optgroup label="Share of a class">
      {[...titles].map(([column, title]) => (
        <option key={column} value={column}>
          {title}
        </option>
      ))}
    </optgroup>
  );
}

export function FilterPanel(props: FilterProps) {
  const { about, classes, filter, problem, onFilter, splitSet, onSplitSet, labels, onLabels } = props;
  const titles = titlesOf(classes);
  return (
    <section>
      <h2>Filter</h2>
      <Conditions titles={titles} filter={filter} onFilter={onFilter} />
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
      {classes.length > 0 && <ClassPicker titles={titles} onAdd={(text) => onFilter(added(filter, text))} />}
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
      <details class="text" open={problem ? true : undefined}>
        <summary>Filter as text</summary>
        <FilterText filter={filter} problem={problem} onFilter={onFilter} />
      </details>
    </section>
  );
}

/** Column → name, of classes and of the groups that hold them, groups first; a group of one class is that class. */
export function titlesOf(classes: ClassColumn[]): Map<string, string> {
  const groups = classes.flatMap((item) =>
    item.groups
      .filter((group) => group.name !== item.name || classes.some((other) => other !== item && other.groups.some((one) => one.column === group.column)))
      .map((group) => [group.column, group.name] as const),
  );
  const all = new Map([...groups, ...classes.map((item) => [item.column, item.name] as const)]);
  const counts = new Map<string, number>();
  for (const name of all.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...all].map(([column, name]) => [column, counts.get(name)! > 1 ? `${name} (${column})` : name]));
}

const SIGNS: Record<string, string> = { ">=": "≥", "<=": "≤" };

function spoken(part: string, titles: Map<string, string>): string {
  const own = comparison(part);
  const title = own && titles.get(own.column);
  if (own && title) return `${title} ${SIGNS[own.sign] ?? own.sign} ${Number((100 * own.value).toFixed(4))} %`;
  return part.replace(/^(\w+)\s+IN\s*\(([^()]*)\)$/i, (_, name: string, values: string) => `${name} ${values.replaceAll("'", "")}`);
}

function Conditions({ titles, filter, onFilter }: { titles: Map<string, string>; filter: string; onFilter: (text: string) => void }) {
  const parts = conditions(filter);
  if (!parts.length) return <p class="quiet">All samples.</p>;
  return (
    <ul class="conditions" aria-label="Conditions">
      {parts.map((part, place) => (
        <li key={part} title={part}>
          <span>{spoken(part, titles)}</span>
          <button onClick={() => onFilter(without(filter, place))} aria-label={`Remove: ${spoken(part, titles)}`}>
            ✕
          </button>
        </li>
      ))}
    </ul>
  );
}

function ClassPicker({ titles, onAdd }: { titles: Map<string, string>; onAdd: (condition: string) => void }) {
  const list = useId();
  const [typed, setTyped] = useState("");
  const [sign, setSign] = useState(">=");
  const [share, setShare] = useState(50);
  const wanted = typed.trim().toLowerCase();
  const exact = [...titles].find(([own, title]) => title.toLowerCase() === wanted || own === wanted);
  // Of a group and a class with the same name, the group.
  const column = (exact ?? [...titles].find(([, title]) => wanted && title.toLowerCase().startsWith(`${wanted} (`)))?.[0];
  return (
    <form
      class="builder"
      onSubmit={(event) => {
        event.preventDefault();
        if (!column) return;
        onAdd(`${named(column)} ${sign} ${share / 100}`);
        setTyped("");
      }}
    >
      <input
        list={list}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        placeholder="Class: type a name"
        aria-label="Class"
        autocomplete="off"
      />
      <datalist id={list}>
        {[...titles].map(([own, title]) => (
          <option key={own} value={title} />
        ))}
      </datalist>
      <div class="row">
        <select value={sign} onChange={(event) => setSign(event.currentTarget.value)} aria-label="Comparison">
          <option value=">=">at least</option>
          <option value="<=">at most</option>
          <option value="=">exactly</option>
        </select>
        <input type="range" min={0} max={100} step={5} value={share} onInput={(event) => setShare(Number(event.currentTarget.value))} aria-label="Share" />
        <span class="number">{share} %</span>
        <button disabled={!column}>Add</button>
      </div>
      {typed && !column && <p class="quiet">{typed.length > 2 ? "Choose one of the names." : ""}</p>}
    </form>
  );
}

function FilterText({ filter, problem, onFilter }: { filter: string; problem: string; onFilter: (text: string) => void }) {
  const [draft, setDraft] = useState(filter);
  useEffect(() => setDraft(filter), [filter]);
  useEffect(() => {
    if (draft === filter) return;
    const timer = setTimeout(() => onFilter(draft), PAUSE);
    return () => clearTimeout(timer);
  }, [draft]);
  return (
    <>
      <textarea
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        placeholder="CQL2, for example: clc_31 >= 0.5 AND NOT clc_1 > 0"
        spellcheck={false}
        rows={3}
        aria-label="CQL2 filter"
        aria-invalid={problem !== "" && draft === filter}
      />
      {problem && draft === filter && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
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
    <div class="words" role="group" aria-label={title}>
      <span class="quiet">{title}</span>
      {values.map((value) => (
        <button key={value} class={chosen.includes(value) ? "chip on" : "chip"} aria-pressed={chosen.includes(value)} onClick={() => onFilter(toggled(filter, name, value))}>
          {value}
        </button>
      ))}
    </div>
  );
}
