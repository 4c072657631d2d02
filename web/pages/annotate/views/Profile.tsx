// What one pixel did over time: indices with the class means as ghosts, and bands.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Profiles } from "../api";
import type { Editor } from "../editor";
import type { Node } from "../expression";
import { bandPlaces, compute, parse } from "../expression";
import { series, usual } from "../rendering";
import { useWatched } from "../watch";
import { useCanvas } from "./canvas";
import type { Box, Chart, Ghost } from "./chart";
import { drawChart, nearest, spoken } from "./chart";
import { dateText } from "./text";

const LINES = ["#0072b2", "#009e73", "#d55e00", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#117733", "#999933", "#332288"];
const MOST_BANDS: Record<string, string> = { blue: "#0072b2", green: "#009e73", red: "#d55e00", nir: "#882255", swir16: "#e69f00", swir22: "#999933" };

interface Curve {
  title: string;
  expression: string;
  range: [number, number];
}

/** Mean curves of the classes for an index or a band. */
function ghostsOf(profiles: Profiles, editor: Editor, expression: string): Ghost[] {
  const times = (profiles.times ?? []).map((time) => Date.parse(time));
  if (!profiles.bands || !profiles.classes || !times.length) return [];
  let node: Node;
  try {
    node = parse(expression, bandPlaces(profiles.bands, editor.campaign.bands));
  } catch {
    return [];
  }
  return Object.entries(profiles.classes).map(([code, rows]) => {
    // The server states means as reflectance is stored or as a share of 1.
    const scale = rows.some((row) => row.some((value) => value > 2)) ? 10_000 : 1;
    const values = compute(node, (band) => Float32Array.from(rows, (row) => (row[band] ?? NaN) / scale));
    return { colour: editor.colours.get(Number(code)) ?? "#888888", times, values: typeof values === "number" ? times.map(() => values) : Array.from(values) };
  });
}

export function Profile({ editor, profiles }: { editor: Editor; profiles: Profiles }) {
  useWatched(editor);
  const canvas = useRef<HTMLCanvasElement>(null);
  const heard = useRef<HTMLParagraphElement>(null);
  const [third, setThird] = useState("bands");
  const curves = useMemo<Curve[]>(() => {
    const found = usual(editor.campaign.bands).filter((item) => item.expression);
    return found.map((item) => ({ title: item.name, expression: item.expression!, range: item.range }));
  }, [editor]);
  const bands = editor.campaign.bands;
  const single = bands.find((band) => `band ${band.name}` === third);
  const ghosts = useMemo(() => {
    const wanted = [...curves.map((curve) => curve.expression), ...(single ? [single.name] : [])];
    return new Map(wanted.map((expression) => [expression, ghostsOf(profiles, editor, expression)]));
  }, [profiles, curves, single, editor, editor.colours]);

  const charts = useCallback((): Chart[] => {
    const { task, pictures } = editor;
    const point = editor.pinned ?? editor.cursor;
    if (!task || !pictures) return [];
    const times = task.cube.times.map((time) => time.getTime());
    const place = point ? point.row * task.cube.columns + point.column : -1;
    const marks = [times[editor.date]!, ...(editor.compare === "one" ? [] : [times[editor.other]!])];
    const line = (name: string, expression: string, colour: string) => (place < 0 ? [] : [{ name, colour, ...series(pictures, place, expression) }]);
    const all: Chart[] = curves.map((curve) => ({
      title: curve.title,
      range: [Math.min(-0.2, curve.range[0]), Math.max(curve.range[1], 0.6)],
      times,
      lines: line(curve.title, curve.expression, "#101418"),
      ghosts: ghosts.get(curve.expression) ?? [],
      marks,
    }));
    const shown = single ? [single] : bands.filter((band) => third === "all" || (band.common ?? "") in MOST_BANDS);
    const lines = (shown.length ? shown : bands.slice(0, 6)).flatMap((band, at) => {
      const colour = single ? "#101418" : ((third === "bands" && MOST_BANDS[band.common ?? ""]) || LINES[at % LINES.length]!);
      return line(band.common && third !== "all" ? band.common : band.name, band.name, colour);
    });
    const highest = Math.max(0.1, ...lines.flatMap((item) => item.values.filter((value, at) => item.clear[at] && Number.isFinite(value))));
    const range: [number, number] = [0, Math.ceil(10.5 * highest) / 10];
    all.push({ title: "", room: 112, range, times, lines, ghosts: single ? (ghosts.get(single.name) ?? []) : [], marks });
    return all;
  }, [editor, curves, ghosts, third, single, bands]);

  const boxes = useCallback((width: number, height: number, count: number): Box[] => Array.from({ length: count }, (_, at) => ({ x: (at * width) / count, y: 0, width: width / count, height })), []);

  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number, height: number) => {
      context.clearRect(0, 0, width, height);
      const all = charts();
      boxes(width, height, all.length).forEach((box, at) => drawChart(context, box, all[at]!));
    },
    [charts, boxes],
  );
  useCanvas(canvas, editor.frame, draw);
  useEffect(() => editor.frame.ask(), [editor, draw]);

  const point = editor.pinned ?? editor.cursor;
  const within = point && editor.inTask(point);
  const words = editor.pinned || editor.cursorMode ? charts().map(spoken).filter(Boolean).join(". ") : "";
  const click = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const all = charts();
    const places = boxes(box.width, box.height, all.length);
    const hit = places.map((each, at) => nearest(each, all[at]!.times, event.clientX - box.left, event.clientY - box.top)).find((date) => date !== null);
    if (hit !== undefined && hit !== null) editor.setDate(hit, event.timeStamp);
  };
  return (
    <section class="profile" aria-label="Spectral-time profile">
      <canvas ref={canvas} role="img" aria-label={words || "Profile of the pixel under the cursor"} onClick={click} title="Click: show that date. Hollow: cloudy. Dashed: means of the classes" />
      <p class="sr" ref={heard}>
        {words}
      </p>
      <span class="where quiet">
        {point ? (within ? `row ${within.row + 1}, column ${within.column + 1}` : "outside of the task") : "no pixel"}
        {editor.pinned ? " · pinned" : ""}
      </span>
      <select class="third" value={third} aria-label="Third chart (J)" title="J" data-action="chart" onChange={(event) => setThird(event.currentTarget.value)}>
        <option value="bands">Main bands</option>
        <option value="all">All bands</option>
        {bands.map((band) => (
          <option key={band.name} value={`band ${band.name}`}>
            {band.name} {band.common ?? ""}
          </option>
        ))}
      </select>
      {editor.pinned && <PinnedTable editor={editor} charts={charts()} />}
    </section>
  );
}

/** The pinned pixel's values as a table, for screen readers. */
function PinnedTable({ editor, charts }: { editor: Editor; charts: Chart[] }) {
  const times = editor.task?.cube.times ?? [];
  const lines = charts.flatMap((chart) => chart.lines);
  return (
    <table class="sr">
      <caption>Values of the pinned pixel</caption>
      <thead>
        <tr>
          <th>date</th>
          {lines.map((line) => (
            <th key={line.name}>{line.name}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {times.map((time, at) => (
          <tr key={at}>
            <th>{dateText(time)}</th>
            {lines.map((line) => (
              <td key={line.name}>
                {Number.isFinite(line.values[at]) ? line.values[at]!.toFixed(3) : "none"}
                {line.clear[at] ? "" : " (cloudy)"}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
