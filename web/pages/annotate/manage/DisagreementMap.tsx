// Where answers differ: each chip as a small map of its tasks.

import { useEffect, useRef, useState } from "preact/hooks";
import { RAMP } from "../colours";
import { percent } from "../views/text";
import type { Disagreement, DisputedPlace } from "./types";

const SIDE = 96;
/** Share of disputed pixels shown in the brightest colour. */
const MOST = 0.5;

function colourOf(share: number): string {
  const packed = RAMP[Math.round(255 * Math.min(1, share / MOST))]!;
  return `rgb(${packed & 255}, ${(packed >> 8) & 255}, ${(packed >> 16) & 255})`;
}

function ChipMap({ chip, share, tasks }: { chip: string; share: number; tasks: DisputedPlace[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<DisputedPlace | null>(null);
  const extent = Math.max(...tasks.map((task) => Math.max(task.row + task.height, task.column + task.width)));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.setTransform(2 * (SIDE / extent), 0, 0, 2 * (SIDE / extent), 0, 0);
    context.fillStyle = "#e7ebee";
    context.fillRect(0, 0, extent, extent);
    for (const task of tasks) {
      context.fillStyle = colourOf(task.share);
      context.fillRect(task.column, task.row, task.width - extent / 200, task.height - extent / 200);
    }
  }, [tasks, extent]);
  const move = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const column = ((event.clientX - box.left) / box.width) * extent;
    const row = ((event.clientY - box.top) / box.height) * extent;
    setUnder(tasks.find((task) => row >= task.row && row < task.row + task.height && column >= task.column && column < task.column + task.width) ?? null);
  };
  return (
    <figure>
      <canvas ref={canvas} width={2 * SIDE} height={2 * SIDE} role="img" aria-label={`${chip}: answers differ on ${percent(share, 1)} of the pixels`} onPointerMove={move} onPointerLeave={() => setUnder(null)} />
      <figcaption>
        <b title={chip}>{chip}</b>
        <span>{under ? `row ${under.row}, col. ${under.column}: ${percent(under.share, 1)}` : `mean ${percent(share, 1)}`}</span>
      </figcaption>
    </figure>
  );
}

export function DisagreementMap({ disagreement }: { disagreement: Disagreement }) {
  if (!disagreement.chips.length) return <p class="quiet">No task has two answers yet.</p>;
  return (
    <>
      <div class="chips">
        {disagreement.chips.slice(0, 60).map((chip) => (
          <ChipMap key={chip.chip} {...chip} />
        ))}
      </div>
      <p class="quiet scale">
        <span>0 %</span>
        <svg viewBox="0 0 64 8" preserveAspectRatio="none" aria-hidden="true">
          {Array.from({ length: 64 }, (_, step) => (
            <rect key={step} x={step} width="1.1" height="8" fill={colourOf((MOST * step) / 63)} />
          ))}
        </svg>
        <span>{percent(MOST)} or more of a task’s pixels; grey: fewer than two answers</span>
      </p>
    </>
  );
}
