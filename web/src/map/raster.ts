// Dots and lines written straight into pixels: a hundred thousand a frame without a graphics card.
// Where several meet, the most opaque one is seen.

import type { Size } from "./camera";
import type { Rgb } from "./colours";

export class Raster {
  private readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d", { willReadFrequently: true })!;
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);
  width = 0;
  height = 0;

  /** Begin a frame that is `ratio` times finer than the page. */
  begin(size: Size, ratio: number): void {
    const width = Math.max(1, Math.round(size.width * ratio));
    const height = Math.max(1, Math.round(size.height * ratio));
    if (!this.image || this.width !== width || this.height !== height) {
      this.canvas.width = this.width = width;
      this.canvas.height = this.height = height;
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    } else {
      this.pixels.fill(0);
    }
  }

  finish(target: CanvasRenderingContext2D, size: Size): void {
    this.context.putImageData(this.image!, 0, 0);
    target.drawImage(this.canvas, 0, 0, size.width, size.height);
  }

  /** A square whose upper left corner is given in whole pixels. */
  square(left: number, top: number, side: number, ink: number): void {
    const { pixels, width, height } = this;
    if (left < 0 || top < 0 || left + side > width || top + side > height) return;
    for (let row = 0, at = top * width + left; row < side; row++, at += width) {
      for (let column = 0; column < side; column++) {
        if (pixels[at + column]! < ink) pixels[at + column] = ink;
      }
    }
  }

  /** A line with soft edges (Wu 1991). */
  line(x0: number, y0: number, x1: number, y1: number, [red, green, blue]: Rgb, alpha: number): void {
    const { pixels, width, height } = this;
    const colour = (blue << 16) | (green << 8) | red;
    const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
    if (steep) [x0, y0, x1, y1] = [y0, x0, y1, x1];
    if (x0 > x1) [x0, x1, y0, y1] = [x1, x0, y1, y0];
    const [along, across] = steep ? [height, width] : [width, height];
    const slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    const first = Math.max(0, Math.round(x0));
    const last = Math.min(along - 1, Math.round(x1));
    const [stepAlong, stepAcross] = steep ? [width, 1] : [1, width];
    for (let i = first; i <= last; i++) {
      const middle = y0 + (i - x0) * slope;
      const floor = Math.floor(middle);
      if (floor < 0 || floor + 1 >= across) continue;
      const share = middle - floor;
      const at = i * stepAlong + floor * stepAcross;
      const near = (((alpha * (1 - share)) << 24) | colour) >>> 0;
      const far = (((alpha * share) << 24) | colour) >>> 0;
      if (pixels[at]! < near) pixels[at] = near;
      if (pixels[at + stepAcross]! < far) pixels[at + stepAcross] = far;
    }
  }
}
