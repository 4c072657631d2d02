// Filters are text that people read and change; these functions change it the way a person would.

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column as filters name it: keys of label products may hold hyphens. */
export function named(column: string): string {
  return /^[A-Za-z_]\w*$/.test(column) ? column : `"${column}"`;
}

const TOKEN = /'(?:[^']|'')*'|"[^"]*"|[()]|[A-Za-z_]\w*|\s+|[^]/g;

/** The conditions that all have to hold, in order; a text with OR outside of parentheses is one. */
export function conditions(text: string): string[] {
  const parts = [""];
  let [depth, between] = [0, false];
  for (const [token] of text.matchAll(TOKEN)) {
    const word = depth === 0 ? token.toUpperCase() : "";
    depth += token === "(" ? 1 : token === ")" ? -1 : 0;
    if (word === "OR") return [text.trim()];
    if (word === "AND" && !between) parts.push("");
    else parts[parts.length - 1] += token;
    if (word === "BETWEEN") between = true;
    else if (word === "AND") between = false;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

export function joined(parts: string[]): string {
  if (parts.length < 2) return parts[0] ?? "";
  const closed = (part: string) => (hasOr(part) ? `(${part})` : part);
  return parts.map(closed).join(" AND ");
}

function hasOr(part: string): boolean {
  let depth = 0;
  for (const [token] of part.matchAll(TOKEN)) {
    if (depth === 0 && token.toUpperCase() === "OR") return true;
    depth += token === "(" ? 1 : token === ")" ? -1 : 0;
  }
  return false;
}

export interface Comparison {
  column: string;
  sign: string;
  value: number;
}

/** A condition that compares one column with a number. */
export function comparison(part: string): Comparison | null {
  const match = /^(?:"([^"]+)"|([A-Za-z_]\w*))\s*(>=|<=|=|>|<)\s*(\d*\.?\d+)$/.exec(part);
  return match ? { column: match[1] ?? match[2]!, sign: match[3]!, value: Number(match[4]) } : null;
}

/** The text with one more condition: none stands there twice, and a new limit takes the place of the old one. */
export function added(text: string, condition: string): string {
  const parts = conditions(text);
  const own = comparison(condition);
  const same = (part: string) => {
    const other = comparison(part);
    return part === condition || (own !== null && other !== null && own.column === other.column && own.sign[0] === other.sign[0]);
  };
  const place = parts.findIndex(same);
  return joined(place < 0 ? [...parts, condition] : parts.map((part, number) => (number === place ? condition : part)));
}

/** The text without one of its conditions. */
export function without(text: string, place: number): string {
  return joined(conditions(text).filter((_, number) => number !== place));
}

function place(parts: string[], name: string): number {
  return parts.findIndex((part) => new RegExp(`^${name}\\s+IN\\s*\\([^()]*\\)$`, "i").test(part));
}

/** Values of `name IN (…)` in the text. */
export function listed(text: string, name: string): string[] {
  const parts = conditions(text);
  const own = parts[place(parts, name)] ?? "";
  return [...own.matchAll(/'((?:[^']|'')*)'/g)].map((item) => (item[1] ?? "").replaceAll("''", "'"));
}

/** The text with a value of `name IN (…)` put in or taken out. */
export function toggled(text: string, name: string, value: string): string {
  const [old, parts] = [listed(text, name), conditions(text)];
  const values = old.includes(value) ? old.filter((item) => item !== value) : [...old, value];
  const clause = values.length ? [`${name} IN (${values.map(quoted).join(", ")})`] : [];
  const at = place(parts, name);
  return joined(at < 0 ? [...parts, ...clause] : [...parts.slice(0, at), ...clause, ...parts.slice(at + 1)]);
}
