// Indices as arithmetic over bands, such as `(nir - red) / (nir + red)`: parsed and computed, never evaluated as code.

import type { Band } from "./api";

/** A number for each pixel, or one for all. */
export type Values = Float32Array | number;

export type Node =
  | { kind: "number"; value: number }
  | { kind: "band"; place: number }
  | { kind: "call"; of: (...values: number[]) => number; parts: Node[] };

export class ExpressionError extends Error {}

const LONGEST = 300;
const FUNCTIONS: Record<string, { count: number; of: (...values: number[]) => number }> = {
  abs: { count: 1, of: Math.abs },
  sqrt: { count: 1, of: Math.sqrt },
  log: { count: 1, of: Math.log },
  exp: { count: 1, of: Math.exp },
  min: { count: 2, of: Math.min },
  max: { count: 2, of: Math.max },
  nd: { count: 2, of: (a, b) => ((a ?? 0) - (b ?? 0)) / ((a ?? 0) + (b ?? 0)) },
};
const OPERATIONS: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};

function tokens(text: string): string[] {
  const found: string[] = [];
  const pattern = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/^(),]))/y;
  while (pattern.lastIndex < text.trimEnd().length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new ExpressionError(`cannot read “${text.slice(start).trim().slice(0, 12)}”`);
    found.push(match[0].trim());
  }
  return found;
}

class Parser {
  private at = 0;
  constructor(
    private readonly words: string[],
    private readonly places: Map<string, number>,
  ) {}

  whole(): Node {
    const node = this.sum();
    if (this.at < this.words.length) throw new ExpressionError(`got “${this.words[this.at]}”, expected an operator`);
    return node;
  }

  private take(...wanted: string[]): string | null {
    const word = this.words[this.at];
    if (word === undefined || !wanted.includes(word)) return null;
    this.at++;
    return word;
  }

  private chain(signs: string[], next: () => Node): Node {
    let left = next();
    for (let sign = this.take(...signs); sign; sign = this.take(...signs)) {
      left = { kind: "call", of: OPERATIONS[sign] as (...values: number[]) => number, parts: [left, next()] };
    }
    return left;
  }

  private sum(): Node {
    return this.chain(["+", "-"], () => this.chain(["*", "/"], () => this.unary()));
  }

  private unary(): Node {
    if (this.take("-")) return { kind: "call", of: (value) => -(value ?? 0), parts: [this.unary()] };
    const base = this.atom();
    if (!this.take("^")) return base;
    return { kind: "call", of: OPERATIONS["^"] as (...values: number[]) => number, parts: [base, this.unary()] };
  }

  private atom(): Node {
    const word = this.words[this.at++];
    if (word === undefined) throw new ExpressionError("the expression ends too early");
    if (word === "(") return this.closed(this.sum());
    if (/^[\d.]/.test(word)) return { kind: "number", value: Number(word) };
    if (!/^[A-Za-z_]/.test(word)) throw new ExpressionError(`got “${word}”, expected a band, a number or “(”`);
    if (this.take("(")) return this.call(word);
    const place = this.places.get(word.toLowerCase());
    if (place === undefined) throw new ExpressionError(`no band “${word}”; there are ${[...this.places.keys()].join(", ")}`);
    return { kind: "band", place };
  }

  private closed(node: Node): Node {
    if (!this.take(")")) throw new ExpressionError("a “)” is missing");
    return node;
  }

  private call(name: string): Node {
    const known = Object.hasOwn(FUNCTIONS, name.toLowerCase()) ? FUNCTIONS[name.toLowerCase()] : undefined;
    if (!known) throw new ExpressionError(`no function “${name}”; there are ${Object.keys(FUNCTIONS).join(", ")}`);
    const parts = [this.sum()];
    while (this.take(",")) parts.push(this.sum());
    if (parts.length !== known.count) throw new ExpressionError(`${name} takes ${known.count} values, got ${parts.length}`);
    return this.closed({ kind: "call", of: known.of, parts });
  }
}

/** Places of bands under every name that they have, in small letters. */
export function bandPlaces(names: string[], bands: Band[]): Map<string, number> {
  const places = new Map<string, number>();
  names.forEach((name, place) => {
    places.set(name.toLowerCase(), place);
    const common = bands.find((band) => band.name === name)?.common?.toLowerCase();
    if (common && !places.has(common)) places.set(common, place);
  });
  return places;
}

/** Parse an expression; throws an `ExpressionError` that says what is wrong. */
export function parse(text: string, places: Map<string, number>): Node {
  if (text.length > LONGEST) throw new ExpressionError(`got ${text.length} characters, expected at most ${LONGEST}`);
  return new Parser(tokens(text), places).whole();
}

/** Compute a node for every pixel; `band` gives reflectance (1 is white). */
export function compute(node: Node, band: (place: number) => Float32Array): Values {
  if (node.kind === "number") return node.value;
  if (node.kind === "band") return band(node.place);
  const parts = node.parts.map((part) => compute(part, band));
  const size = parts.find((part) => typeof part !== "number")?.length;
  const [a, b] = parts;
  if (size === undefined) return node.of(...(parts as number[]));
  const answer = new Float32Array(size);
  if (b === undefined) for (let i = 0; i < size; i++) answer[i] = node.of((a as Float32Array)[i]!);
  else if (!quick(node.of, spread(a!, size), spread(b, size), answer)) {
    for (let i = 0; i < size; i++) answer[i] = node.of(typeof a === "number" ? a : a![i]!, typeof b === "number" ? b : b[i]!);
  }
  return answer;
}

function spread(values: Values, size: number): Float32Array {
  return typeof values === "number" ? new Float32Array(size).fill(values) : values;
}

/** The commonest operations as plain loops, many times faster than a call for each pixel. */
function quick(of: unknown, a: Float32Array, b: Float32Array, into: Float32Array): boolean {
  if (of === OPERATIONS["+"]) for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!;
  else if (of === OPERATIONS["-"]) for (let i = 0; i < into.length; i++) into[i] = a[i]! - b[i]!;
  else if (of === OPERATIONS["*"]) for (let i = 0; i < into.length; i++) into[i] = a[i]! * b[i]!;
  else if (of === OPERATIONS["/"]) for (let i = 0; i < into.length; i++) into[i] = a[i]! / b[i]!;
  else if (of === FUNCTIONS["nd"]!.of) for (let i = 0; i < into.length; i++) into[i] = (a[i]! - b[i]!) / (a[i]! + b[i]!);
  else return false;
  return true;
}
