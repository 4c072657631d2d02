// Small figures of the manager's page; SVG attributes alone, so that they live under a strict policy.

import { inkOn } from "../colours";
import { percent } from "../views/text";

export function Bar({ share, colour, title }: { share: number; colour?: string; title?: string }) {
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={title ?? percent(share)}>
      <rect width="100" height="8" fill="#eef1f4" />
      <rect width={100 * Math.max(0, Math.min(1, share))} height="8" fill={colour ?? "#1f6f5c"} />
    </svg>
  );
}

/** A share with its interval between 0 and 1. */
export function Interval({ value, low, high }: { value: number; low: number | null; high: number | null }) {
  return (
    <svg class="interval" viewBox="0 0 120 14" role="img" aria-label={`${percent(value, 1)}, interval ${percent(low, 1)} to ${percent(high, 1)}`}>
      <line x1="0" x2="120" y1="7" y2="7" stroke="#dde3e8" />
      {low !== null && high !== null && <line x1={120 * low} x2={120 * high} y1="7" y2="7" stroke="#1f6f5c" stroke-width="3" />}
      <circle cx={120 * value} cy="7" r="4" fill="#1f6f5c" />
    </svg>
  );
}

export interface Day {
  date: string;
  submissions: number;
  seconds: number;
}

export function Days({ days }: { days: Day[] }) {
  const shown = days.slice(-45);
  const most = Math.max(1, ...shown.map((day) => day.submissions));
  const step = 560 / Math.max(shown.length, 12);
  return (
    <svg class="days" viewBox="0 0 600 150" role="img" aria-label={`Submissions a day, at most ${most}`}>
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <line x1="36" x2="600" y1={120 - 105 * part} y2={120 - 105 * part} stroke="#e7ebee" />
          <text x="30" y={124 - 105 * part} text-anchor="end">
            {Math.round(most * part)}
          </text>
        </g>
      ))}
      {shown.map((day, place) => (
        <g key={day.date}>
          <title>{`${day.date}: ${day.submissions} submissions, ${Math.round(day.seconds)} s`}</title>
          <rect x={38 + place * step} y={120 - (105 * day.submissions) / most} width={Math.max(1, step - 3)} height={(105 * day.submissions) / most} fill="#1f6f5c" />
          {place % Math.ceil(shown.length / 8) === 0 && (
            <text x={38 + place * step + (step - 3) / 2} y="138" text-anchor="middle">
              {day.date.slice(5)}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

interface MatrixProps {
  codes: number[];
  names: Map<number, string>;
  colours: Map<number, string>;
  matrix: number[][];
}

function Code({ code, colours }: { code: number; colours: Map<number, string> }) {
  const colour = colours.get(code) ?? "#888888";
  return <kbd style={{ background: colour, color: inkOn(colour) }}>{code}</kbd>;
}

/** A confusion matrix: rows are the reference, columns the answer; shade is the share of the row. */
export function Matrix({ codes, names, colours, matrix }: MatrixProps) {
  return (
    <table class="matrix">
      <caption>rows: reference · columns: answer · % of the row</caption>
      <thead>
        <tr>
          <td />
          {codes.map((code) => (
            <th key={code} scope="col" title={names.get(code)} aria-label={names.get(code)}>
              <Code code={code} colours={colours} />
            </th>
          ))}
          <th scope="col">pixels</th>
        </tr>
      </thead>
      <tbody>
        {codes.map((code, row) => {
          const counts = matrix[row] ?? [];
          const sum = counts.reduce((total, count) => total + count, 0);
          return (
            <tr key={code}>
              <th scope="row" title={names.get(code)}>
                <Code code={code} colours={colours} /> {names.get(code) ?? code}
              </th>
              {codes.map((other, column) => {
                const share = sum ? (counts[column] ?? 0) / sum : 0;
                // Never so dark that the number could not be read.
                const colour = row === column ? `rgba(31, 111, 92, ${0.7 * share})` : `rgba(213, 94, 0, ${Math.min(0.8, 1.6 * share)})`;
                return (
                  <td key={other} style={{ background: colour }} title={`${counts[column] ?? 0} pixels`}>
                    {sum ? (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0) : "–"}
                  </td>
                );
              })}
              <td class="number">{sum.toLocaleString("en")}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
