// The page: question above, map and time on the left, answer and forest beside it.

import { render } from "preact";
import { choosePanel, load } from "./actions";
import { followAddress, keepAddress } from "./address";
import { listenLive } from "./live";
import { Answer } from "./panels/Answer";
import { Forest } from "./panels/Forest";
import { Header } from "./panels/Header";
import { Close, Warning } from "./panels/icons";
import { Map } from "./panels/Map";
import { Things } from "./panels/Things";
import { Time } from "./panels/Time";
import { listen, now, set, useApp } from "./state";
import "./style.css";

function Page() {
  const { panel, trouble, told, overview } = useApp();
  return (
    <>
      <Header />
      {trouble && (
        <p class="trouble" role="alert">
          <Warning /> <span>{trouble.message}</span>
          <button type="button" class="bare" aria-label="Close this message" onClick={() => set({ trouble: null })}><Close /></button>
        </p>
      )}
      <main>
        <div class="stage">
          <Map />
          <Time />
        </div>
        <section class="panel talk" aria-label="Answer and things">
          <div class="tabs" role="tablist" aria-label="Beside the map">
            {(["answer", "things"] as const).map((name) => (
              <button
                key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={panel === name}
                aria-controls="beside" onClick={() => choosePanel(name)}
              >
                {name === "answer" ? "Answer" : "Things"}
              </button>
            ))}
          </div>
          <div class="scroll" id="beside" role="tabpanel" aria-labelledby={`tab-${panel}`} tabIndex={0}>
            {panel === "answer" ? <Answer /> : <Things />}
          </div>
        </section>
        <section class="panel wood" aria-labelledby="forest-name">
          <h2 id="forest-name">Forest <span>areas within areas</span></h2>
          <div class="scroll" tabIndex={0} role="group" aria-label="Areas"><Forest /></div>
        </section>
      </main>
      <p class="told" role="status" aria-live="polite">{told}</p>
      {overview && !overview.complete && <p class="note" role="status">The index is being made anew; more appears in a moment.</p>}
    </>
  ); // prettier-ignore
}

function colour(): void {
  const { theme } = now();
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
}

const address = location.hash;
colour();
listen(colour);
render(<Page />, document.getElementById("page")!);
listenLive();
void load().then(() => {
  followAddress(address);
  keepAddress();
});
setInterval(() => {
  if (!now().overview) void load();
}, 3_000);
