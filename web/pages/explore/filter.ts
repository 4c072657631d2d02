// Filters are text that people read and change; these functions change it the way a person would.

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column as filters name it: keys of label products may hold hyphens. */
export function named(column: string): string {
  return /^[A-Za-z_]\w*$/.test(column) ? column : `"${column}"`;
}

/** The text with one more condition. */
export function added(text: string, condition: string): string {
  const old = text.trim();
  if (!old) return condition;
  return /\bOR\b/i.test(old) ? `(${old}) AND ${condition}` : `${old} AND ${condition}`;
}

/** Values of `name IN (…)` in the text. */
export function listed(text: string, name: string): string[] {
  const match = new RegExp(`\\b${name}\\s+IN\\s*\\(([^)]*)\\)`, "i").exec(text);
  return [...(match?.[1] ?? "").matchAll(/'((?:[^']|'')*)'/g)].map((item) => (item[1] ?? "").replaceAll("''", "'"));
}

/** The text with a value of `name IN (…)` put in or taken out. */
export function toggled(text: string, name: string, value: string): string {
  const old = listed(text, name);
  const values = old.includes(value) ? old.filter((item) => item !== value) : [...old, value];
  const clause = values.length ? `${name} IN (${values.map(quoted).join(", ")})` : "";
  const pattern = `${name}\\s+IN\\s*\\([^)]*\\)`;
  if (!new RegExp(pattern, "i").test(text)) return clause ? added(text, clause) : text;
  if (clause) return text.replace(new RegExp(pattern, "i"), () => clause);
  return text
    .replace(new RegExp(`\\s+AND\\s+${pattern}|${pattern}\\s+AND\\s+|${pattern}`, "i"), "")
    .replace(/^\((.*)\)$/s, (whole, inner: string) => (/[()]/.test(inner) ? whole : inner))
    .trim();
}
