// Where the map is looked at: metres to pixels and back, with north up.

export interface Camera {
  /** Middle of the view, metres. */
  x: number;
  y: number;
  /** Pixels a metre. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Corners = { x0: number; y0: number; x1: number; y1: number };

const MOST = 600;
const LEAST = 0.02;

export function bounded(camera: Camera): Camera {
  return { ...camera, scale: Math.min(MOST, Math.max(LEAST, camera.scale)) };
}

export function toScreen(camera: Camera, size: Size, x: number, y: number): [number, number] {
  return [
    (x - camera.x) * camera.scale + size.width / 2,
    (camera.y - y) * camera.scale + size.height / 2,
  ];
}

export function toMap(camera: Camera, size: Size, left: number, top: number): [number, number] {
  return [
    camera.x + (left - size.width / 2) / camera.scale,
    camera.y - (top - size.height / 2) / camera.scale,
  ];
}

/** Zoom by a factor so that what lies under a pixel stays there. */
export function zoomed(camera: Camera, size: Size, left: number, top: number, factor: number): Camera {
  const [x, y] = toMap(camera, size, left, top);
  const { scale } = bounded({ ...camera, scale: camera.scale * factor });
  return {
    scale,
    x: x - (left - size.width / 2) / scale,
    y: y + (top - size.height / 2) / scale,
  };
}

export function fitting(size: Size, low: readonly number[], high: readonly number[], margin = 84): Camera {
  const [x0 = 0, y0 = 0] = low;
  const [x1 = 1, y1 = 1] = high;
  const inset = Math.min(margin, size.width / 6, size.height / 6);
  const scale = Math.min(
    (size.width - 2 * inset) / Math.max(x1 - x0, 2.5),
    (size.height - 2 * inset) / Math.max(y1 - y0, 2.5),
  );
  return bounded({ x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(scale, LEAST) });
}

export function corners(camera: Camera, size: Size): Corners {
  const [x0, y1] = toMap(camera, size, 0, 0);
  const [x1, y0] = toMap(camera, size, size.width, size.height);
  return { x0, y0, x1, y1 };
}

/** A camera on the way between two, with the zoom changing evenly to the eye. */
export function between(from: Camera, to: Camera, share: number): Camera {
  const eased = share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2;
  return {
    x: from.x + (to.x - from.x) * eased,
    y: from.y + (to.y - from.y) * eased,
    scale: from.scale * (to.scale / from.scale) ** eased,
  };
}

/** Length of a scale bar: 1, 2 or 5 times a power of ten, at most so many pixels. */
export function barLength(camera: Camera, most: number): number {
  const wanted = most / camera.scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [5, 2, 1].find((item) => item * power <= wanted) ?? 1;
  return step * power;
}
