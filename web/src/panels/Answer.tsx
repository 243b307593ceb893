// The answer to a question, with what it rests on; or what was chosen on the map.

import { ask, chooseEvidence, choosePlace, chooseThing, clearSelection } from "../actions";
import { type Evidence, picture, type Seen } from "../api";
import { useApp } from "../state";
import { ago, capital, day, many, moment, percent, within } from "../words";
import { Back } from "./icons";

/** Less attention than this is not close to what was asked. */
const CLOSE = 0.03;

export function Answer() {
  const state = useApp();
  if (state.thing) return <ThingCard />;
  if (state.place) return <PlaceCard />;
  if (state.spot && !state.answer) return <SpotCard />;
  if (state.asking) return <p class="quiet" role="status">Looking through what was remembered…</p>;
  if (state.answer) return <AnswerCard />;
  return <Welcome />;
}

function Welcome() {
  const { overview, suggestions, things } = useApp();
  if (!overview) return <p class="quiet">Opening the memory…</p>;
  if (!overview.observations) return <Empty />;
  const span = overview.span_ms!;
  const days = day(span[0]) === day(span[1]) ? day(span[0]) : `${day(span[0])} to ${day(span[1])}`;
  return (
    <div class="welcome">
      <h2>Ask where something is</h2>
      <p>
        This robot remembers {many(overview.observations, "moment")}
        {things.length > 0 && ` and ${many(things.length, "thing")}`} from {days}.
      </p>
      {suggestions.length > 0 && (
        <ul class="chips" aria-label="Questions to try">
          {suggestions.map((question) => (
            <li key={question}>
              <button type="button" onClick={() => void ask(question)}>{question}</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  ); // prettier-ignore
}

function Empty() {
  return (
    <div class="welcome empty">
      <h2>Nothing is remembered yet</h2>
      <p>Read in a recording, or let a robot observe; what comes appears here by itself.</p>
      <ol>
        <li>
          A recording of yours (rosbag2, MCAP, JSON Lines): <code>robot-memory ingest RECORDING --memory DIR</code>
        </li>
        <li>
          A simulated house, in a minute: <code>robot-memory demo --out demo</code>, then{" "}
          <code>robot-memory serve --memory demo/memory</code>
        </li>
      </ol>
    </div>
  );
}

function AnswerCard() {
  const { answer, asked, evidence, attention, things } = useApp();
  if (!answer) return null;
  const close = attention?.points.filter((item) => item.attention >= CLOSE).slice(0, 6) ?? [];
  return (
    <article class={`answer${answer.abstained ? " abstained" : ""}`}>
      <h2 class="asked">{asked}</h2>
      <p class="said" id="said">{answer.answer}</p>
      {answer.abstained && (
        <p class="quiet">
          Try another word for it{things.length > 0 ? <>, or look through all <b>Things</b></> : ""}.
        </p>
      )}
      {answer.abstained && <Pictures seen={close} title="What comes closest" />}
      {answer.evidence.length > 0 && <h3>How it knows</h3>}
      <ol class="cards">
        {answer.evidence.slice(0, 12).map((item, number) => (
          <EvidenceCard
            key={`${item.id}${number}`} item={item} chosen={number === evidence}
            names={attention?.names ?? {}} onChoose={() => chooseEvidence(number)}
          />
        ))}
      </ol>
      {answer.evidence.length > 12 && <p class="quiet">and {answer.evidence.length - 12} more</p>}
    </article>
  ); // prettier-ignore
}

interface EvidenceProps {
  item: Evidence;
  chosen: boolean;
  names: Record<string, string>;
  onChoose: () => void;
}

function EvidenceCard({ item, chosen, names, onChoose }: EvidenceProps) {
  const way = item.path.slice(0, -1);
  return (
    <li class={chosen ? "card chosen" : "card"} data-id={item.id}>
      <button type="button" class="face" aria-pressed={chosen} onClick={onChoose}>
        {item.keyframe ? <img src={picture(item.id)} alt={`What the robot saw: ${item.text ?? "a view"}`} loading="lazy" /> : <span class="none" aria-hidden="true" />}
        <span class="what">
          <b>{item.text || item.source}</b>
          <span>{moment(item.stamp_ns / 1e6)}</span>
          {item.attention > 0 && (
            <span class="share">
              <meter value={item.attention} min={0} max={1} aria-label="Share of the answer" />
              weight {percent(item.attention)}
            </span>
          )}
        </span>
      </button>
      {way.length > 0 && <Way way={way} weights={item.path_weights} names={names} />}
    </li>
  ); // prettier-ignore
}

/** The path through the forest, from the root down. */
function Way({ way, weights, names }: { way: string[]; weights: number[]; names: Record<string, string> }) {
  const { places } = useApp();
  const name = (id: string) => {
    const kind = places.find((place) => place.id === id)?.kind;
    return capital(names[id] ?? (kind || id.replace(":", " ")));
  };
  return (
    <ol class="way" aria-label="Path through the forest to where it was seen from">
      <li class="from" aria-hidden="true">Seen from</li>
      {way.map((id, number) => (
        <li key={id} title={`${id}, attention ${percent(weights[number] ?? 0)}`}>
          {id.startsWith("place:") ? (
            <button type="button" onClick={() => choosePlace(id, { fly: true })}>{name(id)}</button>
          ) : (
            <span>{number === 0 ? "Everywhere" : name(id)}</span>
          )}
        </li>
      ))}
    </ol>
  ); // prettier-ignore
}

function BackToAnswer() {
  const { answer } = useApp();
  return (
    <button type="button" class="back" onClick={clearSelection}>
      <Back /> {answer ? "Back to the answer" : "Back"}
    </button>
  );
}

function ThingCard() {
  const { thing, things, history, places, overview } = useApp();
  const known = things.find((item) => item.id === thing);
  const label = history?.label ?? known?.label ?? "";
  const kindOf = (id: string | null) => places.find((place) => place.id === id)?.kind;
  const last = known?.stays.at(-1);
  const end = overview?.span_ms?.[1] ?? 0;
  const stays = history ? [...history.history].reverse() : [];
  const span = overview?.span_ms ? overview.span_ms[1] - overview.span_ms[0] : 0;
  return (
    <article class="thing">
      <BackToAnswer />
      <h2>{capital(label)}</h2>
      {last && (
        <p class="said small">
          {known?.gone ? "It was found to be gone. Last seen" : "Last seen"}{" "}
          {kindOf(last.place) ? `in the ${kindOf(last.place)}, ` : ""}
          at {last.x.toFixed(2)}, {last.y.toFixed(2)} m,{" "}
          {ago(end - last.last_ms)} before the memory ends.
        </p>
      )}
      {stays.length > 1 && (
        <>
          <h3>Where it was</h3>
          <ol class="stays">
            {stays.map((stay, number) => (
              <li key={stay.start_ns} class={number === 0 && !history?.gone ? "current" : ""}>
                <b>{stay.kind ? capital(stay.kind) : `${stay.position[0].toFixed(1)}, ${stay.position[1].toFixed(1)} m`}</b>
                <span>
                  {within(stay.start_ns / 1e6, span)} to {within((stay.end_ns ?? stay.last_ns) / 1e6, span)},{" "}
                  {many(stay.sightings, "sighting")}
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      {history && history.facts.length > 0 && (
        <>
          <h3>What is known</h3>
          <ul class="facts">
            {history.facts.filter((fact) => fact.end_ms === null).slice(0, 6).map((fact, number) => (
              <li key={number}>
                {fact.subject_name} <i>{fact.relation}</i> {fact.object_name}
              </li>
            ))}
          </ul>
        </>
      )}
      {history && <Pictures seen={history.seen_in} title="Pictures of it" />}
    </article>
  ); // prettier-ignore
}

function PlaceCard() {
  const { place, places, things, spot } = useApp();
  const known = places.find((item) => item.id === place);
  if (!known) return <p class="quiet">This place is no more.</p>;
  const inside = things.filter((item) => !item.gone && item.stays.at(-1)?.place === place);
  return (
    <article class="thing">
      <BackToAnswer />
      <h2>{known.kind ? capital(known.kind) : "A place"}</h2>
      <p class="quiet">
        {many(known.observations, "observation")}
        {known.kind && `, ${percent(known.confidence)} sure of its kind`}
      </p>
      {inside.length > 0 ? (
        <ul class="chips" aria-label="Things in it">
          {inside.slice(0, 24).map((item) => (
            <li key={item.id}>
              <button type="button" onClick={() => void chooseThing(item.id)}>{item.label}</button>
            </li>
          ))}
        </ul>
      ) : (
        known.text && <p>{capital(known.text)}</p>
      )}
      {spot && <Pictures seen={spot.seen} title="Seen from here" />}
    </article>
  ); // prettier-ignore
}

function SpotCard() {
  const { spot } = useApp();
  if (!spot) return null;
  return (
    <article class="thing">
      <BackToAnswer />
      <h2>{spot.total ? many(spot.total, "observation") : "Nothing was observed here"}</h2>
      <p class="quiet">around {spot.x.toFixed(2)}, {spot.y.toFixed(2)} m</p>
      <Pictures seen={spot.seen} title="Seen from here" />
    </article>
  ); // prettier-ignore
}

function Pictures({ seen, title }: { seen: Seen[]; title: string }) {
  const shown = seen.filter((item) => item.keyframe || item.text);
  if (!shown.length) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="pictures">
        {shown.slice(0, 12).map((item) => (
          <li key={item.id} class={item.keyframe ? "" : "words"}>
            {item.keyframe && <img src={picture(item.id)} alt={item.text || "A view"} loading="lazy" />}
            <span>{item.text || "a view"}</span>
            <small>{moment(item.stamp_ms)}</small>
          </li>
        ))}
      </ul>
    </>
  ); // prettier-ignore
}

