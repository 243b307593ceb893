// The map itself: a camera over a canvas, what the hand does to it, and when it is drawn.

import { type Points, view } from "../api";
import { chooseThing, choosePlace, clearSelection, map, nearby, report } from "../actions";
import { listen, now, type State } from "../state";
import { between, bounded, type Camera, corners, type Corners, fitting, type Size, toMap, toScreen, zoomed } from "./camera";
import { type Palette, readPalette } from "./colours";
import { cellsOf, paintGround, type Picture, placeAt } from "./ground";
import { paint, stayAt } from "./painter";
import { PointLayer } from "./points";
import { Raster } from "./raster";

const EXACT = 50_000;
const FLIGHT_MS = 450;
const PULSE_MS = 1_600;
const NEAR_PX = 16;
/** A server that refused is not asked again at once, however often the page is drawn. */
const REFUSED_MS = 2_000;

interface Held {
  level: number;
  exact: boolean;
  whole: boolean;
  cell: number;
  box: Corners | null;
  span: string;
}

export class Chart {
  private readonly context: CanvasRenderingContext2D;
  private readonly points = new PointLayer();
  private readonly raster = new Raster();
  private readonly watcher: ResizeObserver;
  private readonly stops: (() => void)[] = [];
  private camera: Camera = { x: 0, y: 0, scale: 40 };
  private size: Size = { width: 1, height: 1 };
  private palette: Palette;
  private state: State = now();
  private ground: Picture | null = null;
  private cells: Uint16Array | null = null;
  private held: Held | null = null;
  private coming: Held | null = null;
  private fetching: AbortController | null = null;
  private waiting = 0;
  private refused = -REFUSED_MS;
  private pulses: { x: number; y: number; since: number }[] = [];
  private flight: { from: Camera; to: Camera; since: number } | null = null;
  private framed = false;
  private touched = false;
  private dirty = false;
  private aim = false;
  private paintMs = 0;
  private readonly touches = new Map<number, { x: number; y: number }>();
  private pressed: { x: number; y: number; moved: boolean } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly root: Element,
  ) {
    this.context = canvas.getContext("2d", { alpha: false })!;
    this.palette = readPalette(root);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(canvas);
    this.stops.push(listen((state) => this.show(state)));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const recolour = () => this.recolour();
    dark.addEventListener("change", recolour);
    this.stops.push(() => dark.removeEventListener("change", recolour));
    this.listenToHand();
    map.fly = (x, y, width) => this.fly(x, y, width);
    map.fit = (low, high) => this.fit(low, high);
    map.look = () => this.fetchPoints();
    this.resize();
    this.show(now());
  }

  close(): void {
    this.watcher.disconnect();
    for (const stop of this.stops) stop();
  }

  // -- what is shown ------------------------------------------------------------------------

  private show(state: State): void {
    const before = this.state;
    this.state = state;
    if (state.theme !== before.theme) queueMicrotask(() => this.recolour());
    if (state.ground !== before.ground) this.cells = state.ground && cellsOf(state.ground);
    if (
      state.ground !== before.ground || state.places !== before.places ||
      state.attention !== before.attention || state.below !== before.below
    ) this.repaintGround(); // prettier-ignore
    if (state.overview && !this.framed && state.overview.levels.length) {
      this.framed = true;
      this.fit();
    }
    if (state.level !== before.level) {
      this.touched = false;
      this.points.clear();
      this.held = null;
      this.fit();
    }
    if (state.ground && !before.ground && !this.touched && !state.asked) this.fit();
    if (state.overview !== before.overview && this.held) {
      this.held.box = null;
      this.coming = null;
    }
    this.wantPoints(60);
    this.draw();
  }

  private repaintGround(): void {
    const { ground, places, attention, below } = this.state;
    this.ground =
      ground && this.cells
        ? paintGround(ground, this.cells, places, this.palette, {
            heat: attention?.nodes ?? null,
            chosen: new Set(below),
          })
        : null;
    this.draw();
  }

  private recolour(): void {
    this.palette = readPalette(this.root);
    this.repaintGround();
  }

  /** New observations, straight from the robot. */
  arrive(x: number, y: number): void {
    this.pulses.push({ x, y, since: performance.now() });
    if (this.pulses.length > 60) this.pulses.shift();
    this.draw();
  }

  // -- points from the server -----------------------------------------------------------------

  private wantPoints(delay = 120): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.fetchPoints(), delay);
  }

  private async fetchPoints(): Promise<void> {
    const level = this.state.overview?.levels[this.state.level];
    if (!level) return;
    const pause = this.refused + REFUSED_MS - performance.now();
    if (pause > 0) {
      this.wantPoints(pause);
      return;
    }
    const box = corners(this.camera, this.size);
    const cell = 2 ** Math.ceil(Math.log2(3 / this.camera.scale));
    const few = level.observations <= EXACT;
    const span = few ? "" : String(this.state.span);
    if ([this.held, this.coming].some((known) => known && this.holds(known, box, cell, span))) return;
    const [width, height] = [box.x1 - box.x0, box.y1 - box.y0];
    const wide = few
      ? { x0: level.low[0] - 1, y0: level.low[1] - 1, x1: level.high[0] + 1, y1: level.high[1] + 1 }
      : { x0: box.x0 - width / 3, y0: box.y0 - height / 3, x1: box.x1 + width / 3, y1: box.y1 + height / 3 };
    this.fetching?.abort();
    const fetching = new AbortController();
    this.fetching = fetching;
    const coming = { level: level.number, exact: few, whole: few, cell, box: wide, span };
    this.coming = coming;
    const times = few ? {} : { start_ms: this.state.span?.[0], end_ms: this.state.span?.[1] };
    try {
      const found = await view<Points>(
        "points",
        { level: level.number, ...wide, cell_m: cell, ...times },
        fetching.signal,
      );
      if (this.state.level !== level.number) return;
      this.points.hold(found);
      this.canvas.dataset.points = String(this.points.count);
      this.held = { ...coming, exact: found.exact };
      this.draw();
    } catch (error) {
      if (!fetching.signal.aborted) this.refused = performance.now();
      report(error);
    } finally {
      if (this.coming === coming) this.coming = null;
    }
  }

  private holds(held: Held, box: Corners, cell: number, span: string): boolean {
    if (!held.box || held.level !== this.state.level || held.span !== span) return false;
    if (held.whole) return true;
    const covered =
      held.box.x0 <= box.x0 && held.box.y0 <= box.y0 && held.box.x1 >= box.x1 && held.box.y1 >= box.y1;
    return covered && (held.exact || held.cell === cell);
  }

  // -- drawing --------------------------------------------------------------------------------

  draw(): void {
    if (this.dirty) return;
    this.dirty = true;
    this.canvas.dataset.still = "0";
    requestAnimationFrame((moment) => this.frame(moment));
  }

  private frame(moment: number): void {
    this.dirty = false;
    const flying = this.advance(moment);
    this.pulses = this.pulses.filter((pulse) => moment - pulse.since < PULSE_MS);
    const begun = performance.now();
    paint({
      context: this.context,
      size: this.size,
      ratio: this.ratio,
      camera: this.camera,
      palette: this.palette,
      state: this.state,
      ground: this.ground,
      points: this.points,
      raster: this.raster,
      pulses: this.pulses.map(({ x, y, since }) => ({ x, y, age: (moment - since) / PULSE_MS })),
      aim: this.aim,
    });
    this.paintMs = 0.9 * this.paintMs + 0.1 * (performance.now() - begun);
    this.canvas.dataset.paint = this.paintMs.toFixed(1);
    const { x, y, scale } = this.camera;
    this.canvas.dataset.camera = `${x} ${y} ${scale}`;
    const settled = !this.flight && this.state.ground && this.held;
    this.canvas.dataset.still = settled ? "1" : "0";
    this.canvas.dataset.frames = String(Number(this.canvas.dataset.frames ?? 0) + 1);
    if (flying || this.pulses.length) this.draw();
  }

  private advance(moment: number): boolean {
    if (!this.flight) return false;
    const share = Math.min(1, Math.max(0, (moment - this.flight.since) / FLIGHT_MS));
    this.camera = between(this.flight.from, this.flight.to, share);
    if (share >= 1) {
      this.flight = null;
      this.wantPoints();
    }
    return share < 1;
  }

  private get ratio(): number {
    return Math.min(2, window.devicePixelRatio || 1);
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.size = { width: clientWidth, height: clientHeight };
    this.canvas.width = Math.round(clientWidth * this.ratio);
    this.canvas.height = Math.round(clientHeight * this.ratio);
    this.wantPoints();
    this.draw();
  }

  // -- moving ---------------------------------------------------------------------------------

  private turnTo(camera: Camera): void {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still || !this.held) {
      this.flight = null;
      this.camera = camera;
      this.wantPoints();
    } else {
      this.flight = { from: this.camera, to: camera, since: performance.now() };
    }
    this.draw();
  }

  private fly(x: number, y: number, width?: number): void {
    const level = this.state.overview?.levels[this.state.level];
    const across = level ? Math.max(level.high[0] - level.low[0], level.high[1] - level.low[1]) : 10;
    const wanted = width ?? Math.max(8, Math.min(40, across * 0.7));
    const scale = Math.max(this.camera.scale, Math.min(this.size.width, this.size.height * 1.4) / wanted);
    this.turnTo(this.withinGround(bounded({ x, y, scale: Math.min(scale, 160) })));
  }

  /** A camera that shows little of what is not known, where it can be helped. */
  private withinGround(camera: Camera): Camera {
    const { ground } = this.state;
    if (!ground?.width) return camera;
    const inside = (middle: number, low: number, length: number, view: number) => {
      const free = Math.max(0, length - view) / 2;
      const centre = low + length / 2;
      return Math.min(centre + free, Math.max(centre - free, middle));
    };
    const { scale } = camera;
    return {
      scale,
      x: inside(camera.x, ground.left, ground.width * ground.cell_m, this.size.width / scale),
      y: inside(camera.y, ground.bottom, ground.height * ground.cell_m, this.size.height / scale),
    };
  }

  fit(low?: readonly number[], high?: readonly number[]): void {
    const level = this.state.overview?.levels[this.state.level];
    if (low && high) {
      this.turnTo(fitting(this.size, low, high));
    } else if (level) {
      const around = this.state.ground;
      const [a, b] =
        around && around.width
          ? [
              [around.left, around.bottom],
              [around.left + around.width * around.cell_m, around.bottom + around.height * around.cell_m],
            ]
          : [level.low.map((v) => v - 1.5), level.high.map((v) => v + 1.5)];
      this.turnTo(fitting(this.size, a!, b!, 16));
    }
  }

  zoom(factor: number): void {
    this.turnTo(zoomed(this.camera, this.size, this.size.width / 2, this.size.height / 2, factor));
  }

  private listenToHand(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.touched = true;
      this.touches.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      this.pressed = { x: event.offsetX, y: event.offsetY, moved: this.touches.size > 1 };
      this.flight = null;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.touches.has(event.pointerId)) this.drag(event.pointerId, event.offsetX, event.offsetY);
      else canvas.classList.toggle("over", this.thingAt(event.offsetX, event.offsetY) !== null);
    });
    const lift = (event: PointerEvent) => {
      this.touches.delete(event.pointerId);
      if (event.type === "pointerup" && this.pressed && !this.pressed.moved && !this.touches.size) {
        this.click(event.offsetX, event.offsetY);
      }
      if (!this.touches.size) this.pressed = null;
      this.wantPoints();
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.touched = true;
        this.flight = null;
        const lines = event.deltaMode === 1 ? 16 : 1;
        const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018));
        this.camera = zoomed(this.camera, this.size, event.offsetX, event.offsetY, factor);
        this.wantPoints();
        this.draw();
      },
      { passive: false },
    );
    canvas.addEventListener("dblclick", (event) => {
      this.turnTo(zoomed(this.camera, this.size, event.offsetX, event.offsetY, 2));
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => {
      this.aim = canvas.matches(":focus-visible");
      this.draw();
    });
    canvas.addEventListener("blur", () => {
      this.aim = false;
      this.draw();
    });
  }

  private drag(id: number, x: number, y: number): void {
    const last = this.touches.get(id)!;
    const others = [...this.touches].filter(([other]) => other !== id).map(([, at]) => at);
    if (this.pressed && Math.hypot(x - this.pressed.x, y - this.pressed.y) > 5) this.pressed.moved = true;
    const anchor = others[0];
    if (anchor) {
      const before = Math.hypot(last.x - anchor.x, last.y - anchor.y);
      const after = Math.hypot(x - anchor.x, y - anchor.y);
      if (before > 1) this.camera = zoomed(this.camera, this.size, anchor.x, anchor.y, after / before);
    } else {
      this.camera = {
        ...this.camera,
        x: this.camera.x - (x - last.x) / this.camera.scale,
        y: this.camera.y + (y - last.y) / this.camera.scale,
      };
    }
    this.touches.set(id, { x, y });
    this.wantPoints();
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    const step = 60 / this.camera.scale;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    }; // prettier-ignore
    const move = moves[event.key];
    if (move) {
      this.camera = { ...this.camera, x: this.camera.x + move[0], y: this.camera.y + move[1] };
      this.wantPoints();
      this.draw();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else if (event.key === "0" || event.key === "Home") this.fit();
    else if (event.key === "Enter" || event.key === " ") this.click(this.size.width / 2, this.size.height / 2);
    else if (event.key === "Escape") clearSelection();
    else return;
    event.preventDefault();
  }

  // -- what lies where --------------------------------------------------------------------------

  private thingAt(left: number, top: number): string | null {
    let best: string | null = null;
    let nearest = NEAR_PX;
    for (const thing of this.state.things) {
      const stay = stayAt(thing, this.state.span);
      if (!stay || stay.level !== this.state.level) continue;
      const [x, y] = toScreen(this.camera, this.size, stay.x, stay.y);
      const away = Math.hypot(x - left, y - top);
      if (away < nearest) [best, nearest] = [thing.id, away];
    }
    return best;
  }

  private click(left: number, top: number): void {
    const thing = this.thingAt(left, top);
    if (thing) {
      void chooseThing(thing, { fly: false });
      return;
    }
    const [x, y] = toMap(this.camera, this.size, left, top);
    const place = this.state.ground && this.cells && placeAt(this.state.ground, this.cells, x, y);
    if (place) choosePlace(place);
    else clearSelection();
    if (this.state.overview?.observations) void nearby(x, y, Math.max(0.75, 24 / this.camera.scale));
  }

  /** The map as a picture, to keep. */
  picture(): string {
    this.frame(performance.now());
    return this.canvas.toDataURL("image/png");
  }
}
