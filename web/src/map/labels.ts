// Words on the map, where there is room for them.

import type { Palette } from "./colours";

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export class Labels {
  private readonly taken: Box[] = [];

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly palette: Palette,
    private readonly size: { width: number; height: number },
  ) {}

  /** Keep a square free, for a dot. */
  keep(x: number, y: number, radius: number): void {
    this.taken.push({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius });
  }

  /** Write beside a dot; false where there is no room on any side. */
  beside(words: string, x: number, y: number, gap: number, colour: string, must = false): boolean {
    const width = this.context.measureText(words).width;
    const places: [number, number][] = [
      [x + gap, y],
      [x - gap - width, y],
      [x - width / 2, y - gap - 7],
      [x - width / 2, y + gap + 7],
    ];
    for (const [left, middle] of places) {
      if (this.write(words, left, middle, width, colour, false)) return true;
    }
    return must && this.write(words, x + gap, y, width, colour, true);
  }

  /** Write in the middle of an area. */
  centred(words: string, x: number, y: number, colour: string): boolean {
    const width = this.context.measureText(words).width;
    return this.write(words, x - width / 2, y, width, colour, false);
  }

  private write(
    words: string,
    left: number,
    middle: number,
    width: number,
    colour: string,
    must: boolean,
  ): boolean {
    const box = { left: left - 3, top: middle - 8, right: left + width + 3, bottom: middle + 8 };
    const meets = (other: Box) =>
      box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top;
    const outside = box.left < 2 || box.right > this.size.width - 2;
    if (!must && (outside || this.taken.some(meets))) return false;
    this.taken.push(box);
    const { context } = this;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = this.palette.halo;
    context.strokeText(words, left, middle);
    context.fillStyle = colour;
    context.fillText(words, left, middle);
    return true;
  }
}
