// New observations as they come: server-sent events, with the browser's own reconnection.

import { levelAt, refresh } from "./actions";
import { now, set } from "./state";
import type { Evidence } from "./api";

const SETTLED_MS = 700;
const AT_MOST_MS = 2_500;
/** A memory that takes long to arrange is not arranged anew all the time. */
const LARGE = 100_000;
const LARGE_AT_MOST_MS = 15_000;

/** Called with every new observation that has a place on the shown level. */
export const arrivals = { show: (_x: number, _y: number): void => {} };

let waiting = 0;
let after = 0;
let since = 0;

/** Everything anew once it is quiet for a moment, or after a while of streaming; and once more. */
function soon(): void {
  const moment = Date.now();
  const large = (now().overview?.observations ?? 0) > LARGE;
  const most = large ? LARGE_AT_MOST_MS : AT_MOST_MS;
  if (!waiting) since = moment;
  clearTimeout(waiting);
  clearTimeout(after);
  const delay = Math.max(0, Math.min(large ? most : SETTLED_MS, since + most - moment));
  waiting = window.setTimeout(() => {
    waiting = 0;
    void refresh();
  }, delay);
  after = window.setTimeout(() => void refresh(), delay + 2 * most); // what is arranged later
}

export function listenLive(): void {
  const source = new EventSource("api/live");
  set({ live: "connecting" });
  source.addEventListener("open", () => {
    if (now().trouble?.code === "no_answer") {
      set({ trouble: null });
      void refresh();
    }
    set({ live: "on" });
  });
  source.addEventListener("error", () => set({ live: "lost" }));
  source.addEventListener("observation", (event) => {
    const told = JSON.parse((event as MessageEvent<string>).data) as Evidence;
    set({ arrived: now().arrived + 1 });
    if (told.position && levelAt(told.map_id, told.position[2]) === now().level) {
      arrivals.show(told.position[0], told.position[1]);
    }
    soon();
  });
  source.addEventListener("skipped", (event) => {
    const { observations } = JSON.parse((event as MessageEvent<string>).data) as { observations: number };
    set({ arrived: now().arrived + observations });
    soon();
  });
}
