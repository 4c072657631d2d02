// Adjudication: a reviewer looks at the answers to a disputed task and decides.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { newId, type Api, type Campaign, type Profiles } from "../api";
import { bytesOf } from "../../../shared/http";
import { Cube } from "../cube";
import { Editor } from "../editor";
import { listen } from "../keys";
import { EditCanvas } from "../views/EditCanvas";
import { Multiples } from "../views/Multiples";
import { OverlayPanel, Palette, RenderingPanel } from "../views/Palette";
import { Profile } from "../views/Profile";
import { Toolbar } from "../views/Toolbar";
import { Ways } from "../views/TopBar";
import { PixelWords, useFocusBack } from "../views/Workplace";
import { Help } from "../views/dialogs";
import { percent } from "../views/text";
import { useWatched } from "../watch";
import type { Disputed, Opened } from "./types";

/** For each pixel the commonest label of the answers; the lowest code where several are. */
function majority(answers: Uint8Array[]): Uint8Array {
  const first = answers[0] ?? new Uint8Array();
  return first.map((_, place) => {
    const counts = new Map<number, number>();
    for (const answer of answers) counts.set(answer[place]!, (counts.get(answer[place]!) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]![0];
  });
}

export function Review({ api, campaign }: { api: Api; campaign: Campaign }) {
  const [tasks, setTasks] = useState<Disputed[] | null>(null);
  const [count, setCount] = useState(0);
  const [current, setCurrent] = useState<Opened | null>(null);
  const [comment, setComment] = useState("");
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState(0);
  const [help, setHelp] = useState(false);
  const [profiles, setProfiles] = useState<Profiles>({});
  const [began, setBegan] = useState(0);
  const [submission, setSubmission] = useState("");
  const editor = useMemo(() => new Editor(campaign), [campaign]);
  useWatched(editor);
  useFocusBack();

  const list = () =>
    api
      .get<{ tasks: Disputed[]; count: number }>("manage/adjudication")
      .then((found) => {
        setTasks(found.tasks);
        setCount(found.count);
      })
      .catch((error: Error) => setProblem(error.message));
  useEffect(() => {
    void list();
    void api
      .get<Profiles>("profiles")
      .then(setProfiles)
      .catch(() => undefined);
  }, [api]);

  const open = async (listed: Disputed) => {
    setProblem("");
    try {
      const task = await api.get<Opened>(`manage/adjudication/${encodeURIComponent(listed.task)}`);
      const cube = Cube.decode(task.window, await api.bytes(task.window.href));
      const answers = task.answers.map((answer) => bytesOf(answer.labels));
      const layers = answers.map((labels, place) => ({ name: `Answer ${place + 1}`, labels }));
      const labels = majority(answers);
      const guess = bytesOf(task.guess);
      editor.open({ key: task.task, chip: task.chip, place: task.place, cube, guess, labels, viewed: [], layers });
      setCurrent(task);
      setComment("");
      setBegan(Date.now());
      setSubmission(newId()); // one for the task: a decision that is sent again counts once
      requestAnimationFrame(() => document.querySelector<HTMLElement>("canvas.edit")?.focus({ preventScroll: true }));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  const decide = async () => {
    if (!current) return;
    if (editor.polygon.length) return editor.closePolygon();
    try {
      await api.adjudicate(current.task, submission, editor.mask, comment, (Date.now() - began) / 1_000);
      setDone((count) => count + 1);
      const left = (tasks ?? []).filter((task) => task.task !== current.task);
      setTasks(left);
      setCount((number) => number - 1);
      setCurrent(null);
      if (left[0]) await open(left[0]);
      else await list();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  useEffect(() => {
    editor.onSegmentsWanted = () => {
      const size = editor.segmentSize;
      if (!current) return;
      const href = current.window.href.replace(/window$/, "superpixels");
      void api
        .bytes(`${href}?size=${size}`)
        .then((bytes) => {
          if (editor.segmentSize !== size) return;
          editor.segments = new Uint16Array(bytes);
          editor.refresh();
        })
        .catch((error: Error) => setProblem(error.message));
    };
  }, [api, editor, current]);

  const acts = useRef({ decide });
  acts.current = { decide };
  useEffect(
    () =>
      listen({
        editor,
        tasks: null,
        open: (what) => (what === "help" ? setHelp(true) : document.querySelector<HTMLElement>(`[data-action="${what}"]`)?.focus()),
        submit: () => void acts.current.decide(),
        escape: () => {
          editor.polygon = [];
          editor.refresh();
          document.querySelector<HTMLElement>("canvas.edit")?.focus({ preventScroll: true });
        },
      }),
    [editor],
  );

  const unlabelled = editor.counts.get(0) ?? 0;
  return (
    <>
      <header class="top">
        <h1>{campaign.name}</h1>
        <span class="fact">
          Adjudication · <b data-disputed={tasks ? count : ""}>{tasks ? count : "…"}</b> to decide
          {tasks && count > tasks.length && ` (the ${tasks.length} most disputed are listed)`}
        </span>
        {done > 0 && (
          <span class="fact good" data-decided={done}>
            {done} decided
          </span>
        )}
        <button class="help" onClick={() => setHelp(true)}>
          Keys <kbd>?</kbd>
        </button>
        <Ways api={api} at="#/review" />
      </header>
      <main class="review">
        <nav class="queue" aria-label="Disputed tasks">
          {(tasks ?? []).map((task) => (
            <button key={task.task} aria-pressed={task.task === current?.task} onClick={() => void open(task)}>
              <b>{task.chip}</b>
              <span class="quiet">
                row {task.place.row}, column {task.place.column} · {percent(task.share)} disputed
              </span>
            </button>
          ))}
          {tasks?.length === 0 && <p class="quiet">Nothing is disputed.</p>}
          {problem && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
        </nav>
        {current ? (
          <div class="work" data-task={current.task}>
            <EditCanvas editor={editor} label="Edit canvas of a disputed task" />
          <Toolbar editor={editor} tasks={null} />
            <Multiples editor={editor} />
            <Profile editor={editor} profiles={profiles} />
            <aside class="right">
              <div class="scrolls">
                <Palette editor={editor} blind={false} />
                <OverlayPanel editor={editor} />
                {current.answers.some((answer) => answer.comment) && (
                  <ul class="comments">
                    {current.answers.map((answer, place) => answer.comment && <li key={place}>{`Answer ${place + 1}: ${answer.comment}`}</li>)}
                  </ul>
                )}
                <RenderingPanel editor={editor} />
                <section class="remarks">
                  <textarea rows={2} maxLength={1000} value={comment} data-action="comment" placeholder="Comment ( / )" aria-label="Comment (/)" onInput={(event) => setComment(event.currentTarget.value)} />
                </section>
              </div>
              <div class="hand">
                <p class="missing">{unlabelled ? `${unlabelled} pixels have no class yet` : ""}</p>
                <div class="buttons">
                  <button class="primary" disabled={unlabelled > 0} onClick={() => void decide()}>
                    Decide <kbd>Enter</kbd>
                  </button>
                </div>
              </div>
            </aside>
            <PixelWords editor={editor} />
          </div>
        ) : (
          <p class="alone quiet">{tasks?.length ? "Choose a task." : ""}</p>
        )}
      </main>
      {help && <Help instructions={campaign.instructions} onClose={() => setHelp(false)} />}
    </>
  );
}
