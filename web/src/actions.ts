// What a person does, and what follows from it.

import {
  type Answer,
  ask as askServer,
  type Attention,
  type ForestNode,
  type Ground,
  type Overview,
  type Paths,
  type Place,
  type Seen,
  type Span,
  type Thing,
  type ThingHistory,
  type Timeline,
  Trouble,
  view,
} from "./api";
import { now, set, type Theme } from "./state";
import { asQuestion } from "./words";

/** Moves the map; set by the map once it is there. */
export const map = {
  fly: (_x: number, _y: number, _widthM?: number): void => {},
  fit: (_low?: readonly number[], _high?: readonly number[]): void => {},
  look: (): Promise<void> => Promise.resolve(),
};

export function report(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const trouble =
    error instanceof Trouble
      ? { code: error.code, message: error.message }
      : { code: "page", message: "This page failed. Reload it; what is remembered is safe." };
  if (!(error instanceof Trouble)) console.error(error);
  set({ trouble });
}

async function trying<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    const done = await work();
    if (now().trouble?.code === "no_answer") set({ trouble: null });
    return done;
  } catch (error) {
    report(error);
    return null;
  }
}

// -- loading --------------------------------------------------------------------------------

/** The frame first, then where the robot was, then all that takes the server longer. */
export async function load(): Promise<void> {
  const overview = await trying(() => view<Overview>("overview"));
  if (!overview) return;
  const level = overview.levels[now().level] ? now().level : busiest(overview);
  set({ overview, level });
  await map.look();
  await Promise.all([loadTimeline(), loadStructure(), loadLevel()]);
}

function busiest(overview: Overview): number {
  const levels = [...overview.levels];
  levels.sort((a, b) => b.observations - a.observations);
  return levels[0]?.number ?? 0;
}

export async function loadTimeline(): Promise<void> {
  const timeline = await trying(() => view<Timeline>("timeline", { bins: 240 }));
  if (timeline) set({ timeline });
}

export async function loadStructure(): Promise<void> {
  await trying(async () => {
    const [places, things] = await Promise.all([
      view<{ places: Place[] }>("places"),
      view<{ entities: Thing[] }>("entities"),
    ]);
    set({ places: places.places, things: things.entities, structure: now().structure + 1 });
    set({ suggestions: (await view<{ questions: string[] }>("suggestions")).questions });
  });
}

export async function loadLevel(): Promise<void> {
  const level = now().level;
  if (!now().overview?.levels.length) return;
  await trying(async () => {
    const paths = await view<Paths>("path", { level });
    if (now().level === level) set({ paths });
    const ground = await view<Ground>("ground", { level });
    if (now().level === level) set({ ground });
  });
}

/** After the memory grew: everything anew, without moving the map. */
export async function refresh(): Promise<void> {
  const overview = await trying(() => view<Overview>("overview"));
  if (!overview) return;
  const first = !now().overview?.levels.length && overview.levels.length > 0;
  set({ overview });
  await Promise.all([loadTimeline(), loadStructure(), loadLevel()]);
  if (first) map.fit();
}

// -- looking --------------------------------------------------------------------------------

export function goToLevel(level: number | null | undefined): void {
  if (level === null || level === undefined || level === now().level) return;
  set({ level, ground: null, paths: null, spot: null });
  void loadLevel();
}

export function setSpan(span: Span | null): void {
  set({ span });
}

export function choosePanel(panel: "answer" | "things"): void {
  set({ panel });
}

export function setTheme(theme: Theme): void {
  localStorage.setItem("robot-memory-theme", theme);
  set({ theme });
}

export function tell(words: string): void {
  set({ told: words });
}

const NOTHING = { thing: null, history: null, place: null, node: null, below: [], spot: null };

export function clearSelection(): void {
  set(NOTHING);
}

export async function chooseThing(id: string, { fly = true } = {}): Promise<void> {
  const thing = now().things.find((item) => item.id === id);
  set({ ...NOTHING, thing: id, panel: "answer" });
  const last = thing?.stays.at(-1);
  if (last && fly) {
    goToLevel(last.level);
    map.fly(last.x, last.y);
  }
  const history = await trying(() => view<ThingHistory>("entity", { id }));
  if (history && now().thing === id) set({ history });
}

export function choosePlace(id: string, { fly = false } = {}): void {
  const place = now().places.find((item) => item.id === id);
  set({ ...NOTHING, place: id, node: id, below: [id], panel: "answer" });
  if (!place) return;
  goToLevel(place.level);
  if (fly) map.fly(place.centre[0], place.centre[1]);
  void nearby(place.centre[0], place.centre[1], 2);
}

export async function chooseNode(node: ForestNode): Promise<void> {
  if (!node.children) {
    choosePlace(node.id, { fly: true });
    return;
  }
  set({ ...NOTHING, node: node.id });
  if (node.level !== null) goToLevel(node.level);
  const found = await trying(() => view<{ places: string[] }>("below", { node: node.id }));
  if (found && now().node === node.id) set({ below: found.places });
  map.fit(node.low, node.high);
}

/** What was observed around a position. */
export async function nearby(x: number, y: number, radius: number): Promise<void> {
  const { level, span } = now();
  const found = await trying(() =>
    view<{ total: number; observations: Seen[] }>("near", {
      level, x, y, radius_m: radius, start_ms: span?.[0], end_ms: span?.[1],
    }),
  ); // prettier-ignore
  if (found) set({ spot: { x, y, total: found.total, seen: found.observations } });
}

// -- asking ---------------------------------------------------------------------------------

let latest = 0;

export async function ask(words: string): Promise<void> {
  const question = asQuestion(words);
  if (!question) return;
  const number = ++latest;
  set({
    ...NOTHING, question, asked: question, asking: true, answer: null, attention: null,
    evidence: 0, panel: "answer", trouble: null,
  }); // prettier-ignore
  const attending = view<Attention>("attention", { question }).catch(() => null);
  try {
    const answer = await askServer(question);
    if (number !== latest) return;
    set({ answer, asking: false, told: answer.answer });
    showAnswer(answer);
    const attention = await attending;
    if (number === latest && attention) set({ attention });
  } catch (error) {
    if (number !== latest) return;
    set({ asking: false });
    report(error);
  }
}

export function forgetQuestion(): void {
  latest += 1;
  set({ ...NOTHING, question: "", asked: "", asking: false, answer: null, attention: null });
}

function showAnswer(answer: Answer): void {
  const at = answer.position ?? answer.evidence.find((item) => item.position)?.position;
  if (!at || answer.abstained) return;
  goToLevel(levelAt(answer.map_id, at[2]));
  const spread = answer.evidence.filter((item) => item.position && item.map_id === answer.map_id);
  if (answer.position || spread.length < 2) {
    map.fly(at[0], at[1]);
    return;
  }
  const xs = spread.map((item) => item.position![0]);
  const ys = spread.map((item) => item.position![1]);
  map.fit([Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]);
}

export function chooseEvidence(number: number): void {
  const item = now().answer?.evidence[number];
  if (!item) return;
  set({ evidence: number });
  if (!item.position) return;
  goToLevel(levelAt(item.map_id, item.position[2]));
  map.fly(item.position[0], item.position[1]);
}

/** The level a position lies on: the highest floor below it. */
export function levelAt(mapId: string, z: number): number | null {
  const own = now().overview?.levels.filter((level) => level.map_id === mapId) ?? [];
  const below = own.filter((level) => level.height_m <= z + 0.4);
  return (below.at(-1) ?? own[0])?.number ?? null;
}
