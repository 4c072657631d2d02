// The bar at the top: which task, how long its lease lasts, what is saved, and the ways to other pages.

import type { Api, Campaign } from "../api";
import type { Outbox } from "../outbox";
import type { Tasks } from "../tasks";
import { useWatched } from "../watch";
import { clockText } from "./text";

/** Seconds of a lease below which the countdown warns. */
const SHORT = 120;

function savedText(tasks: Tasks): [string, string] {
  switch (tasks.saved) {
    case "server":
      return ["Draft saved", "good"];
    case "here":
    case "saving":
      return ["Draft saved in this browser", ""];
    case "not kept":
      return ["This browser keeps no draft", "warn"];
    default:
      return ["No changes", ""];
  }
}

export interface Rights {
  labels: boolean;
  manages: boolean;
  reviews: boolean;
}

/** Which pages a person may see; the server decides again at each request. */
export function rightsOf(api: Api): Rights {
  const roles = new Set(api.me?.roles ?? []);
  const manages = roles.has("manager") || roles.has("admin");
  return { labels: roles.has("annotator") || roles.has("expert"), manages, reviews: manages || roles.has("reviewer") };
}

export function Ways({ api, at }: { api: Api; at: string }) {
  const { labels, manages, reviews } = rightsOf(api);
  const ways: [string, string, boolean][] = [
    ["#/", "Tasks", labels],
    ["#/manage", "Progress", manages],
    ["#/review", "Adjudication", reviews],
    ["#/account", api.me?.name ?? "Account", true],
  ];
  return (
    <nav>
      {ways
        .filter(([, , shown]) => shown)
        .map(([href, title]) => (
          <a key={href} href={href} aria-current={href === at ? "page" : undefined}>
            {title}
          </a>
        ))}
    </nav>
  );
}

interface TopBarProps {
  api: Api;
  campaign: Campaign;
  tasks: Tasks;
  outbox: Outbox;
  onHelp: () => void;
}

export function TopBar({ api, campaign, tasks, outbox, onHelp }: TopBarProps) {
  useWatched(outbox);
  const { current } = tasks;
  const waiting = outbox.pending.length;
  const refused = outbox.waiting.filter((item) => item.refused);
  const [text, kind] = savedText(tasks);
  return (
    <header class="top">
      <h1>{campaign.name}</h1>
      {current && (
        <>
          <span class="fact">
            {current.assignment.qualification && <b class="badge">Qualification</b>} Task <b>{tasks.number}</b> of this session
          </span>
          <span class={tasks.remaining < SHORT ? "fact warn" : "fact"} title="Until the task may go to somebody else; work prolongs it" data-lease={tasks.remaining}>
            Lease <b class="number">{clockText(tasks.remaining)}</b>
          </span>
          <span class={`fact ${kind}`} data-saved={tasks.saved}>
            {text}
          </span>
        </>
      )}
      <span class={waiting ? "fact warn" : "fact"} data-waiting={waiting} data-sent={outbox.sent} role="status">
        {waiting ? `${waiting} to be sent` : outbox.sent ? `${outbox.sent} submitted` : ""}
      </span>
      {refused.length > 0 && (
        <details class="refused">
          <summary class="warn">{refused.length} refused</summary>
          <ul>
            {refused.map((item) => (
              <li key={item.id}>
                {item.refused} <button onClick={() => void outbox.forget(item.id)}>Forget</button>
              </li>
            ))}
          </ul>
        </details>
      )}
      <button class="help" title="All keys (?)" onClick={onHelp}>
        Keys <kbd>?</kbd>
      </button>
      <Ways api={api} at="#/" />
    </header>
  );
}
