// What is shown, in the address bar: a link shows the same to others.

import { ask, choosePlace, chooseThing, goToLevel, setSpan } from "./actions";
import { listen, now, type State } from "./state";

function addressOf(state: State): string {
  const values = new URLSearchParams();
  if (state.asked) values.set("q", state.asked);
  if (state.thing) values.set("thing", state.thing);
  else if (state.place) values.set("place", state.place);
  if (state.level) values.set("level", String(state.level));
  if (state.span) values.set("time", state.span.map(Math.round).join("-"));
  const query = values.toString();
  return query ? `#${query}` : location.pathname + location.search;
}

export function keepAddress(): void {
  let waiting = 0;
  listen((state) => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => history.replaceState(null, "", addressOf(state)), 300);
  });
}

/** Show what the address says; called once the memory is there. */
export function followAddress(hash: string): void {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const level = Number(values.get("level"));
  if (now().overview?.levels[level]) goToLevel(level);
  const [start, end] = (values.get("time") ?? "").split("-").map(Number);
  if (start && end && end > start) setSpan([start, end]);
  const question = values.get("q");
  if (question) void ask(question);
  else if (values.get("thing")) void chooseThing(values.get("thing")!);
  else if (values.get("place")) choosePlace(values.get("place")!, { fly: true });
}
