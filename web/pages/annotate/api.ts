// What the server answers under /annotate/api/.

import { HttpError, base64Of, fetched } from "../../shared/http";

export interface ClassChoice {
  code: number;
  key: string;
  name: string;
  colour: string;
}

export interface Band {
  name: string;
  common: string | null;
  wavelength: number | null;
}

export interface StatedRendering {
  name: string;
  bands?: string[] | null;
  expression?: string | null;
  range?: [number, number] | null;
}

export interface Campaign {
  name: string;
  classes: ClassChoice[];
  taxonomy: string;
  task: { size: number; context: number };
  bands: Band[];
  require_all_scenes: boolean;
  lease_seconds: number;
  heartbeat_seconds: number;
  instructions: string;
  renderings: StatedRendering[];
}

export interface Me {
  name: string;
  roles: string[];
  csrf: string;
}

/** Where a window of imagery lies, and what it holds; offsets are those of the task inside it, in pixels. */
export interface Window {
  href: string;
  rows: number;
  columns: number;
  row_offset: number;
  column_offset: number;
  times: string[];
  clear: number[];
  bands: string[];
}

export interface Place {
  row: number;
  column: number;
  height: number;
  width: number;
}

export interface Assignment {
  id: string;
  chip: string;
  task: Place;
  expires_at: string;
  guess: string;
  draft: { labels: string; version: number } | null;
  qualification: boolean;
  window: Window;
}

export interface Feedback {
  accuracy: number;
  passed?: boolean | null;
  reference?: string | null;
  done?: number | null;
  left?: number | null;
}

export interface Receipt {
  sequence: number;
  state: "accepted" | "surplus";
  changed: number;
  feedback: Feedback | null;
}

export interface SubmissionBody {
  submission: string;
  labels: string;
  seconds: number;
  dates_viewed: number[];
  flagged: boolean;
  comment: string;
  client: string;
}

export interface Profiles {
  times?: string[];
  bands?: string[];
  classes?: Record<string, number[][]>;
}

export const CLIENT = "page 1";
const ROOT = "api/";

/** A random UUID; the browser's own function is there on TLS and loopback only. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Reads and writes of one session; whoever is logged out is told so through `onLoggedOut`. */
export class Api {
  me: Me | null = null;
  onLoggedOut: () => void = () => undefined;
  /** Milliseconds by which the server's clock is ahead of this machine's. */
  skew = 0;

  /** A session that began in another tab has another token: ask for it, and try once more. */
  private async send(path: string, options: RequestInit = {}): Promise<Response> {
    const token = this.me?.csrf;
    try {
      return await this.once(path, options);
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 403 || !token) throw error;
      if ((await this.whoami()).csrf === token) throw error;
      return this.once(path, options);
    }
  }

  private async once(path: string, options: RequestInit): Promise<Response> {
    const headers = new Headers(options.headers);
    if (options.method && options.method !== "GET") headers.set("X-CSRF", this.me?.csrf ?? "");
    try {
      const answer = await fetched(`${ROOT}${path}`, { ...options, headers });
      const stated = Date.parse(answer.headers.get("Date") ?? "");
      if (!Number.isNaN(stated) && options.method === "POST") this.skew = stated - Date.now();
      return answer;
    } catch (error) {
      if (error instanceof HttpError && error.status === 401 && path !== "login") this.onLoggedOut();
      throw error;
    }
  }

  async get<T>(path: string): Promise<T> {
    return (await this.send(path)).json() as Promise<T>;
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.send(path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    return (text ? JSON.parse(text) : {}) as T;
  }

  async login(name: string, password: string): Promise<Me> {
    await this.post("login", { name, password });
    return this.whoami();
  }

  async whoami(): Promise<Me> {
    this.me = await this.get<Me>("me");
    return this.me;
  }

  assignments(count: number): Promise<{ assignments: Assignment[]; left: boolean }> {
    return this.post("assignments", { count });
  }

  /** The bytes of a window or of its superpixels; `href` is from the document's root. */
  async bytes(href: string): Promise<ArrayBuffer> {
    try {
      return await (await fetched(href)).arrayBuffer();
    } catch (error) {
      if (error instanceof HttpError && error.status === 401) this.onLoggedOut();
      throw error;
    }
  }

  superpixels(id: string, size: number): Promise<ArrayBuffer> {
    return this.bytes(`${ROOT}assignments/${encodeURIComponent(id)}/superpixels?size=${size}`);
  }

  async saveDraft(id: string, labels: Uint8Array<ArrayBuffer>, version: number): Promise<number> {
    const answer = await this.send(`assignments/${encodeURIComponent(id)}/draft`, {
      method: "PUT",
      headers: { "Content-Type": "application/octet-stream", "If-Match": `"${version}"` },
      body: labels,
    });
    return ((await answer.json()) as { version: number }).version;
  }

  heartbeat(id: string): Promise<{ expires_at: string }> {
    return this.post(`assignments/${encodeURIComponent(id)}/heartbeat`);
  }

  skip(id: string, reason: string): Promise<unknown> {
    return this.post(`assignments/${encodeURIComponent(id)}/skip`, { reason });
  }

  submit(id: string, body: SubmissionBody): Promise<Receipt> {
    return this.post(`assignments/${encodeURIComponent(id)}/submit`, body);
  }

  adjudicate(task: string, submission: string, labels: Uint8Array, comment: string, seconds: number): Promise<unknown> {
    const body = { submission, labels: base64Of(labels), comment, seconds };
    return this.post(`manage/adjudication/${encodeURIComponent(task)}`, body);
  }
}
