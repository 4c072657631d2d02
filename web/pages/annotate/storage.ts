// What is kept in this browser until the server has it: drafts and submissions, in IndexedDB.

import type { SubmissionBody } from "./api";
import type { Strokes } from "./mask";

export interface Draft {
  /** The person and the assignment. */
  key: string;
  labels: Uint8Array;
  /** Version of the server's draft that this one continues. */
  version: number;
  /** Whether the server has it. */
  saved: boolean;
  seconds: number;
  viewed: number[];
  flagged: boolean;
  comment: string;
  /** What can still be taken back, so that undo outlives the page. */
  strokes?: Strokes | undefined;
}

export interface Waiting {
  /** The submission's own id, made here. */
  id: string;
  user: string;
  assignment: string;
  chip: string;
  body: SubmissionBody;
  made: number;
  /** Why the server refuses it for good; empty while it is to be sent. */
  refused: string;
}

const NAME = "landloom-annotate";
const STORES = { drafts: "key", outbox: "id" } as const;
type Store = keyof typeof STORES;

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser keeps nothing"));
  });
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  if (!opened) {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) request.result.createObjectStore(store, { keyPath });
    };
    opened = settled(request);
    opened.catch(() => (opened = null));
  }
  return opened;
}

async function store(name: Store, mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await database()).transaction(name, mode, { durability: "strict" }).objectStore(name);
}

/** Keep a value; resolves once it is on the disk. */
async function put(name: Store, value: Draft | Waiting): Promise<void> {
  const place = await store(name, "readwrite");
  await new Promise<void>((resolve, reject) => {
    place.transaction.oncomplete = () => resolve();
    place.transaction.onerror = place.transaction.onabort = () => reject(place.transaction.error ?? new Error("the browser keeps nothing"));
    place.put(value);
  });
}

async function remove(name: Store, key: string): Promise<void> {
  await settled((await store(name, "readwrite")).delete(key));
}

export const drafts = {
  get: async (key: string): Promise<Draft | undefined> => settled((await store("drafts", "readonly")).get(key) as IDBRequest<Draft | undefined>),
  put: (draft: Draft): Promise<void> => put("drafts", draft),
  remove: (key: string): Promise<void> => remove("drafts", key),
};

export const outbox = {
  all: async (): Promise<Waiting[]> => settled((await store("outbox", "readonly")).getAll() as IDBRequest<Waiting[]>),
  put: (waiting: Waiting): Promise<void> => put("outbox", waiting),
  remove: (id: string): Promise<void> => remove("outbox", id),
};
