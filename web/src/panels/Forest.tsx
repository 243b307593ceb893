// The forest: areas within areas. One level with what is below it; choosing an area goes into it.

import { useEffect, useState } from "preact/hooks";
import { chooseNode, choosePlace, report } from "../actions";
import { type ForestNode, type ForestPart, Trouble, view } from "../api";
import { kindColour } from "../map/colours";
import { useApp } from "../state";
import { capital, many, percent } from "../words";
import { Next } from "./icons";

const SHOWN = 40;
const BELOW = 6;

export function Forest() {
  const { overview, structure, attention, node, answer, evidence } = useApp();
  const [focus, look] = useState<string | null>(null);
  const [part, hold] = useState<ForestPart | null>(null);
  useEffect(() => {
    if (!structure) return;
    const stop = new AbortController();
    view<ForestPart>("forest", { parent: focus }, stop.signal)
      .then((found) => {
        const only = found.nodes[0];
        if (focus === null && found.nodes.length === 1 && only?.children) look(only.id);
        else hold(found);
      })
      .catch((error: unknown) => {
        if (focus !== null && error instanceof Trouble && error.code !== "no_answer") look(null);
        else report(error);
      });
    return () => stop.abort();
  }, [focus, structure]);
  useEffect(() => {
    if (!node || !part || shows(part, node)) return;
    const stop = new AbortController();
    view<{ node: ForestNode }>("below", { node }, stop.signal)
      .then((found) => look(found.node.parent))
      .catch(() => undefined); // a place that is in no tree yet
    return () => stop.abort();
  }, [node, structure]);
  useEffect(() => {
    document.querySelector(".forest .node.chosen")?.scrollIntoView({ block: "nearest" });
  }, [node, part]);
  if (!structure && overview?.observations) return <p class="quiet">Arranging what was remembered…</p>;
  if (!part?.nodes.length) return <p class="quiet">Areas appear here once the robot has seen something in them.</p>;
  const heat = attention?.nodes ?? null;
  const way = new Set(answer?.evidence[evidence]?.path ?? []);
  const enter = (item: ForestNode) => {
    void chooseNode(item);
    if (item.children) look(item.id);
  };
  return (
    <div class="forest">
      <nav aria-label="Way into the forest">
        <ol class="crumbs">
          {part.ancestors.map((item, number) => (
            <li key={item.id}>
              <button
                type="button" aria-current={number === part.ancestors.length - 1 ? "location" : undefined}
                onClick={() => enter(item)}
              >
                {number === 0 && !item.kind && !item.name.startsWith("floor") ? "Everywhere" : capital(item.name)}
              </button>
            </li>
          ))}
        </ol>
      </nav>
      <ul class="branches" key={part.parent ?? "roots"}>
        {warmestFirst(part.nodes, heat).slice(0, SHOWN).map((item) => (
          <Branch key={item.id} item={item} heat={heat} way={way} chosen={node} onEnter={enter} />
        ))}
      </ul>
      {part.nodes.length > SHOWN && <p class="quiet">and {part.nodes.length - SHOWN} more</p>}
    </div>
  ); // prettier-ignore
}

function shows(part: ForestPart, id: string): boolean {
  return (
    part.ancestors.some((item) => item.id === id) ||
    part.nodes.some((item) => item.id === id || item.nodes?.some((child) => child.id === id))
  );
}

interface BranchProps {
  item: ForestNode;
  heat: Record<string, number> | null;
  way: Set<string>;
  chosen: string | null;
  onEnter: (item: ForestNode) => void;
}

function Branch({ item, heat, way, chosen, onEnter }: BranchProps) {
  const below = warmestFirst(item.nodes ?? [], heat);
  return (
    <li class={way.has(item.id) ? "branch led" : "branch"}>
      <NodeButton item={item} heat={heat} chosen={chosen === item.id} onChoose={() => onEnter(item)} />
      {below.length > 0 && (
        <ul class="twigs">
          {below.slice(0, BELOW).map((child) => (
            <li key={child.id} class={way.has(child.id) ? "led" : ""}>
              <NodeButton
                item={child} heat={heat} chosen={chosen === child.id}
                onChoose={() => (child.children ? onEnter(child) : choosePlace(child.id, { fly: true }))}
              />
            </li>
          ))}
          {below.length > BELOW && (
            <li>
              <button type="button" class="node rest" onClick={() => onEnter(item)}>
                and {below.length - BELOW} more
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  ); // prettier-ignore
}

function warmestFirst(nodes: ForestNode[], heat: Record<string, number> | null): ForestNode[] {
  return heat ? [...nodes].sort((a, b) => (heat[b.id] ?? 0) - (heat[a.id] ?? 0)) : nodes;
}

interface NodeProps {
  item: ForestNode;
  heat: Record<string, number> | null;
  chosen: boolean;
  onChoose: () => void;
}

function NodeButton({ item, heat, chosen, onChoose }: NodeProps) {
  const weight = heat?.[item.id] ?? 0;
  const colour = item.kind ? kindColour(item.kind) : "";
  const told = item.text.includes(": ") ? item.text.slice(item.text.indexOf(": ") + 2) : item.text;
  return (
    <button
      type="button" class={chosen ? "node chosen" : "node"} data-node={item.id} aria-pressed={chosen}
      onClick={onChoose}
    >
      <i class="swatch" style={colour ? { background: colour } : {}} aria-hidden="true" />
      <span class="words">
        <b>{capital(item.name)}</b>
        {item.kind || item.children ? <span>{item.children ? many(item.count, "place") : told}</span> : null}
      </span>
      {heat && weight > 0.0005 && (
        <span class="weight" title={`Attention ${percent(weight)}`}>
          <i style={{ width: `${Math.max(4, weight * 100)}%` }} />
          <small>{percent(weight)}</small>
        </span>
      )}
      {item.children > 0 && <Next />}
    </button>
  ); // prettier-ignore
}
