// Login, invitations and the own account.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api";
import { HttpError } from "../../../shared/http";

function said(error: unknown): string {
  if (error instanceof HttpError && error.status === 429) {
    return `Too many attempts: wait ${error.retryAfter ?? 60} seconds.`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** A form's state: what went wrong, and whether it is being sent. */
function useSending(send: () => Promise<void>) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await send();
    } catch (error) {
      setProblem(said(error));
    } finally {
      setBusy(false);
    }
  };
  return { problem, busy, submit, setProblem };
}

function Problem({ text }: { text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** Log in; over running work the person stays the same. */
export function Login({ api, name: known, onDone }: { api: Api; name?: string; onDone: () => void }) {
  const [name, setName] = useState(known ?? "");
  const [password, setPassword] = useState("");
  const { problem, busy, submit } = useSending(async () => {
    await api.login(name.trim(), password);
    onDone();
  });
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>(known === undefined ? "[name=name]" : "[name=password]")?.focus(), []);
  return (
    <form ref={form} class="card" onSubmit={submit} aria-label="Log in">
      <h1>landloom annotate</h1>
      {known && <p class="quiet">Your session has ended. Your work is kept in this browser: log in to go on.</p>}
      <label>
        Name
        <input name="name" autocomplete="username" required value={name} readOnly={known !== undefined} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" required value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </label>
      <button class="primary" disabled={busy}>
        {busy ? "…" : "Log in"}
      </button>
      <Problem text={problem} />
      {known === undefined && <a href="#/invite/">I have an invitation</a>}
    </form>
  );
}

function Passwords({ value, again, onValue, onAgain }: { value: string; again: string; onValue: (text: string) => void; onAgain: (text: string) => void }) {
  return (
    <>
      <label>
        New password
        <input name="new" type="password" autocomplete="new-password" required value={value} onInput={(event) => onValue(event.currentTarget.value)} />
      </label>
      <label>
        New password again
        <input name="again" type="password" autocomplete="new-password" required value={again} onInput={(event) => onAgain(event.currentTarget.value)} />
      </label>
    </>
  );
}

export function Accept({ api, token: given, onDone }: { api: Api; token: string; onDone: () => void }) {
  const [token, setToken] = useState(given);
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const { problem, busy, submit } = useSending(async () => {
    if (password !== again) throw new Error("The two passwords differ.");
    await api.post("invitations/accept", { token: token.trim(), password });
    onDone();
  });
  return (
    <form class="card" onSubmit={submit} aria-label="Accept the invitation">
      <h1>Welcome</h1>
      <p class="quiet">Choose a password for your account. This invitation works once.</p>
      {!given && (
        <label>
          Invitation
          <input name="token" required autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
        </label>
      )}
      <Passwords value={password} again={again} onValue={setPassword} onAgain={setAgain} />
      <button class="primary" disabled={busy}>
        Go on
      </button>
      <Problem text={problem} />
    </form>
  );
}

export function Account({ api, onLogout }: { api: Api; onLogout: () => void }) {
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [done, setDone] = useState(false);
  const { problem, busy, submit } = useSending(async () => {
    if (password !== again) throw new Error("The two passwords differ.");
    await api.post("password", { old, new: password });
    await api.whoami();
    setOld("");
    setPassword("");
    setAgain("");
    setDone(true);
  });
  return (
    <form class="card" onSubmit={submit} aria-label="Account">
      <h1>{api.me?.name}</h1>
      <p class="quiet">{(api.me?.roles ?? []).join(", ")}</p>
      <label>
        Password
        <input name="old" type="password" autocomplete="current-password" required value={old} onInput={(event) => setOld(event.currentTarget.value)} />
      </label>
      <Passwords value={password} again={again} onValue={setPassword} onAgain={setAgain} />
      <button class="primary" disabled={busy}>
        Change the password
      </button>
      {done && <p role="status">Changed. Other sessions of yours have ended.</p>}
      <Problem text={problem} />
      <hr />
      <button type="button" onClick={onLogout}>
        Log out
      </button>
    </form>
  );
}
