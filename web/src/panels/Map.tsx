// The map with what lies over it: floors, zoom, and what a robot does right now.

import { useEffect, useRef, useState } from "preact/hooks";
import { goToLevel } from "../actions";
import type { Level } from "../api";
import { arrivals } from "../live";
import { Chart } from "../map/chart";
import { kindColour } from "../map/colours";
import { useApp } from "../state";
import { capital } from "../words";
import { Fit, Minus, Plus } from "./icons";

export let chart: Chart | null = null;

export function levelName(level: Level, levels: Level[]): string {
  const maps = new Set(levels.map((item) => item.map_id));
  const floor = level.floors > 1 ? `Floor ${level.floor + 1}` : "";
  return maps.size > 1 || !floor ? [level.map_id, floor].filter(Boolean).join(", ") : floor;
}

export function Map() {
  const state = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [made, make] = useState<Chart | null>(null);
  useEffect(() => {
    const drawn = new Chart(canvas.current!, document.documentElement);
    chart = drawn;
    arrivals.show = (x, y) => drawn.arrive(x, y);
    make(drawn);
    return () => drawn.close();
  }, []);
  const levels = state.overview?.levels ?? [];
  const kinds = [...new Set(state.places.filter((p) => p.level === state.level).map((p) => p.kind))]
    .filter(Boolean)
    .sort();
  return (
    <section class="map" aria-label="Map">
      <canvas
        ref={canvas} id="map" tabIndex={0} role="application"
        aria-label="Map of what the robot knows. Arrow keys move, plus and minus zoom, 0 shows all, Enter tells what is in the middle."
      />
      {state.overview && !state.overview.observations && (
        <p class="nothing">The map appears here with the first observation.</p>
      )}
      <div class="over left">
        {levels.length > 1 && levels.length <= 8 && (
          <div class="floors" role="group" aria-label="Floor">
            {[...levels].reverse().map((level) => (
              <button
                type="button" key={level.number} aria-pressed={level.number === state.level}
                onClick={() => goToLevel(level.number)}
              >
                {levelName(level, levels)}
              </button>
            ))}
          </div>
        )}
        {levels.length > 8 && (
          <select
            aria-label="Floor" value={state.level}
            onChange={(event) => goToLevel(Number(event.currentTarget.value))}
          >
            {levels.map((level) => (
              <option key={level.number} value={level.number}>{levelName(level, levels)}</option>
            ))}
          </select>
        )}
        {kinds.length > 1 && !state.attention && (
          <ul class="legend" aria-label="Kinds of rooms">
            {kinds.slice(0, 8).map((kind) => (
              <li key={kind}><i style={{ background: kindColour(kind) }} />{capital(kind)}</li>
            ))}
          </ul>
        )}
        {state.attention && (
          <p class="legend heat"><i /> where the memory looks</p>
        )}
      </div>
      <div class="over right" role="group" aria-label="Zoom">
        <button type="button" class="round" aria-label="Zoom in" onClick={() => made?.zoom(1.7)}><Plus /></button>
        <button type="button" class="round" aria-label="Zoom out" onClick={() => made?.zoom(1 / 1.7)}><Minus /></button>
        <button type="button" class="round" aria-label="Show all" onClick={() => made?.fit()}><Fit /></button>
      </div>
    </section>
  ); // prettier-ignore
}
