// The tasks of one person: the one that is worked on, the next ones fetched ahead, their leases and drafts.

import type { Api, Assignment, Campaign, Receipt } from "./api";
import { CLIENT, newId } from "./api";
import { HttpError, base64Of, bytesOf } from "../../shared/http";
import { ActivityClock } from "./clock";
import { Cube } from "./cube";
import type { Editor } from "./editor";
import type { Outbox } from "./outbox";
import { Pictures } from "./rendering";
import type { Draft } from "./storage";
import { drafts } from "./storage";
import { Watched } from "./watch";

/** Tasks held at a time: the one on the page and two ahead. */
const HELD = 3;
const DRAFT_PAUSE = 5_000;
const EMPTY_PAUSE = 20_000;
const RETRY_PAUSE = 3_000;

export interface Task {
  assignment: Assignment;
  cube: Cube;
  pictures: Pictures;
  guess: Uint8Array;
  draft: Draft;
  expires: number;
  lost: boolean;
}

export type Saved = "nothing" | "here" | "saving" | "server" | "not kept";

export class Tasks extends Watched {
  current: Task | null = null;
  ready: Task[] = [];
  status: "loading" | "working" | "empty" | "offline" = "loading";
  problem = "";
  saved: Saved = "nothing";
  /** A newer draft of the same task that another window or machine saved. */
  conflict: { labels: Uint8Array; version: number } | null = null;
  feedback: { receipt: Receipt; labels: Uint8Array; task: Task } | null = null;
  number = 0;
  readonly clock = new ActivityClock();
  private readonly gone = new Set<string>();
  private filling: Promise<void> | null = null;
  private timers: ReturnType<typeof setInterval>[] = [];
  private retry: ReturnType<typeof setTimeout> | undefined;
  private saving = false;

  constructor(
    private readonly api: Api,
    private readonly campaign: Campaign,
    private readonly editor: Editor,
    private readonly outbox: Outbox,
    private readonly user: string,
  ) {
    super();
  }

  start(): void {
    this.editor.onStroke = () => void this.keep();
    this.editor.onSegmentsWanted = () => void this.loadSegments();
    this.outbox.onSent = () => void this.fill();
    const offline = this.outbox.onChange(() => this.changed());
    addEventListener("online", () => void this.fill());
    document.addEventListener("visibilitychange", () => document.hidden && (this.note(), void this.push()));
    this.timers = [
      setInterval(() => void this.push(), DRAFT_PAUSE),
      setInterval(() => void this.beat(), 1_000 * Math.max(5, this.campaign.heartbeat_seconds)),
      setInterval(() => (this.note(), this.changed()), 1_000),
    ];
    void offline;
    void this.fill();
  }

  /** Seconds until the lease of the current task ends. */
  get remaining(): number {
    if (!this.current) return 0;
    // The server tells its time in whole seconds.
    const seconds = Math.round((this.current.expires - Date.now() - this.api.skew) / 1_000);
    return Math.max(0, Math.min(this.campaign.lease_seconds, seconds));
  }

  // Fetching ahead.

  /** Fetch assignments and their imagery until enough are ready. */
  fill(): Promise<void> {
    clearTimeout(this.retry);
    this.filling ??= this.fetchAhead().finally(() => (this.filling = null));
    return this.filling;
  }

  private known(id: string): boolean {
    return this.gone.has(id) || this.outbox.holds(id) || this.current?.assignment.id === id || this.ready.some((task) => task.assignment.id === id);
  }

  private async fetchAhead(): Promise<void> {
    try {
      const { assignments, left } = await this.api.assignments(HELD);
      this.problem = "";
      for (const assignment of assignments) {
        if (this.known(assignment.id)) continue;
        const task = await this.load(assignment);
        if (this.known(assignment.id)) continue;
        this.ready.push(task);
        if (!this.current && !this.feedback) this.advance();
        this.changed();
      }
      if (!this.current && !this.ready.length) {
        this.status = this.outbox.pending.length ? "loading" : "empty";
        if (!left || !this.outbox.pending.length) this.later(EMPTY_PAUSE);
      }
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      if (!this.current) this.status = error instanceof HttpError && error.status === 0 ? "offline" : "loading";
      this.later(RETRY_PAUSE);
    }
    this.changed();
  }

  private later(pause: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.fill(), pause);
  }

  private async load(assignment: Assignment): Promise<Task> {
    const [bytes, kept] = await Promise.all([
      this.api.bytes(assignment.window.href),
      drafts.get(`${this.user}/${assignment.id}`).catch(() => undefined),
    ]);
    const cube = Cube.decode(assignment.window, bytes);
    const guess = bytesOf(assignment.guess);
    const pictures = new Pictures(cube, this.campaign.bands);
    const expires = Date.parse(assignment.expires_at);
    return { assignment, cube, pictures, guess, expires, lost: false, draft: this.startDraft(assignment, guess, kept) };
  }

  /** What the work goes on from: this browser's draft, unless the server has a newer one. */
  private startDraft(assignment: Assignment, guess: Uint8Array, kept: Draft | undefined): Draft {
    const stored = assignment.draft;
    if (kept?.labels.length === guess.length && (!stored || kept.version >= stored.version || !kept.saved)) return kept;
    return {
      key: `${this.user}/${assignment.id}`,
      labels: stored ? bytesOf(stored.labels) : guess.slice(),
      version: stored?.version ?? 0,
      saved: true,
      seconds: kept?.seconds ?? 0,
      viewed: kept?.viewed ?? [],
      flagged: kept?.flagged ?? false,
      comment: kept?.comment ?? "",
    };
  }

  /** Show the next task that is ready. */
  private advance(start = performance.now()): void {
    const task = this.ready.shift() ?? null;
    this.current = task;
    this.conflict = null;
    if (!task) {
      this.status = this.outbox.pending.length && !navigator.onLine ? "offline" : "loading";
      this.changed();
      return;
    }
    this.status = "working";
    this.number++;
    this.saved = task.draft.saved ? "nothing" : "here";
    this.clock.restart(task.draft.seconds);
    const { assignment, cube, guess, draft, pictures } = task;
    const shown = { key: assignment.id, chip: assignment.chip, place: assignment.task, cube, guess, labels: draft.labels, viewed: draft.viewed, layers: [], strokes: draft.strokes };
    this.editor.open(shown, pictures);
    this.editor.frame.measure("next task", start);
    this.changed();
  }

  private async loadSegments(): Promise<void> {
    const { current, editor } = this;
    if (!current) return;
    const size = editor.segmentSize;
    try {
      const bytes = await this.api.superpixels(current.assignment.id, size);
      if (this.current !== current || editor.segmentSize !== size) return;
      editor.segments = new Uint16Array(bytes);
      editor.refresh();
    } catch (error) {
      this.say(`No superpixels: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }

  notice = "";

  say(notice: string): void {
    this.notice = notice;
    this.changed();
  }

  // Drafts.

  private get looked(): Pick<Draft, "seconds" | "viewed"> {
    return { seconds: this.clock.seconds, viewed: [...this.editor.viewed] };
  }

  private snapshot(task: Task, saved: boolean): Draft {
    task.draft = { ...task.draft, labels: this.editor.mask.slice(), saved, ...this.looked, strokes: this.editor.strokes };
    return task.draft;
  }

  /** Keep the work in this browser: after each stroke. */
  async keep(): Promise<void> {
    const task = this.current;
    if (!task) return;
    const draft = this.snapshot(task, false);
    try {
      await drafts.put(draft);
      if (this.current === task && !task.draft.saved) this.saved = "here";
    } catch {
      if (this.current === task) this.saved = "not kept";
    }
    this.changed();
  }

  /** Keep which scenes were shown, though nothing was painted. */
  private note(): void {
    const task = this.current;
    if (!task || this.editor.viewed.size === task.draft.viewed.length) return;
    task.draft = { ...task.draft, ...this.looked };
    void drafts.put(task.draft).catch(() => undefined);
  }

  remark(change: Partial<Pick<Draft, "flagged" | "comment">>): void {
    const task = this.current;
    if (!task) return;
    task.draft = { ...task.draft, ...change };
    void drafts.put({ ...task.draft, viewed: [...this.editor.viewed] }).catch(() => undefined);
    this.changed();
  }

  /** Send the draft to the server if it changed since. */
  async push(): Promise<void> {
    const task = this.current;
    if (!task || task.draft.saved || task.lost || this.saving || this.conflict || this.editor.stroking) return;
    this.saving = true;
    const { labels } = task.draft;
    try {
      const version = await this.api.saveDraft(task.assignment.id, Uint8Array.from(labels), task.draft.version);
      const same = task.draft.labels === labels;
      task.draft = { ...task.draft, version, saved: same };
      if (!this.gone.has(task.assignment.id)) await drafts.put(task.draft).catch(() => undefined);
      if (this.current === task) this.saved = same ? "server" : "here";
    } catch (error) {
      if (error instanceof HttpError && error.status === 412) await this.meet(task);
      else if (error instanceof HttpError && [404, 409, 410].includes(error.status)) task.lost = true;
    } finally {
      this.saving = false;
      this.changed();
    }
  }

  /** Another window saved this task in the meantime: show what it saved. */
  private async meet(task: Task): Promise<void> {
    const { assignments } = await this.api.assignments(HELD).catch(() => ({ assignments: [] as Assignment[] }));
    const stored = assignments.find((item) => item.id === task.assignment.id)?.draft;
    if (stored && this.current === task) this.conflict = { labels: bytesOf(stored.labels), version: stored.version };
  }

  settleConflict(keepMine: boolean): void {
    const { current, conflict } = this;
    if (!current || !conflict) return;
    this.conflict = null;
    current.draft = { ...current.draft, version: conflict.version };
    if (keepMine) void this.keep().then(() => this.push());
    else {
      this.editor.adopt({ name: "other window", labels: conflict.labels });
      void this.keep();
    }
    this.changed();
  }

  // Leases.

  private async beat(): Promise<void> {
    if (!this.clock.active(this.campaign.lease_seconds)) return;
    for (const task of [...(this.current ? [this.current] : []), ...this.ready]) {
      try {
        task.expires = Date.parse((await this.api.heartbeat(task.assignment.id)).expires_at);
        task.lost = false;
      } catch (error) {
        if (!(error instanceof HttpError) || ![404, 409, 410].includes(error.status)) return;
        task.lost = true;
        this.ready = this.ready.filter((other) => other !== task);
      }
    }
    this.changed();
  }

  // Handing in.

  /** Why the task cannot be submitted yet; empty where it can. */
  get missing(): string {
    if (!this.current) return "no task";
    const unlabelled = this.editor.counts.get(0) ?? 0;
    const unseen = this.unseen.length;
    if (this.campaign.require_all_scenes && unseen) return `${unseen} ${unseen === 1 ? "scene has" : "scenes have"} not been shown yet: hold → or press V`;
    if (unlabelled) return `${unlabelled} ${unlabelled === 1 ? "pixel has" : "pixels have"} no class yet`;
    return "";
  }

  get unseen(): number[] {
    return this.current ? this.current.cube.times.map((_, time) => time).filter((time) => !this.editor.viewed.has(time)) : [];
  }

  /** Hand the current task in and go on to the next at once; the outbox sends it. */
  async submit(start = performance.now()): Promise<void> {
    const task = this.current;
    if (!task) return;
    if (this.editor.polygon.length) return this.editor.closePolygon();
    this.editor.endStroke();
    if (this.missing) return this.say(`Not submitted: ${this.missing}.`);
    const labels = this.editor.mask.slice();
    const body = {
      submission: newId(),
      labels: base64Of(labels),
      seconds: this.clock.seconds,
      dates_viewed: [...this.editor.viewed].sort((a, b) => a - b),
      flagged: task.draft.flagged,
      comment: task.draft.comment,
      client: CLIENT,
    };
    this.gone.add(task.assignment.id);
    this.notice = "";
    const answered = this.outbox.add(task.assignment.id, task.assignment.chip, body);
    if (!task.assignment.qualification) {
      this.advance(start);
      return void answered.then((receipt) => this.report(receipt));
    }
    this.current = null;
    this.status = "loading";
    this.changed();
    const receipt = await answered;
    if (receipt?.feedback) this.feedback = { receipt, labels, task };
    else this.advance();
    this.changed();
  }

  private report(receipt: Receipt | null): void {
    if (!receipt) this.say("The server refused a submission; it is kept in this browser.");
    else if (receipt.state === "surplus") this.say("A submission came after its lease had ended: it is kept as surplus.");
  }

  closeFeedback(): void {
    this.feedback = null;
    this.advance();
    void this.fill();
  }

  async skip(reason: string): Promise<void> {
    const task = this.current;
    if (!task) return;
    try {
      await this.api.skip(task.assignment.id, reason);
    } catch (error) {
      if (!(error instanceof HttpError) || ![404, 409, 410].includes(error.status)) {
        return this.say(`Not skipped: ${error instanceof Error ? error.message : String(error)}.`);
      }
    }
    this.gone.add(task.assignment.id);
    void drafts.remove(task.draft.key).catch(() => undefined);
    this.notice = "Skipped.";
    this.advance();
    void this.fill();
  }

  stop(): void {
    this.timers.forEach(clearInterval);
    clearTimeout(this.retry);
  }
}
