// One state for the whole page; the map and the panels show it.

import { useEffect, useState } from "preact/hooks";
import type {
  Answer,
  Attention,
  Ground,
  Overview,
  Paths,
  Place,
  Seen,
  Span,
  Thing,
  ThingHistory,
  Timeline,
} from "./api";

export type Panel = "answer" | "things";
export type Theme = "auto" | "light" | "dark";
export type Live = "off" | "connecting" | "on" | "lost";

export interface Spot {
  x: number;
  y: number;
  total: number;
  seen: Seen[];
}

export interface State {
  overview: Overview | null;
  level: number;
  places: Place[];
  things: Thing[];
  ground: Ground | null;
  paths: Paths | null;
  timeline: Timeline | null;
  suggestions: string[];
  span: Span | null;
  question: string;
  asked: string;
  asking: boolean;
  answer: Answer | null;
  attention: Attention | null;
  evidence: number;
  thing: string | null;
  history: ThingHistory | null;
  place: string | null;
  node: string | null;
  below: string[];
  spot: Spot | null;
  panel: Panel;
  theme: Theme;
  live: Live;
  arrived: number;
  structure: number;
  trouble: { code: string; message: string } | null;
  told: string;
}

let state: State = {
  overview: null,
  level: 0,
  places: [],
  things: [],
  ground: null,
  paths: null,
  timeline: null,
  suggestions: [],
  span: null,
  question: "",
  asked: "",
  asking: false,
  answer: null,
  attention: null,
  evidence: 0,
  thing: null,
  history: null,
  place: null,
  node: null,
  below: [],
  spot: null,
  panel: "answer",
  theme: (localStorage.getItem("robot-memory-theme") as Theme | null) ?? "auto",
  live: "off",
  arrived: 0,
  structure: 0,
  trouble: null,
  told: "",
};

type Listener = (state: State) => void;
const listeners = new Set<Listener>();

export function now(): State {
  return state;
}

export function set(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener(state);
}

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state, for a component; it is drawn anew when the state changes. */
export function useApp(): State {
  const [held, hold] = useState(state);
  useEffect(() => {
    hold(state);
    return listen(hold);
  }, []);
  return held;
}
