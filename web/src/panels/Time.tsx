// Time: how much was observed when, what happened, and the stretch that the map shows.

import { useEffect, useRef, useState } from "preact/hooks";
import { choosePlace, setSpan } from "../actions";
import type { Span, Timeline, TimelineEvent } from "../api";
import { kindColour } from "../map/colours";
import { now, useApp } from "../state";
import { moment, within } from "../words";
import { Back, Close, Next, Pause, Play } from "./icons";

const PLAY_MS = 12_000;
const STEPS = 50;

type Grip = "start" | "end" | "body";

export function Time() {
  const { timeline, span, places } = useApp();
  const track = useRef<HTMLDivElement>(null);
  const held = useRef<{ grip: Grip; at: number; span: Span } | null>(null);
  const [playing, play] = useState(false);
  const [current, go] = useState(-1);
  useEffect(() => {
    if (!playing || !timeline) return;
    return playFrom(timeline, () => play(false));
  }, [playing]);
  if (!timeline || timeline.end_ms <= timeline.start_ms) return null;
  const { start_ms: first, end_ms: last } = timeline;
  const whole = last - first;
  const [start, end] = span ?? [first, last];
  const share = (ms: number) => `${(100 * (ms - first)) / whole}%`;
  const event = timeline.events[current];
  const kinds = new Map(places.map((place) => [place.id, place.kind]));

  const momentAt = (clientX: number) => {
    const box = track.current!.getBoundingClientRect();
    return first + whole * Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  };
  const press = (happened: PointerEvent) => {
    const ms = momentAt(happened.clientX);
    const grip = (happened.target as HTMLElement).dataset.grip as Grip | undefined;
    play(false);
    track.current!.setPointerCapture(happened.pointerId);
    if (grip && (span || grip !== "body")) held.current = { grip, at: ms, span: [start, end] };
    else {
      held.current = { grip: "end", at: ms, span: [ms, ms] };
    }
  };
  const drag = (happened: PointerEvent) => {
    if (!held.current) return;
    const { grip, at, span: before } = held.current;
    setSpan(dragged(grip, before, momentAt(happened.clientX) - at, [first, last]));
  };
  const release = () => {
    const now_ = now().span;
    held.current = null;
    if (now_ && now_[1] - now_[0] < whole / 400) {
      // a click: everything up to that moment
      setSpan([first, Math.max(now_[1], first + whole / 400)]);
    }
  };
  const key = (grip: "start" | "end") => (happened: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9,
    }; // prettier-ignore
    const step = steps[happened.key];
    if (step === undefined) return;
    happened.preventDefault();
    setSpan(dragged(grip, [start, end], (step * whole) / STEPS / 2, [first, last]));
  };
  const step = (by: number) => {
    const number = Math.min(timeline.events.length - 1, Math.max(0, current + by));
    go(number);
    show(timeline.events[number], whole, first, last);
  };
  const slider = (grip: "start" | "end", ms: number) => (
    <span
      class={`grip ${grip}`} data-grip={grip} role="slider" tabIndex={0} style={{ left: share(ms) }}
      aria-label={grip === "start" ? "Shown from" : "Shown until"} aria-valuemin={first} aria-valuemax={last}
      aria-valuenow={Math.round(ms)} aria-valuetext={moment(ms)} onKeyDown={key(grip)}
    />
  ); // prettier-ignore
  return (
    <section class="time" aria-label="Timeline">
      <div class="row">
        <button type="button" class="round" aria-label={playing ? "Stop" : "Play from the beginning"} onClick={() => play(!playing)}>
          {playing ? <Pause /> : <Play />}
        </button>
        <p class="when">
          <b>{span ? `${within(start, whole)} – ${within(end, whole)}` : "All of it"}</b>
          <span>{span ? "" : `${moment(first)} – ${moment(last)} UTC`}</span>
        </p>
        {span && (
          <button type="button" class="bare all" onClick={() => { play(false); go(-1); setSpan(null); }}>
            <Close /> All times
          </button>
        )}
        <div class="events" role="group" aria-label="Events">
          <p aria-live="polite">{event ? event.summary || "passed by" : `${timeline.events_total.toLocaleString("en-GB")} events`}</p>
          <button type="button" class="bare" aria-label="Previous event" disabled={current <= 0} onClick={() => step(-1)}><Back /></button>
          <button type="button" class="bare" aria-label="Next event" disabled={current >= timeline.events.length - 1} onClick={() => step(1)}><Next /></button>
        </div>
      </div>
      <div
        class={span ? "track some" : "track"} ref={track} onPointerDown={press} onPointerMove={drag}
        onPointerUp={release} onPointerCancel={release}
      >
        <Bins timeline={timeline} />
        <Marks timeline={timeline} kinds={kinds} current={current} share={share} />
        <span class="dim" style={{ left: 0, width: share(start) }} />
        <span class="dim" style={{ left: share(end), right: 0 }} />
        <span class="body" data-grip="body" style={{ left: share(start), width: `${(100 * (end - start)) / whole}%` }} />
        {slider("start", start)}
        {slider("end", end)}
      </div>
      <div class="ends" aria-hidden="true"><span>{within(first, whole)}</span><span>{within(first + whole / 2, whole)}</span><span>{within(last, whole)}</span></div>
    </section>
  ); // prettier-ignore
}

function Bins({ timeline }: { timeline: Timeline }) {
  const most = Math.max(1, ...timeline.bins);
  const width = 1000 / timeline.bins.length;
  const path = timeline.bins
    .map((count, i) => (count ? `M${(i * width).toFixed(1)} 40v${(-38 * Math.sqrt(count / most)).toFixed(1)}h${(width * 0.8).toFixed(1)}V40` : ""))
    .join("");
  return (
    <svg class="bins" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

interface MarksProps {
  timeline: Timeline;
  kinds: Map<string, string>;
  current: number;
  share: (ms: number) => string;
}

/** What happened where, as a ribbon in the colours of the rooms. */
function Marks({ timeline, kinds, current, share }: MarksProps) {
  const whole = timeline.end_ms - timeline.start_ms;
  return (
    <div class="marks" aria-hidden="true">
      {timeline.events.map((event, number) => {
        const width = Math.max(0.25, (100 * (event.end_ms - event.start_ms)) / whole);
        const colour = kindColour(kinds.get(event.place ?? "") ?? "");
        return (
          <i
            key={event.id} class={number === current ? "chosen" : ""}
            style={{ left: share(event.start_ms), width: `${width}%`, ...(colour ? { background: colour } : {}) }}
          />
        );
      })}
    </div>
  ); // prettier-ignore
}

function show(event: TimelineEvent | undefined, whole: number, first: number, last: number): void {
  if (!event) return;
  const margin = Math.max(0, whole / 200 - (event.end_ms - event.start_ms)) / 2;
  if (event.place) choosePlace(event.place, { fly: true });
  setSpan([Math.max(first, event.start_ms - margin), Math.min(last, event.end_ms + margin)]);
}

function dragged(grip: Grip, [start, end]: Span, by: number, [first, last]: Span): Span {
  const least = (last - first) / 1000;
  if (grip === "body") {
    const moved = Math.min(last - end, Math.max(first - start, by));
    return [start + moved, end + moved];
  }
  if (grip === "start") return [Math.min(end - least, Math.max(first, start + by)), end];
  const until = Math.min(last, Math.max(first, end + by));
  return until < start ? [until, start] : [start, Math.max(until, start + least)];
}

function playFrom(timeline: Timeline, done: () => void): () => void {
  const { start_ms: first, end_ms: last } = timeline;
  const begun = performance.now();
  let request = 0;
  const tick = (moment_: number) => {
    const share = Math.max(0, moment_ - begun) / PLAY_MS;
    if (share >= 1) {
      setSpan(null);
      done();
      return;
    }
    setSpan([first, first + share * (last - first)]);
    request = requestAnimationFrame(tick);
  };
  request = requestAnimationFrame(tick);
  return () => cancelAnimationFrame(request);
}
