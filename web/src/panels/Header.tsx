// The name, the question, and what is always at hand.

import { useEffect, useRef } from "preact/hooks";
import { ask, forgetQuestion, setTheme, tell } from "../actions";
import { now, set, useApp } from "../state";
import { many } from "../words";
import { Close, Download, Moon, Search, Sun } from "./icons";
import { chart } from "./Map";

const OPTIONS = 150;

export function Header() {
  const state = useApp();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const labels = [...new Set(state.things.map((thing) => thing.label))].sort().slice(0, OPTIONS);
  const hint = state.suggestions[0] ?? "Where is the …?";
  return (
    <header>
      <h1>
        <img src={new URL("../icon.svg", import.meta.url).href} alt="" width={26} height={26} />
        <span>Robot memory</span>
      </h1>
      <form
        class="question" role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(now().question || hint);
          field.current?.blur();
        }}
      >
        <Search />
        <input
          ref={field} type="text" list="things" aria-label="Ask what the robot remembers" enterkeyhint="search"
          autocomplete="off" spellcheck={false} maxLength={1000} placeholder={hint} value={state.question}
          onInput={(event) => set({ question: event.currentTarget.value })}
        />
        <datalist id="things">
          {labels.map((label) => <option key={label} value={`Where is the ${label}?`} />)}
        </datalist>
        {(state.question || state.asked) && (
          <button
            type="button" class="bare" aria-label="Clear the question"
            onClick={() => {
              forgetQuestion();
              field.current?.focus();
            }}
          >
            <Close />
          </button>
        )}
        <button type="submit" class="main" disabled={state.asking}>{state.asking ? "Asking…" : "Ask"}</button>
      </form>
      <div class="tools">
        <LiveMark />
        <Take />
        <button
          type="button" class="bare" aria-label={isDark() ? "Use light colours" : "Use dark colours"}
          onClick={() => setTheme(isDark() ? "light" : "dark")}
        >
          {isDark() ? <Sun /> : <Moon />}
        </button>
      </div>
    </header>
  ); // prettier-ignore
}

function isDark(): boolean {
  const { theme } = now();
  return theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
}

function LiveMark() {
  const { live, arrived } = useApp();
  const words =
    live === "on" ? (arrived ? `${many(arrived, "new observation")}` : "Live") : live === "lost" ? "Not connected" : "Connecting";
  return (
    <span class={`live ${live}`} role="status" data-arrived={arrived}>
      <i aria-hidden="true" />
      {words}
    </span>
  );
}

/** What one can take away: files, a picture, a link. */
function Take() {
  const { answer, asked } = useApp();
  const menu = useRef<HTMLDetailsElement>(null);
  const shut = () => menu.current?.removeAttribute("open");
  useEffect(() => {
    const away = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !menu.current?.contains(event.target as Node)) shut();
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", away);
    };
  }, []);
  return (
    <details class="take" ref={menu}>
      <summary class="bare" aria-label="Download and share"><Download /></summary>
      <ul onClick={shut}>
        <li><button type="button" onClick={() => void share()}>Copy a link to this view</button></li>
        <li><button type="button" onClick={() => save("map.png", chart?.picture() ?? "")}>Map as a picture (PNG)</button></li>
        <li><a href="api/view/download/map.geojson" download>Map as GeoJSON</a></li>
        <li><a href="api/view/download/things.csv" download>Things as a table (CSV)</a></li>
        <li><a href="api/view/download/forest.graphml" download>Forest as GraphML</a></li>
        {answer && (
          <li>
            <button type="button" onClick={() => save("answer.json", data(JSON.stringify({ question: asked, ...answer }, null, 2)))}>
              This answer (JSON)
            </button>
          </li>
        )}
      </ul>
    </details>
  ); // prettier-ignore
}

function data(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: "application/json" }));
}

function save(name: string, address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

async function share(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    tell("The link is copied.");
  } catch {
    tell("This browser lets no link be copied; take it from the address bar.");
  }
}
