// The manager's page: how far the campaign is, who does it how well, and where people disagree.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api, Campaign } from "../api";
import { safeColours } from "../colours";
import { keepSettings, readSettings } from "../settings";
import { clockText, percent, whole } from "../views/text";
import { Ways } from "../views/TopBar";
import { Bar, Days, Interval, Matrix } from "./charts";
import { DisagreementMap } from "./DisagreementMap";
import { People } from "./People";
import type { Agreement, Annotators, Confusions, Disagreement, Progress, ShareDocument } from "./types";

const AGAIN = 15_000;

/** A document of the server, asked for again every few seconds. */
export function useDocument<T>(api: Api, path: string): { found: T | null; problem: string } {
  const [state, setState] = useState<{ path: string; found: T | null; problem: string }>({ path, found: null, problem: "" });
  useEffect(() => {
    let live = true;
    const ask = () =>
      api
        .get<T>(path)
        .then((found) => live && setState({ path, found, problem: "" }))
        .catch((error: Error) => live && setState((old) => ({ ...old, path, problem: error.message })));
    void ask();
    const timer = setInterval(() => !document.hidden && void ask(), AGAIN);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, [api, path]);
  return { found: state.found, problem: state.problem };
}

interface PanelProps {
  title: string;
  figures?: string[];
  problem?: string;
  wide?: boolean;
  children: ComponentChildren;
}

/** A part of the page, with its figures to download. */
export function Panel({ title, figures, problem, wide, children }: PanelProps) {
  return (
    <section class={wide ? "panel wide" : "panel"} aria-label={title}>
      <h2>
        {title}
        <span class="downloads">
          {(figures ?? []).flatMap((name) =>
            ["png", "csv"].map((kind) => (
              <a key={`${name}.${kind}`} href={`api/manage/figures/${name}.${kind}`} download={`${name}.${kind}`} title={`${name} as ${kind.toUpperCase()}`}>
                {(figures ?? []).length > 1 && kind === "png" ? `${name} ` : ""}
                {kind.toUpperCase()}
              </a>
            )),
          )}
        </span>
      </h2>
      {problem && <p class="problem">{problem}</p>}
      {children}
    </section>
  );
}

function Fact({ name, children, title }: { name: string; children: ComponentChildren; title?: string }) {
  return (
    <div class="number-fact" title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Summary({ progress }: { progress: Progress }) {
  const { totals, seconds, days } = progress;
  const recent = days.slice(-7);
  const rate = recent.length ? recent.reduce((sum, day) => sum + day.submissions, 0) / recent.length : 0;
  const left = Math.max(0, totals.needed - totals.submissions);
  return (
    <dl class="summary">
      <Fact name="tasks done">
        <b data-done={totals.done}>{whole(totals.done)}</b> of {whole(totals.tasks)} ({percent(totals.tasks ? totals.done / totals.tasks : 0)})
      </Fact>
      <Fact name="submissions">
        <b>{whole(totals.submissions)}</b> of {whole(totals.submissions + left)}
      </Fact>
      <Fact name="tasks begun">
        <b>{whole(totals.started)}</b>
      </Fact>
      <Fact name="surplus" title="Submissions after the lease had ended">
        <b>{whole(totals.surplus)}</b>
      </Fact>
      <Fact name="seconds a task (median)">
        <b>{seconds.median === null ? "–" : seconds.median.toFixed(1)}</b>
      </Fact>
      <Fact name="hours of work">
        <b>{(seconds.total / 3_600).toFixed(1)}</b>
      </Fact>
      <Fact name="a day, last week">
        <b>{rate.toFixed(0)}</b>
        {rate > 0 && left > 0 ? ` · ${Math.ceil(left / rate)} days to go` : ""}
      </Fact>
      <Fact name="flagged">
        <b>{whole(Array.isArray(progress.flagged) ? progress.flagged.length : progress.flagged)}</b>
      </Fact>
    </dl>
  );
}

function Chips({ progress }: { progress: Progress }) {
  return (
    <div class="tall">
      <table>
        <thead>
          <tr>
            <th scope="col">chip</th>
            <th scope="col">tasks done</th>
            <td />
            <th scope="col">submissions</th>
          </tr>
        </thead>
        <tbody>
          {progress.chips.map((chip) => (
            <tr key={chip.chip}>
              <th scope="row">{chip.chip}</th>
              <td class="number">
                {chip.done} / {chip.tasks}
              </td>
              <td class="stretch">
                <Bar share={chip.tasks ? chip.done / chip.tasks : 0} />
              </td>
              <td class="number">
                {chip.submissions} / {chip.needed}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Classes({ progress, colours }: { progress: Progress; colours: Map<number, string> }) {
  const [wage, setWage] = useState(readSettings().wage);
  const pixels = progress.classes.reduce((sum, row) => sum + row.pixels, 0);
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">class</th>
            <th scope="col">share</th>
            <td />
            <th scope="col">changed</th>
            <th scope="col">time</th>
            <th scope="col">cost</th>
          </tr>
        </thead>
        <tbody>
          {progress.classes.map((row) => (
            <tr key={row.code}>
              <th scope="row">{row.name}</th>
              <td class="number">{percent(pixels ? row.pixels / pixels : 0, 1)}</td>
              <td class="stretch">
                <Bar share={pixels ? row.pixels / pixels : 0} colour={colours.get(row.code)} />
              </td>
              <td class="number">{percent(row.pixels ? row.changed / row.pixels : null, 1)}</td>
              <td class="number">{clockText(row.seconds / 60)} h</td>
              <td class="number">{wage ? ((row.seconds / 3_600) * wage).toFixed(2) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="wage">
        Cost of an hour{" "}
        <input
          type="number"
          min={0}
          step={0.5}
          value={wage || ""}
          placeholder="0"
          onInput={(event) => {
            const value = Math.max(0, Number(event.currentTarget.value) || 0);
            setWage(value);
            keepSettings({ wage: value });
          }}
        />
        <span class="quiet"> The seconds of a submission are shared out to its classes by pixels.</span>
      </label>
    </>
  );
}

function ShareCell({ share, digits = 1, interval = false }: { share: ShareDocument | null | undefined; digits?: number; interval?: boolean }) {
  if (!share || share.value === null) return <td class="number">–</td>;
  const words = share.low === null ? "" : `95 % interval ${percent(share.low, 1)} to ${percent(share.high, 1)}; ${whole(share.pixels)} pixels`;
  return (
    <td class="number" title={words}>
      {percent(share.value, digits)}
      {interval && share.low !== null && share.high !== null && (
        <span class="quiet">
          {" "}
          ({(100 * share.low).toFixed(1)}–{(100 * share.high).toFixed(1)})
        </span>
      )}
    </td>
  );
}

function Scores({ annotators, chosen, onChoose }: { annotators: Annotators; chosen: string | null; onChoose: (name: string | null) => void }) {
  return (
    <table class="scores">
      <thead>
        <tr>
          <th scope="col">annotator</th>
          <th scope="col">trust</th>
          <th scope="col">submissions</th>
          <th scope="col">s a task</th>
          <th scope="col">accuracy on reference tasks (95 % interval)</th>
          <td />
          <th scope="col">reference tasks</th>
          <th scope="col">edited</th>
          <th scope="col" title="How often a planted wrong guess was accepted">
            planted accepted
          </th>
          <th scope="col" title="How often any wrong guess was accepted">
            copy rate
          </th>
        </tr>
      </thead>
      <tbody>
        {annotators.annotators.map((row) => {
          const accuracy = row.score?.accuracy ?? null;
          return (
            <tr key={row.name} class={row.name === chosen ? "on" : ""}>
              <th scope="row">
                <button aria-pressed={row.name === chosen} title="Show this annotator’s confusion matrix" onClick={() => onChoose(row.name === chosen ? null : row.name)}>
                  {row.name}
                </button>
              </th>
              <td>
                <span class={`trust ${row.trust}`}>{row.trust}</span>
              </td>
              <td class="number">{whole(row.submissions)}</td>
              <td class="number">{row.seconds.median === null ? "–" : row.seconds.median.toFixed(1)}</td>
              <ShareCell share={accuracy} interval />
              <td>{accuracy?.value != null && <Interval value={accuracy.value} low={accuracy.low} high={accuracy.high} />}</td>
              <td class="number">{whole(accuracy?.tasks ?? (row.score ? Object.keys(row.score.by_task).length : null))}</td>
              <td class="number">{percent(row.edit_rate, 1)}</td>
              <ShareCell share={row.score?.planted_accepted} />
              <td class="number">{percent(row.score?.copy_rate, 1)}</td>
            </tr>
          );
        })}
        {!annotators.annotators.length && (
          <tr>
            <td colSpan={10} class="quiet">
              Nobody has annotated yet.
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function AgreementTable({ agreement, names }: { agreement: Agreement; names: Map<number, string> }) {
  return (
    <>
      <dl class="summary">
        <Fact name="Krippendorff α">
          <b>{agreement.krippendorff_alpha?.toFixed(3) ?? "–"}</b>
        </Fact>
        <Fact name="Fleiss κ">
          <b>{agreement.fleiss_kappa?.toFixed(3) ?? "–"}</b>
        </Fact>
        <Fact name="unanimous">
          <b>{percent(agreement.unanimous, 1)}</b>
        </Fact>
        <Fact name="pixels">
          <b>{whole(agreement.pixels)}</b>
        </Fact>
        {agreement.experts.agreement !== null && (
          <Fact name={`two experts, ${whole(agreement.experts.tasks)} reference ${agreement.experts.tasks === 1 ? "task" : "tasks"}`}>
            <b>{percent(agreement.experts.agreement, 1)}</b>
          </Fact>
        )}
      </dl>
      <div class="twice">
        <table>
          <thead>
            <tr>
              <th scope="col">class</th>
              <th scope="col">α</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {Object.entries(agreement.by_class).map(([code, value]) => (
              <tr key={code}>
                <th scope="row">{names.get(Number(code)) ?? code}</th>
                <td class="number">{value?.toFixed(2) ?? "–"}</td>
                <td class="stretch">
                  <Bar share={value ?? 0} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <table>
          <thead>
            <tr>
              <th scope="col">pair</th>
              <th scope="col">κ</th>
              <th scope="col">pixels</th>
            </tr>
          </thead>
          <tbody>
            {agreement.pairs.slice(0, 20).map((pair) => (
              <tr key={pair.annotators.join()}>
                <th scope="row">{pair.annotators.join(" · ")}</th>
                <td class="number">{pair.kappa?.toFixed(2) ?? "–"}</td>
                <td class="number">{whole(pair.pixels)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function Manage({ api, campaign }: { api: Api; campaign: Campaign }) {
  const colours = useMemo(() => safeColours(campaign.classes), [campaign]);
  const names = useMemo(() => new Map(campaign.classes.map((item) => [item.code, item.name])), [campaign]);
  const [chosen, setChosen] = useState<string | null>(null);
  const progress = useDocument<Progress>(api, "manage/progress");
  const annotators = useDocument<Annotators>(api, "manage/annotators");
  const confusions = useDocument<Confusions>(api, `manage/confusions${chosen === null ? "" : `?annotator=${encodeURIComponent(chosen)}`}`);
  const agreement = useDocument<Agreement>(api, "manage/agreement");
  const disagreement = useDocument<Disagreement>(api, "manage/disagreement");
  return (
    <>
      <header class="top">
        <h1>{campaign.name}</h1>
        <Ways api={api} at="#/manage" />
      </header>
      <main class="manage">
        <Panel title="Progress" figures={["progress"]} problem={progress.problem} wide>
          {progress.found && <Summary progress={progress.found} />}
        </Panel>
        <Panel title="Chips">{progress.found && <Chips progress={progress.found} />}</Panel>
        <Panel title="Classes and cost" figures={["classes"]}>
          {progress.found && <Classes progress={progress.found} colours={colours} />}
        </Panel>
        <Panel title="Agreement" figures={["agreement"]} problem={agreement.problem}>
          {agreement.found && <AgreementTable agreement={agreement.found} names={names} />}
        </Panel>
        <Panel title="Annotators" figures={["annotators", "edits"]} problem={annotators.problem} wide>
          {annotators.found && <Scores annotators={annotators.found} chosen={chosen} onChoose={setChosen} />}
        </Panel>
        <Panel title={chosen === null ? "Confusion on reference tasks" : `Confusion on reference tasks: ${chosen}`} figures={["confusions"]} problem={confusions.problem}>
          {confusions.found && <Matrix codes={confusions.found.codes} names={names} colours={colours} matrix={confusions.found.matrix} />}
        </Panel>
        <Panel title="Disagreement map" figures={["disagreement"]} problem={disagreement.problem}>
          {disagreement.found && <DisagreementMap disagreement={disagreement.found} />}
        </Panel>
        <Panel title="Throughput" figures={["throughput", "seconds"]}>
          {progress.found && <Days days={progress.found.days} />}
        </Panel>
        <Panel title="People">
          <People api={api} />
        </Panel>
      </main>
    </>
  );
}
