// The right side: classes, what the overlay shows, renderings and stretch.

import { useState } from "preact/hooks";
import { inkOn } from "../colours";
import type { Overlay } from "../display";
import type { Editor } from "../editor";
import { useWatched } from "../watch";

const OVERLAYS: [Overlay, string][] = [
  ["mine", "Mine"],
  ["guess", "Guess"],
  ["difference", "Difference"],
];

export function Palette({ editor, blind }: { editor: Editor; blind: boolean }) {
  useWatched(editor);
  const unlabelled = editor.counts.get(0) ?? 0;
  return (
    <section class="palette">
      <h2>
        Classes
        <button class="small" aria-pressed={editor.safe} title="Colours that any colour vision tells apart (H)" onClick={() => editor.setSafe(!editor.safe)}>
          {editor.safe ? "safe colours" : "own colours"}
        </button>
      </h2>
      <ul role="radiogroup" aria-label="Class to paint">
        {editor.classes.map((item, place) => {
          const colour = editor.colours.get(item.code)!;
          const chosen = item.code === editor.code;
          return (
            <li key={item.code} role="none">
              <button role="radio" aria-checked={chosen} class={chosen ? "class on" : "class"} data-code={item.code} onClick={() => editor.setCode(item.code)}>
                <kbd style={{ background: colour, color: inkOn(colour) }}>{place < 9 ? place + 1 : "·"}</kbd>
                <span class="name">{item.name}</span>
                <span class="number">{(editor.counts.get(item.code) ?? 0).toLocaleString("en")}</span>
              </button>
            </li>
          );
        })}
      </ul>
      <p class="quiet changed">
        <b data-changed={editor.changedPixels}>{editor.changedPixels.toLocaleString("en")}</b> {blind ? "labelled" : "changed"}
        {unlabelled > 0 && <span class="warn"> · {unlabelled.toLocaleString("en")} without a class</span>}
      </p>
    </section>
  );
}

export function OverlayPanel({ editor }: { editor: Editor }) {
  useWatched(editor);
  const layers = editor.task?.layers ?? [];
  return (
    <section>
      <h2>
        Labels
        <span class="quiet opacity">
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={Math.round(100 * editor.opacity)}
            aria-label="Opacity of the labels (O)"
            title="Opacity (O); Space hides the labels"
            onInput={(event) => editor.setOpacity(Number(event.currentTarget.value) / 100)}
          />
          <span class="number">{Math.round(100 * editor.opacity)}&thinsp;%</span>
        </span>
      </h2>
      <div class="segmented" role="group" aria-label="Shown labels (D)">
        {OVERLAYS.map(([name, title]) => (
          <button key={name} aria-pressed={!editor.layer && editor.overlay === name} title="D" onClick={() => editor.setOverlay(name)}>
            {title}
          </button>
        ))}
      </div>
      {layers.length > 0 && (
        <ul class="layers">
          {layers.map((layer) => (
            <li key={layer.name}>
              <button aria-pressed={editor.layer === layer} onClick={() => editor.setOverlay("mine", editor.layer === layer ? null : layer)}>
                {layer.name}
              </button>
              <button class="small" onClick={() => editor.adopt(layer)}>
                take over
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** A name that leaves room for others. */
function shortName(name: string): string {
  return name.replace(/short-?wave infrared/i, "SWIR").replace(/near infrared/i, "NIR");
}

export function RenderingPanel({ editor }: { editor: Editor }) {
  useWatched(editor);
  const bands = editor.campaign.bands;
  const [own, setOwn] = useState<[string, string, string]>(() => editor.renderings.find((item) => item.bands)?.bands ?? [bands[0]?.name ?? "", bands[0]?.name ?? "", bands[0]?.name ?? ""]);
  const [text, setText] = useState("");
  const { stretch, rendering } = editor;
  const range = stretch.range ?? rendering.range;

  const showOwn = (place: number, band: string) => {
    const triple = own.map((old, at) => (at === place ? band : old)) as [string, string, string];
    setOwn(triple);
    editor.setRendering({ name: triple.join(" "), bands: triple, expression: null, range: [0, 0.4] });
  };
  const showIndex = (written: string) => {
    setText(written);
    if (written.trim()) editor.setRendering({ name: written.trim(), bands: null, expression: written.trim(), range: [-1, 1] });
    else editor.setRendering(editor.renderings[0]!);
  };
  const setRange = (place: 0 | 1, value: string) => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) return;
    const changed: [number, number] = place ? [range[0], number] : [number, range[1]];
    if (changed[0] < changed[1]) editor.setStretch({ kind: "fixed", range: changed });
  };
  return (
    <section class="rendering">
      <h2>Rendering</h2>
      <div class="choices" role="radiogroup" aria-label="Rendering (↑ ↓)">
        {editor.renderings.map((item) => (
          <button key={item.name} role="radio" aria-checked={item === rendering} class={item === rendering ? "chip on" : "chip"} title={item.name} onClick={(event) => editor.setRendering(item, event.timeStamp)}>
            {shortName(item.name)}
          </button>
        ))}
      </div>
      <div class="triple">
        {(["red", "green", "blue"] as const).map((gun, place) => (
          <select key={gun} value={own[place]} class={gun} aria-label={`Band shown as ${gun}`} data-action={place ? undefined : "bands"} onChange={(event) => showOwn(place, event.currentTarget.value)}>
            {bands.map((band) => (
              <option key={band.name} value={band.name}>
                {band.name}
              </option>
            ))}
          </select>
        ))}
      </div>
      <input
        class="index"
        data-action="index"
        type="text"
        value={text}
        maxLength={300}
        placeholder="index: (nir - red) / (nir + red)"
        aria-label="Index as an expression over bands (=)"
        aria-invalid={editor.problem !== ""}
        spellcheck={false}
        onInput={(event) => showIndex(event.currentTarget.value)}
      />
      {editor.problem && (
        <p class="problem" role="alert">
          {editor.problem}
        </p>
      )}
      <div class="stretch">
        <select value={stretch.kind} aria-label="Stretch (T)" title="Stretch (T)" onChange={(event) => editor.setStretch({ kind: event.currentTarget.value as "fixed" | "percentile" })}>
          <option value="percentile">2–98 %</option>
          <option value="fixed">fixed</option>
        </select>
        {stretch.kind === "percentile" ? (
          <select value={stretch.together ? "all" : "each"} aria-label="Scope of the stretch (Shift+T)" title="Shift+T" onChange={(event) => editor.setStretch({ together: event.currentTarget.value === "all" })}>
            <option value="all">all scenes</option>
            <option value="each">each scene</option>
          </select>
        ) : (
          <span class="range">
            <input type="text" inputMode="decimal" data-action="range" value={range[0]} aria-label="Darkest value" onChange={(event) => setRange(0, event.currentTarget.value)} />
            <input type="text" inputMode="decimal" value={range[1]} aria-label="Brightest value" onChange={(event) => setRange(1, event.currentTarget.value)} />
            {stretch.range && (
              <button class="small" title="The rendering's own range" onClick={() => editor.setStretch({ range: null })}>
                ↺
              </button>
            )}
          </span>
        )}
      </div>
    </section>
  );
}
