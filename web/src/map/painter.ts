// Draws one frame of the map.

import type { Attention, Position, Run, Span, Stay, Thing, ThingHistory } from "../api";
import type { State } from "../state";
import { capital, within } from "../words";
import { barLength, type Camera, type Size, toScreen } from "./camera";
import { css, kindColour, type Palette } from "./colours";
import type { Picture } from "./ground";
import { Labels } from "./labels";
import type { PointLayer } from "./points";
import type { Raster } from "./raster";
import { arrow, dot, hollow, line, pin, ring, shortened, square } from "./shapes";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const GLOWS = 60;
/** So many things, at most, are named at once: those seen last. */
const NAMED = 250;
/** Of more things than that, dots are plain squares: they are drawn many times faster. */
const ROUND = 600;

export interface Frame {
  context: CanvasRenderingContext2D;
  size: Size;
  ratio: number;
  camera: Camera;
  palette: Palette;
  state: State;
  ground: Picture | null;
  points: PointLayer;
  raster: Raster;
  pulses: { x: number; y: number; age: number }[];
  aim: boolean;
}

/** Where a thing was at the end of a span; null where nobody knew of it. */
export function stayAt(thing: Thing, span: Span | null): Stay | null {
  if (!span) return thing.stays.at(-1) ?? null;
  const begun = thing.stays.filter((stay) => stay.start_ms <= span[1]);
  const last = begun.at(-1);
  if (!last || (last.end_ms !== null && last.end_ms < span[0])) return null;
  return last;
}

export function paint(frame: Frame): void {
  const { context, size, ratio, palette, state } = frame;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = css(palette.map);
  context.fillRect(0, 0, size.width, size.height);
  ground(frame);
  frame.raster.begin(size, ratio);
  const runs = state.paths?.runs ?? [];
  runs.forEach((run, number) => path(frame, run, (number + 1) / runs.length));
  frame.points.draw(frame.raster, frame.camera, ratio, palette.point, state.span);
  frame.raster.finish(context, size);
  if (state.attention) glow(frame, state.attention);
  context.font = `12px ${FONT}`;
  const labels = new Labels(context, palette, size);
  robot(frame, labels);
  const dots = things(frame, labels);
  const pinned = answerPin(frame, labels);
  if (state.history) trail(frame, state.history, labels);
  names(frame, labels, dots, pinned);
  rooms(frame, labels);
  spot(frame);
  pulses(frame);
  if (frame.aim) crosshair(frame);
  bar(frame);
}

function at(frame: Frame, x: number, y: number): [number, number] {
  return toScreen(frame.camera, frame.size, x, y);
}

function inside(frame: Frame, x: number, y: number, margin = 40): boolean {
  const { width, height } = frame.size;
  return x > -margin && y > -margin && x < width + margin && y < height + margin;
}

function ground(frame: Frame): void {
  const picture = frame.ground;
  if (!picture) return;
  const [left, top] = at(frame, picture.left, picture.top);
  const scale = frame.camera.scale / picture.metre;
  frame.context.imageSmoothingEnabled = true;
  frame.context.imageSmoothingQuality = "high";
  frame.context.drawImage(
    picture.canvas, left, top, picture.canvas.width * scale, picture.canvas.height * scale,
  ); // prettier-ignore
}

/** What a robot drove; older stretches are fainter. Corners closer than a pixel are left out. */
function path(frame: Frame, run: Run, rank: number): void {
  const { raster, palette, state, ratio } = frame;
  const [start, end] = state.span ?? [-Infinity, Infinity];
  if (run.start_ms > end || run.start_ms + (run.t.at(-1) ?? 0) < start) return;
  const alpha = 255 * (0.15 + 0.7 * rank ** 3);
  let before: [number, number] | null = null;
  for (let i = 0; i < run.x.length; i++) {
    const moment = run.start_ms + run.t[i]!;
    if (moment < start || moment > end) {
      before = null;
      continue;
    }
    const [left, top] = at(frame, run.x[i]! / 100, run.y[i]! / 100);
    const here: [number, number] = [left * ratio, top * ratio];
    if (before) {
      const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
      if (dx * dx + dy * dy < 1.5 && i < run.x.length - 1) continue;
      raster.line(before[0], before[1], here[0], here[1], palette.path, alpha);
      if (ratio > 1.5) raster.line(before[0] + 1, before[1], here[0] + 1, here[1], palette.path, alpha);
    }
    before = here;
  }
}

function glow(frame: Frame, attention: Attention): void {
  const { context, palette, state } = frame;
  const shown = attention.points
    .filter((item) => item.level === state.level && item.position && item.attention > 0.004)
    .slice(0, GLOWS);
  const most = Math.max(1e-9, ...shown.map((item) => item.attention));
  for (const item of shown) {
    const [x, y] = at(frame, item.position![0], item.position![1]);
    if (!inside(frame, x, y, 90)) continue;
    const share = Math.sqrt(item.attention / most);
    const radius = Math.max(14, Math.min(90, frame.camera.scale * 0.9)) * (0.5 + 0.5 * share);
    const light = context.createRadialGradient(x, y, 0, x, y, radius);
    light.addColorStop(0, css(palette.heat, 0.75 * share));
    light.addColorStop(0.5, css(palette.heat, 0.28 * share));
    light.addColorStop(1, css(palette.heat, 0));
    context.fillStyle = light;
    context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
}

/** Where the answer is: a pin, what it is called, and from where it was seen. */
function answerPin(frame: Frame, labels: Labels): [number, number] | null {
  const { context, palette, state } = frame;
  const answer = state.answer;
  if (!answer || answer.abstained) return null;
  const levels = state.overview?.levels ?? [];
  const height = levels[state.level];
  const here = (mapId: string, position: Position | null) =>
    position !== null && mapId === height?.map_id && onLevel(levels, height.number, position[2]);
  const chosen = answer.evidence[state.evidence];
  for (const item of answer.evidence) {
    if (item === chosen || !here(item.map_id, item.position)) continue;
    const [x, y] = at(frame, item.position![0], item.position![1]);
    ring(context, x, y, 6, palette.accent, palette.halo);
    labels.keep(x, y, 8);
  }
  const position = chosen?.position ?? answer.position;
  if (!here(chosen?.map_id ?? answer.map_id, position)) return null;
  const [x, y] = at(frame, position![0], position![1]);
  const from = state.attention?.points.find((item) => item.id === chosen?.id)?.standpoint;
  if (from) {
    const [fromX, fromY] = at(frame, from[0], from[1]);
    context.setLineDash([2, 5]);
    context.strokeStyle = palette.accent;
    context.lineWidth = 1.5;
    line(context, fromX, fromY, x, y);
    context.setLineDash([]);
    ring(context, fromX, fromY, 3, palette.accent, palette.halo);
  }
  pin(context, x, y, palette.accent, palette.halo);
  labels.keep(x, y - 14, 14);
  context.font = `600 14px ${FONT}`;
  const words = chosen?.text?.split(":")[0] ?? "";
  if (words) labels.beside(shortened(words, 34), x, y - 18, 18, palette.ink, true);
  context.font = `12px ${FONT}`;
  return [x, y];
}

function onLevel(levels: readonly { number: number; map_id: string; height_m: number }[], number: number, z: number) {
  const own = levels.filter((level) => level.map_id === levels[number]?.map_id);
  const below = own.filter((level) => level.height_m <= z + 0.4);
  return (below.at(-1) ?? own[0])?.number === number;
}

/** Where a thing was, oldest first: hollow where it is no more. */
function trail(frame: Frame, history: ThingHistory, labels: Labels): void {
  const { context, palette, state } = frame;
  const stays = history.history.filter((stay) => stay.level === state.level);
  const span = state.overview?.span_ms;
  const long = span ? span[1] - span[0] : 0;
  context.strokeStyle = palette.accent;
  for (let i = 1; i < stays.length; i++) {
    const [x0, y0] = at(frame, stays[i - 1]!.position[0], stays[i - 1]!.position[1]);
    const [x1, y1] = at(frame, stays[i]!.position[0], stays[i]!.position[1]);
    context.globalAlpha = 0.25 + (0.6 * i) / stays.length;
    context.lineWidth = 2;
    context.setLineDash([5, 5]);
    line(context, x0, y0, x1, y1);
    context.setLineDash([]);
    arrow(context, x0, y0, x1, y1, palette.accent);
  }
  context.globalAlpha = 1;
  stays.forEach((stay, number) => {
    const [x, y] = at(frame, stay.position[0], stay.position[1]);
    const last = number === stays.length - 1;
    context.globalAlpha = last ? 1 : 0.4 + (0.5 * number) / stays.length;
    if (last && !history.gone) ring(context, x, y, 9, palette.accent, palette.halo);
    else hollow(context, x, y, palette.accent, palette.halo);
    context.globalAlpha = 1;
    labels.keep(x, y, 9);
  });
  const told: [number, number][] = [];
  for (const stay of [...stays].reverse()) {
    const [x, y] = at(frame, stay.position[0], stay.position[1]);
    if (told.some((other) => Math.hypot(other[0] - x, other[1] - y) < 28)) continue;
    const last = !told.length;
    context.font = last ? `600 13px ${FONT}` : `11px ${FONT}`;
    const words = last
      ? `${history.label}${history.gone ? " (gone)" : ""}`
      : `from ${within(stay.start_ns / 1e6, long)}`;
    labels.beside(words, x, y, 14, last ? palette.ink : palette.soft, last);
    told.push([x, y]);
  }
  context.font = `12px ${FONT}`;
}

interface Dot {
  x: number;
  y: number;
  thing: Thing;
  faint: boolean;
}

/** A dot for every thing; returns those that may be named. */
function things(frame: Frame, labels: Labels): Dot[] {
  const { context, palette, state } = frame;
  const chosen = new Set(state.below);
  const shown: Dot[] = [];
  for (const thing of state.things) {
    const stay = stayAt(thing, state.span);
    if (!stay || stay.level !== state.level || thing.id === state.thing) continue;
    const [x, y] = at(frame, stay.x, stay.y);
    if (!inside(frame, x, y)) continue;
    const gone = stay.end_ms !== null && (!state.span || stay.end_ms <= state.span[1]);
    const aside = chosen.size > 0 && !chosen.has(stay.place ?? "");
    shown.push({ x, y, thing, faint: gone || aside });
  }
  const radius = dotRadius(frame);
  for (const { x, y, faint } of shown) {
    context.globalAlpha = faint ? 0.35 : 1;
    if (shown.length <= ROUND) dot(context, x, y, radius, palette.ink, palette.halo);
    else square(context, x, y, radius, palette.ink);
  }
  context.globalAlpha = 1;
  const named = shown.length > NAMED ? shown.filter((item) => !item.faint).slice(0, NAMED) : shown;
  for (const { x, y } of named) labels.keep(x, y, radius + 1);
  return named;
}

function dotRadius({ camera }: Frame): number {
  return camera.scale > 30 ? 4 : camera.scale > 12 ? 3 : 2;
}

function names(frame: Frame, labels: Labels, dots: Dot[], pinned: [number, number] | null): void {
  if (frame.camera.scale < 14) return;
  const gap = dotRadius(frame) + 5;
  for (const { x, y, thing, faint } of dots) {
    const underPin = pinned && Math.hypot(x - pinned[0], y - pinned[1]) < 4;
    if (!faint && !underPin) labels.beside(thing.label, x, y, gap, frame.palette.ink);
  }
}

/** What the areas are called; a name once where areas of one kind lie side by side. */
function rooms(frame: Frame, labels: Labels): void {
  const { context, palette, state } = frame;
  context.font = `600 11px ${FONT}`;
  const written: { kind: string; x: number; y: number }[] = [];
  const known = [...state.places].sort((a, b) => b.confidence - a.confidence);
  for (const place of known) {
    if (place.level !== state.level || !place.kind) continue;
    const [x, y] = at(frame, place.centre[0], place.centre[1]);
    if (!inside(frame, x, y, 0)) continue;
    const near = written.some(
      (other) => other.kind === place.kind && Math.hypot(other.x - x, other.y - y) < 190,
    );
    if (near) continue;
    const words = capital(place.kind);
    const colour = mixColour(kindColour(place.kind), palette);
    if (labels.centred(words, x, y, colour)) written.push({ kind: place.kind, x, y });
  }
  context.font = `12px ${FONT}`;
}

function mixColour(colour: string, palette: Palette): string {
  return `color-mix(in srgb, ${colour} 55%, ${palette.ink})`;
}

/** Where the robot was at the end of what is shown. */
function robot(frame: Frame, labels: Labels): void {
  const { context, palette, state } = frame;
  const end = state.span?.[1] ?? Infinity;
  const newest = new Map<string, { x: number; y: number; turn: number; t: number }>();
  for (const run of state.paths?.runs ?? []) {
    let i = run.t.length - 1;
    while (i >= 0 && run.start_ms + run.t[i]! > end) i--;
    if (i < 0) continue;
    const t = run.start_ms + run.t[i]!;
    if ((newest.get(run.robot)?.t ?? -Infinity) > t) continue;
    const before = Math.max(0, i - 1);
    const turn = Math.atan2(run.y[i]! - run.y[before]!, run.x[i]! - run.x[before]!);
    newest.set(run.robot, { x: run.x[i]! / 100, y: run.y[i]! / 100, turn, t });
  }
  for (const { x, y, turn } of newest.values()) {
    const [left, top] = at(frame, x, y);
    labels.keep(left, top, 10);
    context.save();
    context.translate(left, top);
    context.rotate(-turn);
    context.beginPath();
    context.moveTo(10, 0);
    context.lineTo(-7, 6.5);
    context.lineTo(-4, 0);
    context.lineTo(-7, -6.5);
    context.closePath();
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = palette.halo;
    context.stroke();
    context.fillStyle = palette.accent;
    context.fill();
    context.restore();
  }
}

function spot(frame: Frame): void {
  const { context, palette, state } = frame;
  if (!state.spot) return;
  const [x, y] = at(frame, state.spot.x, state.spot.y);
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.stroke();
}

function pulses(frame: Frame): void {
  const { context, palette } = frame;
  for (const pulse of frame.pulses) {
    const [x, y] = at(frame, pulse.x, pulse.y);
    context.globalAlpha = Math.max(0, 1 - pulse.age);
    context.beginPath();
    context.arc(x, y, 4 + 18 * pulse.age, 0, 2 * Math.PI);
    context.strokeStyle = palette.accent;
    context.lineWidth = 2;
    context.stroke();
    dot(context, x, y, 3, palette.accent, palette.halo);
  }
  context.globalAlpha = 1;
}

function crosshair(frame: Frame): void {
  const { context, palette, size } = frame;
  const [x, y] = [size.width / 2, size.height / 2];
  context.strokeStyle = palette.soft;
  context.lineWidth = 1;
  line(context, x - 9, y, x + 9, y);
  line(context, x, y - 9, x, y + 9);
}

function bar(frame: Frame): void {
  const { context, palette, size, camera } = frame;
  const length = barLength(camera, 110);
  const pixels = length * camera.scale;
  const [left, bottom] = [16, size.height - 16];
  context.lineWidth = 3.5;
  context.strokeStyle = palette.halo;
  line(context, left, bottom, left + pixels, bottom);
  context.lineWidth = 1.5;
  context.strokeStyle = palette.soft;
  line(context, left, bottom, left + pixels, bottom);
  context.font = `11px ${FONT}`;
  context.fillStyle = palette.soft;
  const words = length >= 1000 ? `${length / 1000} km` : length < 1 ? `${Math.round(length * 100)} cm` : `${length} m`;
  context.textBaseline = "alphabetic";
  context.fillText(words, left, bottom - 6);
}
