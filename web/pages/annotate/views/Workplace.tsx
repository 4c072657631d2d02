// The page on which tasks are done.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api, Campaign, Profiles } from "../api";
import { Editor } from "../editor";
import type { Page } from "../keys";
import { listen } from "../keys";
import { Outbox } from "../outbox";
import { Tasks } from "../tasks";
import { useWatched } from "../watch";
import { EditCanvas } from "./EditCanvas";
import { Multiples } from "./Multiples";
import { OverlayPanel, Palette, RenderingPanel } from "./Palette";
import { Profile } from "./Profile";
import { Toolbar } from "./Toolbar";
import { FeedbackDialog, Help, Skip } from "./dialogs";
import { TopBar } from "./TopBar";

type Opened = "" | "help" | "skip";

/** What a screen reader says of the pixel under the keyboard cursor. */
export function PixelWords({ editor }: { editor: Editor }) {
  useWatched(editor);
  const at = editor.cursor && editor.inTask(editor.cursor);
  const task = editor.task;
  const name = (code: number | undefined) => editor.classes.find((item) => item.code === code)?.name ?? "no class";
  const place = at && task ? at.row * task.place.width + at.column : -1;
  return (
    <p id="pixel" class="sr" aria-live={editor.cursorMode ? "polite" : "off"}>
      {at && task ? `Row ${at.row + 1}, column ${at.column + 1}: ${name(editor.mask[place])}; guess: ${name(task.guess[place])}.` : "No pixel under the cursor."}
    </p>
  );
}

/** Focus on the canvas after a click of the mouse, so that keys work on. */
export function useFocusBack(): void {
  useEffect(() => {
    const back = (event: Event) => {
      const { target } = event;
      if (!(target instanceof HTMLElement) || target.closest("dialog, form, .remarks")) return;
      const mouse = event instanceof MouseEvent && event.detail > 0 && target.closest("button");
      if (mouse || (event.type === "change" && target instanceof HTMLSelectElement)) document.querySelector<HTMLElement>("canvas.edit")?.focus({ preventScroll: true });
    };
    addEventListener("click", back);
    addEventListener("change", back);
    return () => {
      removeEventListener("click", back);
      removeEventListener("change", back);
    };
  }, []);
}

export function Workplace({ api, campaign }: { api: Api; campaign: Campaign }) {
  const user = api.me!.name;
  const { editor, outbox, tasks } = useMemo(() => {
    const made = new Editor(campaign);
    const box = new Outbox(api, user);
    return { editor: made, outbox: box, tasks: new Tasks(api, campaign, made, box, user) };
  }, [api, campaign, user]);
  useWatched(tasks);
  const [opened, setOpened] = useState<Opened>("");
  const [profiles, setProfiles] = useState<Profiles>({});
  const chosen = useRef(setOpened);
  chosen.current = setOpened;
  useFocusBack();

  useEffect(() => {
    void outbox.start().then(() => tasks.start());
    void api
      .get<Profiles>("profiles")
      .then(setProfiles)
      .catch(() => undefined);
    return () => tasks.stop();
  }, [api, outbox, tasks]);

  useEffect(() => {
    const page: Page = {
      editor,
      tasks,
      open: (what) => {
        if (what === "help" || (what === "skip" && tasks.current)) chosen.current(what);
        else document.querySelector<HTMLElement>(`[data-action="${what}"]`)?.focus();
      },
      submit: (start) => void tasks.submit(start),
      escape: () => {
        if (editor.polygon.length) {
          editor.polygon = [];
          editor.refresh();
        }
        document.querySelector<HTMLElement>("canvas.edit")?.focus({ preventScroll: true });
      },
    };
    return listen(page);
  }, [editor, tasks]);

  const working = tasks.current !== null;
  useEffect(() => {
    if (working) document.querySelector<HTMLElement>("canvas.edit")?.focus({ preventScroll: true });
  }, [working]);
  // Whoever closes the page while something is in this browser alone is asked.
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (tasks.saved === "not kept") event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [tasks]);

  const { current } = tasks;
  const blind = current?.guess.every((code) => code === 0) ?? false;
  return (
    <>
      <TopBar api={api} campaign={campaign} tasks={tasks} outbox={outbox} onHelp={() => setOpened("help")} />
      <p class="sr" role="status">
        {tasks.notice}
      </p>
      {!current && <Waiting tasks={tasks} pending={outbox.pending.length} />}
      {/* Drawn also while no task is there, so that the next one finds its canvases. */}
      <main class="work" hidden={!current} data-task={current?.assignment.id ?? ""}>
        <EditCanvas editor={editor} label={`Edit canvas of a task of ${campaign.name}`} />
          <Toolbar editor={editor} tasks={tasks} />
        <Multiples editor={editor} />
        <Profile editor={editor} profiles={profiles} />
        <aside class="right">
          <div class="scrolls">
            <Palette editor={editor} blind={blind} />
            <OverlayPanel editor={editor} />
            <RenderingPanel editor={editor} />
            {current && <Remarks tasks={tasks} />}
          </div>
          <Hand editor={editor} tasks={tasks} onSkip={() => setOpened("skip")} />
        </aside>
        <PixelWords editor={editor} />
      </main>
      {opened === "help" && <Help instructions={campaign.instructions} onClose={() => setOpened("")} />}
      {opened === "skip" && (
        <Skip
          onSkip={(reason) => {
            setOpened("");
            void tasks.skip(reason);
          }}
          onClose={() => setOpened("")}
        />
      )}
      {tasks.feedback && <FeedbackDialog {...tasks.feedback} editor={editor} onClose={() => tasks.closeFeedback()} />}
    </>
  );
}

function Waiting({ tasks, pending }: { tasks: Tasks; pending: number }) {
  const words = {
    loading: "Loading the next task …",
    working: "",
    empty: "There is no task for you at the moment. This page looks for new ones by itself.",
    offline: "The server cannot be reached. This page tries again by itself.",
  }[tasks.status];
  return (
    <div class="alone" role="status" data-status={tasks.status}>
      <p>{words}</p>
      {pending > 0 && <p class="quiet">{pending === 1 ? "One submission waits" : `${pending} submissions wait`} in this browser to be sent.</p>}
      {tasks.problem && tasks.status !== "offline" && <p class="problem">{tasks.problem}</p>}
    </div>
  );
}

function Remarks({ tasks }: { tasks: Tasks }) {
  const { draft } = tasks.current!;
  return (
    <section class="remarks">
      <h2>
        <label class="flag">
          <input type="checkbox" checked={draft.flagged} onChange={(event) => tasks.remark({ flagged: event.currentTarget.checked })} /> Flag <kbd>X</kbd>
        </label>
      </h2>
      <textarea
        rows={2}
        maxLength={1000}
        data-action="comment"
        value={draft.comment}
        placeholder="Comment ( / )"
        aria-label="Comment (/)"
        onInput={(event) => tasks.remark({ comment: event.currentTarget.value })}
      />
    </section>
  );
}

function Hand({ editor, tasks, onSkip }: { editor: Editor; tasks: Tasks; onSkip: () => void }) {
  useWatched(editor);
  const { missing, conflict, current } = tasks;
  return (
    <div class="hand">
      {conflict && (
        <div class="conflict" role="alert">
          <p>This task was also edited in another window.</p>
          <button onClick={() => tasks.settleConflict(true)}>Keep mine</button> <button onClick={() => tasks.settleConflict(false)}>Take the other</button>
        </div>
      )}
      {current?.lost && <p class="warn">The lease has ended: the task may go to somebody else. What you submit is kept.</p>}
      <p class="missing" data-missing={missing}>
        {tasks.notice || missing}
      </p>
      <div class="buttons">
        <button onClick={onSkip} title="Skip this task (K)">
          Skip
        </button>
        <button class="primary" disabled={missing !== ""} title="Submit and go on (Enter)" onClick={(event) => void tasks.submit(event.timeStamp)}>
          Submit <kbd>Enter</kbd>
        </button>
      </div>
    </div>
  );
}

