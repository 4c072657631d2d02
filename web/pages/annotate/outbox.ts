// Submissions on their way: kept until the server says that it has them, sent again with growing pauses.

import type { Api, Receipt, SubmissionBody } from "./api";
import { HttpError } from "../../shared/http";
import type { Waiting } from "./storage";
import { drafts, outbox } from "./storage";
import { Watched } from "./watch";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
/** Answers after which the same submission can never be taken. */
const FINAL = new Set([400, 403, 404, 409, 410, 413, 415, 422]);

export class Outbox extends Watched {
  waiting: Waiting[] = [];
  sending = false;
  /** The latest acknowledged submission. */
  last: Receipt | null = null;
  sent = 0;
  /** Called after each acknowledged submission. */
  onSent: (waiting: Waiting, receipt: Receipt) => void = () => undefined;
  private pause = FIRST_PAUSE;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private followers = new Map<string, (receipt: Receipt | null) => void>();

  constructor(
    private readonly api: Api,
    private readonly user: string,
  ) {
    super();
  }

  async start(): Promise<void> {
    this.waiting = (await outbox.all().catch(() => [])).filter((item) => item.user === this.user).sort((a, b) => a.made - b.made);
    addEventListener("online", () => this.hurry());
    this.changed();
    void this.send();
  }

  /** Submissions that are still to be sent. */
  get pending(): Waiting[] {
    return this.waiting.filter((item) => !item.refused);
  }

  holds(assignment: string): boolean {
    return this.waiting.some((item) => item.assignment === assignment && !item.refused);
  }

  /** Take a submission over; resolves with the server's receipt, or with nothing where it refuses. */
  async add(assignment: string, chip: string, body: SubmissionBody): Promise<Receipt | null> {
    const waiting: Waiting = { id: body.submission, user: this.user, assignment, chip, body, made: Date.now(), refused: "" };
    this.waiting = [...this.waiting, waiting];
    this.changed();
    const answered = new Promise<Receipt | null>((resolve) => this.followers.set(waiting.id, resolve));
    await outbox.put(waiting).catch(() => undefined);
    void this.send();
    return answered;
  }

  /** Send at once what waits: the network is back, or somebody logged in. */
  hurry(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.pause = FIRST_PAUSE;
    void this.send();
  }

  async forget(id: string): Promise<void> {
    this.waiting = this.waiting.filter((item) => item.id !== id);
    await outbox.remove(id).catch(() => undefined);
    this.changed();
  }

  async send(): Promise<void> {
    if (this.sending || this.timer !== undefined) return;
    this.sending = true;
    try {
      for (let next = this.pending[0]; next; next = this.pending[0]) await this.one(next);
      this.pause = FIRST_PAUSE;
    } catch (error) {
      this.later(error instanceof HttpError && error.retryAfter ? 1_000 * error.retryAfter : this.pause);
    } finally {
      this.sending = false;
      this.changed();
    }
  }

  private later(pause: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.send();
    }, pause * (0.75 + 0.5 * Math.random()));
    this.pause = Math.min(LONGEST_PAUSE, 2 * this.pause);
  }

  private async one(waiting: Waiting): Promise<void> {
    let receipt: Receipt;
    try {
      receipt = await this.api.submit(waiting.assignment, waiting.body);
    } catch (error) {
      if (!(error instanceof HttpError) || !FINAL.has(error.status)) throw error;
      const refused = { ...waiting, refused: error.message };
      await outbox.put(refused).catch(() => undefined);
      this.waiting = this.waiting.map((item) => (item.id === waiting.id ? refused : item));
      this.settle(waiting.id, null);
      return;
    }
    await outbox.remove(waiting.id).catch(() => undefined);
    await drafts.remove(`${this.user}/${waiting.assignment}`).catch(() => undefined);
    this.waiting = this.waiting.filter((item) => item.id !== waiting.id);
    this.last = receipt;
    this.sent++;
    this.settle(waiting.id, receipt);
    this.onSent(waiting, receipt);
  }

  private settle(id: string, receipt: Receipt | null): void {
    this.followers.get(id)?.(receipt);
    this.followers.delete(id);
    this.changed();
  }
}
