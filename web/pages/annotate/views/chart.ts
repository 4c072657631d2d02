// Small line charts of one pixel over time, drawn on a canvas.

import { dateText } from "./text";

export interface Line {
  name: string;
  colour: string;
  values: number[];
  /** Which observations are clear; the others are drawn hollow. */
  clear: boolean[];
}

export interface Ghost {
  colour: string;
  times: number[];
  values: number[];
}

export interface Chart {
  title: string;
  /** Width in pixels that something else takes at the top left. */
  room?: number;
  range: [number, number];
  times: number[];
  lines: Line[];
  ghosts: Ghost[];
  /** Times of the dates on the edit canvas. */
  marks: number[];
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const PAD = { left: 38, right: 10, top: 22, bottom: 18 };
const INK = "#4a5663";
const MONTHS = ["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"];

function area(box: Box, more = 0): Box {
  const top = PAD.top + more;
  return { x: box.x + PAD.left, y: box.y + top, width: box.width - PAD.left - PAD.right, height: box.height - top - PAD.bottom };
}

/** The span of time that a chart covers, with a little room at both ends. */
function reach(times: number[]): [number, number] {
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const room = Math.max((last - first) * 0.02, 3_600_000);
  return [first - room, last + room];
}

/** The nearest time to a place of a chart; none outside of its box. */
export function nearest(box: Box, times: number[], x: number, y: number): number | null {
  if (!times.length || x < box.x || x > box.x + box.width || y < box.y || y > box.y + box.height) return null;
  const inner = area(box);
  const [first, last] = reach(times);
  const time = first + ((x - inner.x) / inner.width) * (last - first);
  return times.reduce((best, value, place) => (Math.abs(value - time) < Math.abs(times[best]! - time) ? place : best), 0);
}

/** Round steps that cut a range into about three. */
function ticks([low, high]: [number, number]): number[] {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * power).find((value) => value >= rough) ?? power;
  const found: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) found.push(Math.abs(value) < 1e-9 ? 0 : value);
  return found;
}

function axes(context: CanvasRenderingContext2D, chart: Chart, inner: Box, right: (time: number) => number, up: (value: number) => number): void {
  context.font = "10.5px system-ui, sans-serif";
  context.fillStyle = INK;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.lineWidth = 1;
  for (const value of ticks(chart.range)) {
    const y = Math.round(up(value)) + 0.5;
    context.strokeStyle = value === 0 ? "#b3bdc6" : "#e7ebee";
    context.beginPath();
    context.moveTo(inner.x, y);
    context.lineTo(inner.x + inner.width, y);
    context.stroke();
    context.fillText(String(Number(value.toFixed(2))), inner.x - 5, y);
  }
  const [first, last] = reach(chart.times);
  const start = new Date(first);
  context.textAlign = "center";
  const long = last - first > 500 * 86_400_000;
  for (let month = 1; month < 120; month++) {
    const time = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month, 1);
    if (time > last) break;
    const date = new Date(time);
    if (long && date.getUTCMonth() % 3) continue;
    const x = right(time);
    context.fillRect(Math.round(x), inner.y + inner.height, 1, 3);
    context.fillText(date.getUTCMonth() === 0 ? String(date.getUTCFullYear()) : MONTHS[date.getUTCMonth()]!, x, inner.y + inner.height + 11);
  }
}

function path(context: CanvasRenderingContext2D, times: number[], values: number[], right: (time: number) => number, up: (value: number) => number): void {
  context.beginPath();
  let begun = false;
  values.forEach((value, place) => {
    if (!Number.isFinite(value)) return;
    if (begun) context.lineTo(right(times[place]!), up(value));
    else context.moveTo(right(times[place]!), up(value));
    begun = true;
  });
  context.stroke();
}

/** Height in pixels of a row of the legend. */
const ROW = 13;

/** Draw the names of the lines beside the title, in as many rows as they need; the height of further rows. */
function drawLegend(context: CanvasRenderingContext2D, box: Box, chart: Chart, start: number): number {
  let [at, row] = [start, 0];
  for (const line of chart.lines) {
    const width = 17 + context.measureText(line.name).width;
    if (at + width > box.x + box.width && at > start) [at, row] = [start, row + 1];
    context.fillStyle = line.colour;
    context.fillRect(at, box.y + 10 + ROW * row, 10, 3);
    context.fillText(line.name, at + 13, box.y + 11 + ROW * row);
    at += width + 5;
  }
  return ROW * row;
}

export function drawChart(context: CanvasRenderingContext2D, box: Box, chart: Chart): void {
  if (box.width < 80 || box.height < 70 || !chart.times.length) return;
  context.save();
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.font = "600 12px system-ui, sans-serif";
  context.fillStyle = "#1d2733";
  context.fillText(chart.title, box.x + 6, box.y + 11);
  const start = box.x + 12 + (chart.room ?? context.measureText(chart.title).width);
  context.font = "11px system-ui, sans-serif";
  const inner = area(box, chart.lines.length > 1 ? drawLegend(context, box, chart, start) : 0);
  const [first, last] = reach(chart.times);
  const [low, high] = chart.range;
  const right = (time: number) => inner.x + ((time - first) / (last - first)) * inner.width;
  const up = (value: number) => inner.y + inner.height - ((value - low) / (high - low)) * inner.height;
  axes(context, chart, inner, right, up);
  context.beginPath();
  context.rect(inner.x - 4, inner.y - 4, inner.width + 8, inner.height + 8);
  context.clip();
  chart.marks.forEach((time, place) => {
    context.fillStyle = place ? "rgba(213, 94, 0, 0.5)" : "rgba(31, 111, 92, 0.55)";
    context.fillRect(right(time) - 1, inner.y - 4, 2, inner.height + 8);
  });
  context.globalAlpha = 0.6;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  for (const ghost of chart.ghosts) {
    context.strokeStyle = ghost.colour;
    path(context, ghost.times, ghost.values, right, up);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  for (const line of chart.lines) drawLine(context, chart.times, line, right, up);
  context.restore();
}

function drawLine(context: CanvasRenderingContext2D, times: number[], line: Line, right: (time: number) => number, up: (value: number) => number): void {
  context.strokeStyle = line.colour;
  context.lineWidth = 1.5;
  // The line joins clear observations alone: a cloud is no change of the ground.
  path(context, times, line.values.map((value, place) => (line.clear[place] ? value : NaN)), right, up);
  line.values.forEach((value, place) => {
    if (!Number.isFinite(value)) return;
    context.beginPath();
    context.arc(right(times[place]!), Math.max(-1e4, Math.min(1e4, up(value))), 2.8, 0, 7);
    context.fillStyle = line.clear[place] ? line.colour : "#ffffff";
    context.globalAlpha = line.clear[place] ? 1 : 0.75;
    context.fill();
    context.stroke();
    context.globalAlpha = 1;
  });
}

/** The numbers of a chart, for those who hear it. */
export function spoken(chart: Chart): string {
  return chart.lines
    .map((line) => {
      const clear = line.values.map((value, place) => ({ value, place })).filter(({ value, place }) => line.clear[place] && Number.isFinite(value));
      if (!clear.length) return `${line.name}: no clear observation`;
      const sorted = [...clear].sort((a, b) => a.value - b.value);
      const say = (item: { value: number; place: number }) => `${item.value.toFixed(2)} on ${dateText(new Date(chart.times[item.place]!))}`;
      return `${line.name}: lowest ${say(sorted[0]!)}, highest ${say(sorted[sorted.length - 1]!)}`;
    })
    .join("; ");
}
