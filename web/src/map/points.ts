// Where observations were made: each of them, or how many by cell.

import type { Points, Span } from "../api";
import type { Camera } from "./camera";
import type { Rgb } from "./colours";
import type { Raster } from "./raster";

const STEPS = 6;

export class PointLayer {
  private x = new Float32Array(0);
  private y = new Float32Array(0);
  private step = new Uint8Array(0);
  private times: Float64Array | null = null;
  /** Side of a cell that a point stands for, metres; 0 where each stands for itself. */
  private cell = 0;
  count = 0;

  /** Take what the server sent. */
  hold(points: Points): void {
    this.count = points.x.length;
    const cell = points.cell_m ?? 0;
    this.cell = cell;
    const middle = (value: number) =>
      cell ? (Math.floor(value / 100 / cell) + 0.5) * cell : value / 100;
    this.x = Float32Array.from(points.x, middle);
    this.y = Float32Array.from(points.y, middle);
    const start = points.start_ms ?? 0;
    this.times = points.t ? Float64Array.from(points.t, (value) => start + value) : null;
    const most = Math.log1p(points.n ? points.n.reduce((a, b) => Math.max(a, b), 1) : 1);
    this.step = points.n
      ? Uint8Array.from(points.n, (n) => Math.min(STEPS - 1, Math.floor((Math.log1p(n) / most) * STEPS)))
      : new Uint8Array(this.count).fill(this.count > 5_000 ? 2 : 1);
  }

  clear(): void {
    this.count = 0;
  }

  /** Draw what lies in a span of time, at `ratio` times the page's resolution. */
  draw(raster: Raster, camera: Camera, ratio: number, [red, green, blue]: Rgb, span: Span | null): void {
    const { x, y, step, times } = this;
    const inks = new Uint32Array(STEPS);
    for (let i = 0; i < STEPS; i++) {
      const [least, more] = this.cell ? [0.07, 0.4] : [0.2, 0.62];
      const alpha = Math.round(255 * (least + (more * i) / (STEPS - 1)));
      inks[i] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
    const scale = camera.scale * ratio;
    const dot = Math.round((camera.scale > 60 ? 3 : 2) * ratio);
    const side = this.cell ? Math.max(1, Math.ceil(this.cell * scale)) : dot;
    const left = raster.width / 2 - camera.x * scale - side / 2;
    const top = raster.height / 2 + camera.y * scale - side / 2;
    const [start, end] = span ?? [-Infinity, Infinity];
    for (let i = 0; i < this.count; i++) {
      if (times && (times[i]! < start || times[i]! > end)) continue;
      raster.square(Math.round(x[i]! * scale + left), Math.round(top - y[i]! * scale), side, inks[step[i]!]!);
    }
  }
}
