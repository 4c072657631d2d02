// Requests to the page's own server, and the errors that it answers with.

/** An answer that is not a success; `status` is 0 where no answer came at all. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "HttpError";
  }
}

/** Seconds that a server asks to wait. */
function pause(answer: Response): number | null {
  const stated = Number(answer.headers.get("Retry-After") ?? "");
  return stated > 0 ? stated : null;
}

export async function fetched(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new HttpError(0, "the server cannot be reached");
  }
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as { description?: string };
    throw new HttpError(answer.status, problem.description ?? `${answer.status} ${answer.statusText}`, pause(answer));
  }
  return answer;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await fetched(path, { signal })).json() as Promise<T>;
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
