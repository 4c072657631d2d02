// How long somebody really worked: pauses without any input count no longer than this.

const LONGEST_PAUSE = 30_000;

export class ActivityClock {
  private total = 0;
  private last = 0;
  latest = performance.now();

  constructor() {
    const heard = () => this.heard();
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, heard, { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.heard();
      else this.last = performance.now();
    });
  }

  /** Begin to count for another task, at the seconds that it took before. */
  restart(seconds: number): void {
    this.total = 1_000 * seconds;
    this.last = performance.now();
  }

  private heard(): void {
    const now = performance.now();
    this.total += Math.min(now - this.last, LONGEST_PAUSE);
    this.last = this.latest = now;
  }

  get seconds(): number {
    return Math.round(this.total + Math.min(performance.now() - this.last, LONGEST_PAUSE)) / 1_000;
  }

  /** Whether anybody did something in the last `seconds`. */
  active(seconds: number): boolean {
    return performance.now() - this.latest < 1_000 * seconds;
  }
}
