// Dialogs: all keys, reasons to skip, feedback of a qualification task.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Receipt } from "../api";
import { bytesOf } from "../../../shared/http";
import type { Editor } from "../editor";
import type { Action } from "../keys";
import { ACTIONS, keyText } from "../keys";
import { rgbOf } from "../colours";
import type { Task } from "../tasks";
import { percent } from "./text";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
  onKeyDown?: (event: KeyboardEvent) => void;
}

export function Dialog({ title, onClose, children, wide, onKeyDown }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={dialog} class={wide ? "wide" : ""} aria-label={title} onKeyDown={onKeyDown} onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      <header>
        <h2>{title}</h2>
        <button class="plain" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

const GROUPS: Action["group"][] = ["Classes", "Tools", "Labels", "Scenes", "View", "Keyboard cursor", "Task"];

export function Help({ instructions, onClose }: { instructions: string; onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose} wide>
      {instructions && <p class="instructions">{instructions}</p>}
      <div class="keys">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {ACTIONS.filter((action) => action.group === group).map((action) => (
                <div key={action.label}>
                  <dt>
                    {keyText(action.keys)
                      .split(" ")
                      .map((key) => (key === "…" ? "–" : <kbd key={key}>{key}</kbd>))}
                  </dt>
                  <dd>{action.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Pointer</h3>
          <dl>
            {[
              ["Ctrl held", "fill"],
              ["Shift held", "change pixels of the first one's class alone"],
              ["Alt click", "choose the class under the pointer"],
              ["right click", "pin the profile"],
              ["wheel", "zoom out to the surroundings"],
              ["middle drag", "move the view"],
              ["Shift click on a scene", "compare with it"],
            ].map(([key, label]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{label}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

const REASONS = ["I cannot tell the classes", "Too cloudy", "Something is wrong with the imagery", "Other"];

export function Skip({ onSkip, onClose }: { onSkip: (reason: string) => void; onClose: () => void }) {
  const pressed = (event: KeyboardEvent) => {
    const reason = REASONS[Number(event.key) - 1];
    if (reason) onSkip(reason);
  };
  return (
    <Dialog title="Skip this task: why?" onClose={onClose} onKeyDown={pressed}>
      <div class="reasons">
        {REASONS.map((reason, place) => (
          <button key={reason} autofocus={place === 0} onClick={() => onSkip(reason)}>
            <kbd>{place + 1}</kbd> {reason}
          </button>
        ))}
      </div>
    </Dialog>
  );
}

function Raster({ labels, task, editor, wrong }: { labels: Uint8Array; task: Task; editor: Editor; wrong?: Uint8Array }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { height, width } = task.assignment.task;
  useEffect(() => {
    const image = new ImageData(width, height);
    labels.forEach((code, place) => {
      const dim = wrong && wrong[place] === code;
      image.data.set(rgbOf(editor.colours.get(code) ?? "#d6dce1"), 4 * place);
      image.data[4 * place + 3] = dim ? 60 : 255;
    });
    canvas.current?.getContext("2d")?.putImageData(image, 0, 0);
  }, [labels]);
  return <canvas ref={canvas} width={width} height={height} class="raster" />;
}

interface FeedbackProps {
  receipt: Receipt;
  labels: Uint8Array;
  task: Task;
  editor: Editor;
  onClose: () => void;
}

export function FeedbackDialog({ receipt, labels, task, editor, onClose }: FeedbackProps) {
  const feedback = receipt.feedback!;
  const reference = feedback.reference ? bytesOf(feedback.reference) : null;
  return (
    <Dialog title="Qualification: how it went" onClose={onClose}>
      <p class="score">
        <b>{percent(feedback.accuracy)}</b> of the pixels agree with the expert
        {feedback.passed === true && <span class="good"> · passed</span>}
        {feedback.passed === false && <span class="warn"> · below the pass mark</span>}
      </p>
      {reference && (
        <div class="rasters">
          <figure>
            <Raster labels={labels} task={task} editor={editor} wrong={reference} />
            <figcaption>yours; what differs is bright</figcaption>
          </figure>
          <figure>
            <Raster labels={reference} task={task} editor={editor} />
            <figcaption>the expert’s</figcaption>
          </figure>
        </div>
      )}
      <p>
        <button class="primary" autofocus onClick={onClose}>
          Go on <kbd>Enter</kbd>
        </button>
      </p>
    </Dialog>
  );
}
