// Every thing that is known, to find by name; also the way to what is on the map without seeing it.

import { useState } from "preact/hooks";
import { chooseThing } from "../actions";
import { useApp } from "../state";
import { stayAt } from "../map/painter";
import { many } from "../words";

const SHOWN = 300;

export function Things() {
  const { things, places, span } = useApp();
  const [words, type] = useState("");
  const kinds = new Map(places.map((place) => [place.id, place.kind]));
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = things
    .map((thing) => ({ thing, stay: stayAt(thing, span) }))
    .filter(({ thing, stay }) => stay && wanted.every((word) => thing.label.toLowerCase().includes(word)))
    .sort((a, b) => a.thing.label.localeCompare(b.thing.label));
  if (!things.length) return <p class="quiet">No thing was recognised yet. The robot remembers moments and places.</p>;
  return (
    <div class="things">
      <input
        type="search" placeholder={`Find among ${many(things.length, "thing")}`} aria-label="Find a thing"
        value={words} onInput={(event) => type(event.currentTarget.value)}
      />
      <ul>
        {found.slice(0, SHOWN).map(({ thing, stay }) => (
          <li key={thing.id}>
            <button type="button" onClick={() => void chooseThing(thing.id)}>
              <b>{thing.label}</b>
              <span>{thing.gone ? "gone" : (kinds.get(stay?.place ?? "") ?? "")}</span>
            </button>
          </li>
        ))}
      </ul>
      {!found.length && <p class="quiet">Nothing is called that{span ? " at the chosen time" : ""}.</p>}
      {found.length > SHOWN && <p class="quiet">and {found.length - SHOWN} more; type a part of the name</p>}
    </div>
  ); // prettier-ignore
}
