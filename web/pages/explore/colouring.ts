// What the colours of samples on the map say: their largest class, stratum or split, or the share of one class.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { About, Arrays, ClassColumn } from "./api";
import { getShares } from "./api";
import { NONE, classColour, wheel } from "./colours";
import type { Entry } from "./Legend";

export interface Colouring {
  title: string;
  codes: Uint8Array;
  /** Of each code; null where codes are shares of 200. */
  colours: string[] | null;
  /** Of each code. */
  names: string[];
  /** Of the legend, the most frequent first; null for a ramp. */
  items: Entry[] | null;
  other: string;
}

const KINDS = { class: "largest class", stratum: "stratum", split: "split" } as const;
type Kind = keyof typeof KINDS;

/** Ways to colour samples, beside shares of classes. */
export function kindsOf(about: About): [Kind, string][] {
  const there: Record<Kind, boolean> = { class: about.classes.length > 0, stratum: about.strata.length > 0, split: about.splits.length > 0 };
  return (Object.entries(KINDS) as [Kind, string][]).filter(([kind]) => there[kind]);
}

function byFrequency(codes: Uint8Array): number[] {
  const counts = new Uint32Array(256);
  for (const code of codes) counts[code]!++;
  return [...counts.keys()].filter((code) => counts[code]! > 0).sort((a, b) => counts[b]! - counts[a]!);
}

/** The colouring of a name: a kind, or the column of a class. */
export function useColouring(about: About, classes: ClassColumn[], arrays: Arrays, name: string, titles: Map<string, string>): Colouring {
  const column = titles.has(name) ? name : "";
  const [shares, setShares] = useState<{ column: string; codes: Uint8Array } | null>(null);
  useEffect(() => {
    if (!column) return;
    let wanted = true;
    void getShares(column).then((codes) => wanted && setShares({ column, codes }), () => undefined);
    return () => {
      wanted = false;
    };
  }, [column]);
  return useMemo(() => {
    if (column && shares?.column === column) {
      return { title: titles.get(column)!, codes: shares.codes, colours: null, names: [], items: null, other: NONE };
    }
    const kinds = kindsOf(about);
    const kind = kinds.find(([own]) => own === name)?.[0] ?? kinds[0]?.[0];
    if (!kind) return { title: "", codes: arrays.largest, colours: [], names: [], items: [], other: NONE };
    const codes = { class: arrays.largest, stratum: arrays.stratum, split: arrays.split }[kind];
    // Codes count all classes; colours those of the labels that are shown.
    const entries: Entry[] =
      kind === "class"
        ? about.classes.map((item) => ({ name: item.name, colour: classColour(item.column, classes.indexOf(item), item.colour) }))
        : (kind === "stratum" ? about.strata : about.splits).map((own, place) => ({ name: own, colour: wheel(place) }));
    const items = byFrequency(codes).filter((place) => place < entries.length).map((place) => entries[place]!);
    const title = KINDS[kind][0]!.toUpperCase() + KINDS[kind].slice(1);
    return { title, codes, colours: entries.map((item) => item.colour), names: entries.map((item) => item.name), items, other: NONE };
  }, [about, classes, arrays, name, column, shares]);
}
