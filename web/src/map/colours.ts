// Colours of the map, taken from the style sheet, so that light and dark are said once.

/** Colours that people with any colour vision tell apart (after Okabe and Ito 2008). */
const KINDS = ["#3d7fc4", "#d9822b", "#2e9e7c", "#c2699a", "#b0912b", "#5aaccf", "#8466b8", "#a37a62"];
const ORDER = [
  "kitchen", "bedroom", "living room", "bathroom", "office", "dining room", "hallway", "study",
]; // prettier-ignore

export type Rgb = [number, number, number];

/** The colour of a kind of room; the same word has the same colour on every page. */
export function kindColour(kind: string): string {
  if (!kind) return "";
  const known = ORDER.indexOf(kind);
  let number = known;
  if (known < 0) {
    number = 0;
    for (const letter of kind) number = (number * 31 + letter.charCodeAt(0)) >>> 0;
  }
  return KINDS[number % KINDS.length]!;
}

export interface Palette {
  map: Rgb;
  ground: Rgb;
  wall: Rgb;
  ink: string;
  soft: string;
  halo: string;
  accent: string;
  heat: Rgb;
  path: Rgb;
  point: Rgb;
  tint: number;
}

export function rgb(colour: string): Rgb {
  const digits = colour.trim().slice(1);
  const value = parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function mixed(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * share)) as Rgb;
}

export function css(colour: Rgb, alpha = 1): string {
  return `rgba(${colour.join(",")},${alpha})`;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    map: rgb(value("map")),
    ground: rgb(value("ground")),
    wall: rgb(value("wall")),
    ink: value("ink"),
    soft: value("soft"),
    halo: value("map-halo"),
    accent: value("accent"),
    heat: rgb(value("heat")),
    path: rgb(value("path")),
    point: rgb(value("point")),
    tint: Number(value("tint")),
  };
}
