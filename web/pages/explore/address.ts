// The address holds what the page shows, so that a link opens as it was, and so that "back" goes back.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

const NAMES = {
  filter: "filter",
  box: "box",
  view: "view",
  sample: "sample",
  product: "product",
  step: "date",
  beside: "beside",
  only: "only",
  bands: "bands",
  colour: "colour",
  show: "show",
  sort: "sort",
  splitSet: "split_set",
  labels: "labels",
} as const;

/** Everything is text; empty is what the page chooses itself. */
export type Address = Record<keyof typeof NAMES, string>;
export type Go = (patch: Partial<Address>) => void;

/** A change of these alone replaces the address: "back" does not step through every move of the map. */
const PASSING = new Set(["view", "box", "step", "beside"]);
const KEYS = Object.keys(NAMES) as (keyof Address)[];

export function parsed(hash: string): Address {
  const stated = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.fromEntries(KEYS.map((key) => [key, stated.get(NAMES[key]) ?? ""])) as Address;
}

/** Names in an address that mean nothing here. */
export function strange(hash: string): string[] {
  const known = new Set<string>(Object.values(NAMES));
  return [...new URLSearchParams(hash.replace(/^#/, "")).keys()].filter((name) => !known.has(name));
}

export function written(address: Address): string {
  const stated = new URLSearchParams();
  for (const key of KEYS) if (address[key]) stated.set(NAMES[key], address[key]);
  // Commas and colons stay readable.
  return stated.size ? `#${stated.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}` : "";
}

/** The address, and how to change it. */
export function useAddress(): { address: Address; go: Go } {
  const [address, setAddress] = useState(() => parsed(location.hash));
  const latest = useRef(address);
  useEffect(() => {
    const heard = () => {
      latest.current = parsed(location.hash);
      setAddress(latest.current);
    };
    addEventListener("popstate", heard);
    addEventListener("hashchange", heard);
    return () => {
      removeEventListener("popstate", heard);
      removeEventListener("hashchange", heard);
    };
  }, []);
  const go = useMemo<Go>(
    () => (patch) => {
      const changed = (Object.keys(patch) as (keyof Address)[]).filter((key) => patch[key] !== latest.current[key]);
      if (!changed.length) return;
      latest.current = { ...latest.current, ...patch };
      const place = written(latest.current) || location.pathname + location.search;
      if (changed.every((key) => PASSING.has(key))) history.replaceState(null, "", place);
      else history.pushState(null, "", place);
      setAddress(latest.current);
    },
    [],
  );
  return { address, go };
}
