// The known ground as a picture: areas in the colours of their kinds, with a smooth outline.

import type { Ground, Place } from "../api";
import { kindColour, mixed, type Palette, rgb, type Rgb } from "./colours";

const UNKNOWN = 0xffff;
const BORDER = -1;
const MOST = 1400;

export interface Picture {
  canvas: HTMLCanvasElement;
  left: number;
  top: number;
  metre: number;
}

export interface Shown {
  heat: Record<string, number> | null;
  chosen: Set<string>;
}

export function cellsOf(ground: Ground): Uint16Array {
  const bytes = Uint8Array.from(atob(ground.cells), (letter) => letter.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

/** The place a position lies in; null where nothing is known. */
export function placeAt(ground: Ground, cells: Uint16Array, x: number, y: number): string | null {
  const column = Math.floor((x - ground.left) / ground.cell_m);
  const row = Math.floor((y - ground.bottom) / ground.cell_m);
  if (column < 0 || row < 0 || column >= ground.width || row >= ground.height) return null;
  return ground.places[cells[row * ground.width + column]!] ?? null;
}

/** Paint the ground at several pixels a cell; the outline is where a smoothed mask crosses a half. */
export function paintGround(
  ground: Ground,
  cells: Uint16Array,
  places: Place[],
  palette: Palette,
  shown: Shown,
): Picture | null {
  const { width, height } = ground;
  if (!width || !height) return null;
  const fine = Math.max(1, Math.min(6, Math.floor(MOST / Math.max(width, height))));
  const canvas = document.createElement("canvas");
  canvas.width = width * fine;
  canvas.height = height * fine;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const soft = smoothed(cells, width, height);
  const areas = areasOf(ground, places);
  const fills = fillsOf(areas, palette, shown);
  const border = packed(mixed(palette.ground, palette.wall, 0.22), 255);
  const soften = 0.5 / fine;
  const outline = 0.5 + 0.35 / fine;
  const thin = 0.8 / fine;
  for (let row = 0; row < canvas.height; row++) {
    const y = (canvas.height - 1 - row + 0.5) / fine - 0.5; // the map grows upwards
    for (let column = 0; column < canvas.width; column++) {
      const x = (column + 0.5) / fine - 0.5;
      const value = sampled(soft, width, height, x, y);
      if (value < 0.5 - soften) continue;
      const own = ownerAt(cells, width, height, x, y, areas, thin);
      if (own === UNKNOWN) continue;
      const at = row * canvas.width + column;
      if (value < outline) pixels[at] = packed(palette.wall, Math.min(1, (value - 0.5 + soften) / soften) * 255);
      else pixels[at] = own === BORDER ? border : (fills[own] ?? fills.at(-1)!);
    }
  }
  context.putImageData(image, 0, 0);
  return {
    canvas,
    left: ground.left,
    top: ground.bottom + height * ground.cell_m,
    metre: fine / ground.cell_m,
  };
}

interface Area {
  id: string;
  kind: string;
  /** Its middle, in cells. */
  x: number;
  y: number;
}

function areasOf(ground: Ground, places: Place[]): Area[] {
  const known = new Map(places.map((place) => [place.id, place]));
  return ground.places.map((id) => {
    const place = known.get(id);
    return {
      id,
      kind: place?.kind ?? "",
      x: place ? (place.centre[0] - ground.left) / ground.cell_m - 0.5 : NaN,
      y: place ? (place.centre[1] - ground.bottom) / ground.cell_m - 0.5 : NaN,
    };
  });
}

function fillsOf(areas: Area[], palette: Palette, shown: Shown): number[] {
  const weights = areas.map(({ id }) => shown.heat?.[id] ?? 0);
  const most = Math.max(1e-9, ...weights);
  const fills = areas.map(({ id, kind }, number) => {
    let colour: Rgb = palette.ground;
    if (kind) colour = mixed(colour, rgb(kindColour(kind)), palette.tint * (shown.heat ? 0.4 : 1));
    const weight = weights[number]! / most;
    if (weight > 0.004) colour = mixed(colour, palette.heat, 0.06 + 0.34 * Math.min(1, weight) ** 0.6);
    if (shown.chosen.has(id)) return packed(mixed(colour, kind ? rgb(kindColour(kind)) : palette.wall, 0.22), 255);
    return packed(shown.chosen.size ? mixed(colour, palette.map, 0.6) : colour, 255);
  });
  const plain = shown.chosen.size ? mixed(palette.ground, palette.map, 0.6) : palette.ground;
  return [...fills, packed(plain, 255)];
}

function packed([r, g, b]: Rgb, alpha: number): number {
  return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** A 3 by 3 binomial filter over the mask of what is known. */
function smoothed(cells: Uint16Array, width: number, height: number): Float32Array {
  const mask = Float32Array.from(cells, (cell) => (cell === UNKNOWN ? 0 : 1));
  const across = new Float32Array(mask.length);
  const result = new Float32Array(mask.length);
  for (let i = 0; i < mask.length; i++) {
    const column = i % width;
    const before = column ? mask[i - 1]! : 0;
    const after = column < width - 1 ? mask[i + 1]! : 0;
    across[i] = (before + 2 * mask[i]! + after) / 4;
  }
  for (let i = 0; i < mask.length; i++) {
    const row = Math.floor(i / width);
    const before = row ? across[i - width]! : 0;
    const after = row < height - 1 ? across[i + width]! : 0;
    result[i] = (before + 2 * across[i]! + after) / 4;
  }
  return result;
}

function sampled(values: Float32Array, width: number, height: number, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const right = x - column;
  const up = y - row;
  const at = (c: number, r: number) =>
    c < 0 || r < 0 || c >= width || r >= height ? 0 : values[r * width + c]!;
  return (
    (at(column, row) * (1 - right) + at(column + 1, row) * right) * (1 - up) +
    (at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right) * up
  );
}

/** The area of a point between cells: of those of the cells around it, the one whose middle is nearest. */
function ownerAt(
  cells: Uint16Array,
  width: number,
  height: number,
  x: number,
  y: number,
  areas: Area[],
  thin: number,
): number {
  const column = Math.min(width - 1, Math.max(0, Math.round(x)));
  const row = Math.min(height - 1, Math.max(0, Math.round(y)));
  const own = cells[row * width + column]!;
  let [first, second, near, next] = [UNKNOWN, UNKNOWN, Infinity, Infinity];
  let differs = own === UNKNOWN;
  for (let r = Math.max(0, row - 1); r <= Math.min(height - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(width - 1, column + 1); c++) {
      const other = cells[r * width + c]!;
      if (other === UNKNOWN || other === first || other === second) continue;
      differs ||= other !== own;
      const area = areas[other];
      const away = area ? (area.x - x) ** 2 + (area.y - y) ** 2 : 0;
      if (away < near) [second, next, first, near] = [first, near, other, away];
      else if (away < next) [second, next] = [other, away];
    }
  }
  if (!differs) return own;
  const [a, b] = [areas[first], areas[second]];
  if (!a || !b || a.kind === b.kind) return first;
  const toBorder = (next - near) / (2 * Math.hypot(a.x - b.x, a.y - b.y));
  return toBorder < thin ? BORDER : first;
}
