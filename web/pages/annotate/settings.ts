// What a person chose about the page itself, kept in this browser.

import type { Stretch } from "./rendering";

export interface Settings {
  opacity: number;
  /** Colours that any colour vision tells apart, instead of the campaign's. */
  safe: boolean;
  rendering: string;
  stretch: Stretch;
  /** Money for an hour of work, for the manager's page. */
  wage: number;
}

const KEY = "landloom annotate";
const USUAL: Settings = {
  opacity: 0.5,
  safe: true,
  rendering: "",
  stretch: { kind: "percentile", together: true, range: null },
  wage: 0,
};

export function readSettings(): Settings {
  try {
    return { ...USUAL, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return { ...USUAL };
  }
}

export function keepSettings(change: Partial<Settings>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readSettings(), ...change }));
  } catch {
    // A browser that keeps nothing forgets the choice, and no work.
  }
}
