// What the server tells. Times are milliseconds since the epoch, positions metres in the map.

export type Span = [number, number];
export type Position = [number, number, number];

export interface Level {
  number: number;
  map_id: string;
  floor: number;
  floors: number;
  height_m: number;
  low: [number, number];
  high: [number, number];
  observations: number;
}

export interface Overview {
  observations: number;
  complete: boolean;
  span_ms: Span | null;
  robots: string[];
  levels: Level[];
}

export interface Points {
  exact: boolean;
  total: number;
  x: number[];
  y: number[];
  n?: number[];
  t?: number[];
  start_ms?: number;
  cell_m?: number;
}

export interface Run {
  robot: string;
  x: number[];
  y: number[];
  t: number[];
  start_ms: number;
}

export interface Paths {
  runs: Run[];
  whole: boolean;
}

export interface Ground {
  cell_m: number;
  left: number;
  bottom: number;
  width: number;
  height: number;
  places: string[];
  cells: string;
}

export interface Place {
  id: string;
  level: number | null;
  centre: Position;
  low: Position;
  high: Position;
  kind: string;
  confidence: number;
  text: string;
  observations: number;
}

export interface Stay {
  level: number | null;
  place: string | null;
  x: number;
  y: number;
  z: number;
  start_ms: number;
  last_ms: number;
  end_ms: number | null;
}

export interface Thing {
  id: string;
  label: string;
  confidence: number;
  gone: boolean;
  stays: Stay[];
}

export interface Seen {
  id: string;
  stamp_ms: number;
  text: string;
  position: Position | null;
  standpoint: Position | null;
  weight: number;
  attention: number;
  path: string[];
  path_weights: number[];
  map_id: string;
  keyframe: boolean;
  source: string;
  level?: number | null;
  entity?: string | null;
}

export interface ThingHistory {
  id: string;
  label: string;
  gone: boolean;
  confidence: number;
  spread_m: number;
  history: {
    position: Position;
    place: string | null;
    kind: string;
    level: number | null;
    start_ns: number;
    last_ns: number;
    end_ns: number | null;
    sightings: number;
  }[];
  facts: {
    subject: string;
    subject_name: string;
    relation: string;
    object: string;
    object_name: string;
    confidence: number;
    end_ms: number | null;
  }[];
  seen_in: Seen[];
}

export interface TimelineEvent {
  id: string;
  robot: string;
  session: string;
  start_ms: number;
  end_ms: number;
  summary: string;
  observations: number;
  place: string | null;
}

export interface Timeline {
  start_ms: number;
  end_ms: number;
  bins: number[];
  events: TimelineEvent[];
  events_total: number;
}

export interface ForestNode {
  id: string;
  name: string;
  parent: string | null;
  tree_level: number;
  kind: string;
  text: string;
  count: number;
  children: number;
  level: number | null;
  low: Position;
  high: Position;
  span_ms: Span | null;
  nodes?: ForestNode[];
}

export interface ForestPart {
  parent: string | null;
  ancestors: ForestNode[];
  nodes: ForestNode[];
}

export interface Attention {
  nodes: Record<string, number>;
  names: Record<string, string>;
  points: Seen[];
  considered: number;
  seconds: number;
}

/** One piece of evidence as `ask` returns it. */
export interface Evidence {
  id: string;
  stamp_ns: number;
  position: Position | null;
  text: string | null;
  weight: number;
  attention: number;
  path: string[];
  path_weights: number[];
  keyframe: string | null;
  map_id: string;
  source: string;
}

export interface Answer {
  answer: string;
  kind: string;
  abstained: boolean;
  position: Position | null;
  map_id: string;
  stamp_ns: number | null;
  value: number | null;
  unit: string | null;
  evidence: Evidence[];
}

/** What the server refused or failed to do, in words that say what to do next. */
export class Trouble extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const NO_ANSWER =
  "The server does not answer. Is robot-memory serve still running? This page tries again by itself.";

async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Trouble("no_answer", NO_ANSWER);
  }
  if (reply.ok) return reply;
  const told = (await reply.json().catch(() => ({}))) as Record<string, unknown>;
  const words = [told.message, told.next].filter((part) => typeof part === "string").join(". ");
  throw new Trouble(
    String(told.code ?? reply.status),
    words || `The server answered ${reply.status}. Try again, or look at its log.`,
  );
}

async function json<T>(path: string, options: RequestInit = {}): Promise<T> {
  return (await (await request(path, options)).json()) as T;
}

type Values = Record<string, string | number | null | undefined>;

function address(name: string, values: Values): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return `api/view/${name}${given.length ? `?${query}` : ""}`;
}

export function view<T>(name: string, values: Values = {}, signal?: AbortSignal): Promise<T> {
  return json<T>(address(name, values), signal ? { signal } : {});
}

export function ask(question: string): Promise<Answer> {
  return json<Answer>("api/ask", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ question }),
  });
}

export function picture(id: string): string {
  return `api/keyframe?id=${encodeURIComponent(id)}`;
}
