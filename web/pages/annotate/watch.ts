// Values that components and canvases follow.

import { useEffect, useState } from "preact/hooks";

export class Watched {
  private listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Draw a component again whenever a value changes. */
export function useWatched(value: Watched): void {
  const [, setCount] = useState(0);
  useEffect(() => value.onChange(() => setCount((count) => count + 1)), [value]);
}

/** Canvases that are drawn together, at most once a frame. */
export class Frame {
  private drawers = new Set<() => void>();
  private asked = false;
  private measured: { name: string; start: number }[] = [];

  onDraw(drawer: () => void): () => void {
    this.drawers.add(drawer);
    this.ask();
    return () => this.drawers.delete(drawer);
  }

  ask(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      for (const drawer of [...this.drawers]) drawer();
      this.note();
    });
  }

  /** Measure from `start` (a time of `performance`) until the next frame is drawn, as an entry of the performance timeline. */
  measure(name: string, start: number): void {
    this.measured.push({ name, start });
    this.ask();
  }

  private note(): void {
    if (!this.measured.length) return;
    const noted = this.measured;
    this.measured = [];
    const channel = new MessageChannel();
    // The message is delivered after the frame was painted.
    channel.port1.onmessage = () => {
      if (performance.getEntriesByType("measure").length > 500) performance.clearMeasures();
      for (const { name, start } of noted) performance.measure(name, { start, end: performance.now() });
      channel.port1.close();
    };
    channel.port2.postMessage(null);
  }
}
