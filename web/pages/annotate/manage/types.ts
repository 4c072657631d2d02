// What the server answers under /annotate/api/manage/.

import type { Window } from "../api";

export interface Counts {
  tasks: number;
  done: number;
  started: number;
  submissions: number;
  needed: number;
  surplus: number;
}

export interface Progress {
  totals: Counts;
  chips: (Counts & { chip: string })[];
  classes: { code: number; name: string; pixels: number; changed: number; seconds: number }[];
  days: { date: string; submissions: number; seconds: number }[];
  seconds: { total: number; median: number | null };
  flagged: number | unknown[];
}

/** A share with its 95 % interval. */
export interface ShareDocument {
  value: number | null;
  low: number | null;
  high: number | null;
  pixels?: number;
  tasks?: number;
}

export interface Score {
  accuracy: ShareDocument;
  by_task: Record<string, number>;
  edited: ShareDocument;
  planted_accepted: ShareDocument;
  wrong_guess_accepted: ShareDocument;
  copy_rate: number | null;
}

export interface Annotators {
  annotators: {
    name: string;
    trust: string;
    qualified: boolean | null;
    submissions: number;
    seconds: { total: number; median: number | null };
    edit_rate: number | null;
    score: Score | null;
  }[];
}

export interface Confusions {
  annotator: string | null;
  codes: number[];
  matrix: number[][];
}

export interface Agreement {
  pixels: number;
  unanimous: number | null;
  krippendorff_alpha: number | null;
  fleiss_kappa: number | null;
  by_class: Record<string, number | null>;
  pairs: { annotators: string[]; pixels: number; agreed: number; kappa: number | null }[];
  /** Between the experts of reference tasks that two have answered. */
  experts: { tasks: number; pixels: number; agreement: number | null };
}

export interface DisputedPlace {
  task: string;
  row: number;
  column: number;
  height: number;
  width: number;
  share: number;
}

export interface Disagreement {
  chips: { chip: string; share: number; tasks: DisputedPlace[] }[];
}

export interface Disputed {
  task: string;
  chip: string;
  place: { row: number; column: number; height: number; width: number };
  share: number;
  answers: { labels: string; comment: string; flagged: boolean }[];
}

export interface Opened extends Disputed {
  guess: string;
  window: Window;
}
