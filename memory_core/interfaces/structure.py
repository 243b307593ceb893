"""The commands that show a memory's structure: forest, entities, places, events, facts."""

from __future__ import annotations

import argparse
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memory_core.errors import InvalidQuery
from memory_core.interfaces.console import complain, print_json, say, show, table
from memory_core.interfaces.forest_view import (
    LINES,
    Forest,
    draw_tree,
    summary_line,
    write_graphml,
)
from memory_core.interfaces.opening import bar, language_model, open_memory
from memory_core.language import times
from memory_core.language.lexicon import same_kind
from memory_core.memory import RobotMemory
from memory_core.types import Entity, Event, Fact, Json, Place, Stay, Vector3

SHORT = 100
MOVED_M = 0.2
SURE = 3.0
"""Standard deviations of two positions, beyond which they are two."""


def open_organised(options: argparse.Namespace, *, write: bool = False) -> RobotMemory:
    """The memory the options name, with everything stored organised."""
    memory = open_memory(options, write=write)
    try:
        organise(memory, options)
    except BaseException:
        memory.close()
        raise
    return memory


def organise(memory: RobotMemory, options: argparse.Namespace) -> None:
    """Organise what is pending, with a bar."""
    with bar(options, "organising") as show:
        memory.organise(progress=show)


# -- forest -------------------------------------------------------------------------------------


def forest(options: argparse.Namespace) -> int:
    """Print, draw or export the semantic forest."""
    if options.depth is not None and options.depth < 0:
        raise InvalidQuery(f"--depth is {options.depth}; expected 0 or more")
    model = language_model(options)
    with open_organised(options, write=model is not None) as memory:
        if model is not None:
            with bar(options, "telling areas") as told:
                memory.tell_forest(model, progress=told)
        shown = Forest.of(memory.forest(), start=options.node)
        places = memory.places() if options.html else []
    if options.html:
        from memory_core.interfaces.forest_page import write_page

        title = f"Semantic forest of {options.memory.resolve().name}"
        write_page(Path(options.html), shown, places, title=title)
        complain(f"drawn in {options.html}")
    if options.graphml:
        written = write_graphml(Path(options.graphml), shown)
        complain(f"{written:,} nodes written to {options.graphml}")
    if options.json:
        print_json(shown.to_json(depth=options.depth))
    elif not shown.roots:
        say("No place is known yet: nothing was remembered with a pose.")
    elif not (options.html or options.graphml):
        depth = shown.depth_within(LINES) if options.depth is None else options.depth
        for tree in draw_tree(shown, depth=depth):
            show(tree)
        say(f"{summary_line(shown)}. Deeper: --depth {depth + 1}, or --node ID.")
    return 0


# -- entities -----------------------------------------------------------------------------------


def entities(options: argparse.Namespace) -> int:
    """List the things known, or tell the history of one."""
    zone = times.zone(options.zone)
    wanted = " ".join(options.label)
    with open_organised(options) as memory:
        known = memory.entities()
        rooms = _room_names(memory.places())
        within = {
            fact.subject: rooms.get(fact.object, "")
            for fact in memory.facts()
            if fact.relation == "in" and fact.end_ns is None
        }
    if re.fullmatch(r"entity:\d+", wanted):
        return _one_entity(options, known, wanted, rooms, zone)
    if wanted:
        known = [entity for entity in known if same_kind(wanted, entity.label)]
    known.sort(key=lambda entity: (entity.label, int(entity.id.partition(":")[2])))
    if options.json:
        print_json({"entities": [entity_json(entity) for entity in known]})
        return 0
    if not known:
        say(f"Nothing called {wanted!r} is known." if wanted else "No thing is known yet.")
        return 0
    rows = [
        [
            " ".join((entity.label, _states(entity.state))).strip(),
            "gone" if entity.gone else _point(entity.position),
            rooms.get(entity.history[-1].place) or within.get(entity.id, ""),
            f"{entity.confidence:.2f} ± {_spread_m(entity.history[-1]):.2f} m",
            _moment(entity.first_ns, zone),
            _moment(entity.last_ns, zone),
            times_moved(entity),
            entity.id,
        ]
        for entity in known
    ]
    table("", ["thing", "where now (m)", "in", "how sure", "first seen", "last seen", "moved", "id"],
          rows)  # fmt: skip
    things = "1 thing" if len(known) == 1 else f"{len(known):,} things"
    say(f"{things}. The history of one: robot-memory entities {known[0].id}")
    return 0


def _one_entity(
    options: argparse.Namespace,
    known: Sequence[Entity],
    wanted: str,
    rooms: Mapping[str | None, str],
    zone: Any,
) -> int:
    found = next((entity for entity in known if entity.id == wanted), None)
    if found is None:
        raise InvalidQuery(f"no thing is known as {wanted}; `robot-memory entities` lists them")
    if options.json:
        print_json(entity_json(found))
        return 0
    rows = [
        [
            _point(stay.position),
            rooms.get(stay.place, ""),
            f"± {_spread_m(stay):.2f} m",
            _moment(stay.start_ns, zone),
            _moment(stay.last_ns, zone),
            "—" if stay.end_ns is None else _moment(stay.end_ns, zone),
            stay.sightings,
        ]
        for stay in found.history
    ]
    table(f"{found.label} ({found.id})",
          ["where (m)", "in", "how sure", "first seen there", "last seen there",
           "found gone", "sightings"], rows)  # fmt: skip
    return 0


def entity_json(entity: Entity) -> Json:
    """A thing, with its history, as `entities --json` prints it."""
    return {
        "id": entity.id,
        "label": entity.label,
        "map_id": entity.map_id,
        "position": list(entity.position),
        "spread_m": round(_spread_m(entity.history[-1]), 4),
        "confidence": round(entity.confidence, 4),
        "size": list(entity.size),
        "state": dict(entity.state),
        "first_ns": entity.first_ns,
        "last_ns": entity.last_ns,
        "gone": entity.gone,
        "moved": times_moved(entity),
        "history": [
            {
                "position": list(stay.position),
                "spread_m": round(_spread_m(stay), 4),
                "place": stay.place,
                "start_ns": stay.start_ns,
                "last_ns": stay.last_ns,
                "end_ns": stay.end_ns,
                "sightings": stay.sightings,
            }
            for stay in entity.history
        ],
    }


def times_moved(entity: Entity) -> int:
    """How often a thing went elsewhere; one that was gone and came back to its place did not."""
    return sum(
        math.dist(before.position, after.position)
        > max(MOVED_M, SURE * math.hypot(_spread_m(before), _spread_m(after)))
        for before, after in itertools.pairwise(entity.history)
    )


def _spread_m(stay: Stay) -> float:
    """Standard deviation of a position, root mean square over the axes, metres."""
    return math.sqrt(max(0.0, sum(stay.covariance[0::4])) / 3)


# -- places and events --------------------------------------------------------------------------


def places(options: argparse.Namespace) -> int:
    """List the places known."""
    with open_organised(options) as memory:
        known = memory.places()
    if options.json:
        print_json({"places": [place_json(place) for place in known]})
        return 0
    if not known:
        say("No place is known yet: nothing was remembered with a pose.")
        return 0
    rows = [
        [
            place.id,
            place.kind or "?",
            f"{place.confidence:.2f}" if place.kind else "",
            place.floor + 1,
            _point(place.centre),
            f"{place.observations:,}",
            place.text[:SHORT],
        ]
        for place in known
    ]
    table("", ["place", "kind", "how sure", "floor", "centre (m)", "observations", "what is there"],
          rows)  # fmt: skip
    return 0


def place_json(place: Place) -> Json:
    """A region of space, as `places --json` prints it."""
    return {
        "id": place.id,
        "map_id": place.map_id,
        "centre": list(place.centre),
        "bounds": [list(place.bounds.low), list(place.bounds.high)],
        "floor": place.floor,
        "kind": place.kind,
        "confidence": round(place.confidence, 4),
        "text": place.text,
        "observations": place.observations,
    }


def events(options: argparse.Namespace) -> int:
    """List what happened, in order."""
    zone = times.zone(options.zone)
    start = times.parse_moment(options.start, zone) if options.start else None
    end = times.parse_moment(options.end, zone) if options.end else None
    if start is not None and end is not None and start > end:
        raise InvalidQuery("--from is after --to")
    with open_organised(options) as memory:
        rooms = _room_names(memory.places())
        known = [
            event
            for event in memory.events()
            if (start is None or event.end_ns >= start) and (end is None or event.start_ns <= end)
        ]
    if options.json:
        print_json({"events": [event_json(event) for event in known]})
        return 0
    if not known:
        say(
            "No event is known." if start is None and end is None else "No event lies in that span."
        )
        return 0
    rows = [
        [
            _moment(event.start_ns, zone),
            f"{(event.end_ns - event.start_ns) / 1e9:.1f} s",
            f"{event.robot}, {event.session}",
            rooms.get(event.place, ""),
            f"{event.observations:,}",
            event.summary[:SHORT],
            event.id,
        ]
        for event in known
    ]
    table("", ["from", "for", "robot, session", "in", "observations", "what", "id"], rows)
    return 0


def event_json(event: Event) -> Json:
    """A run of observations, as `events --json` prints it."""
    bounds = event.bounds
    return {
        "id": event.id,
        "robot": event.robot,
        "session": event.session,
        "start_ns": event.start_ns,
        "end_ns": event.end_ns,
        "map_id": event.map_id,
        "bounds": None if bounds is None else [list(bounds.low), list(bounds.high)],
        "summary": event.summary,
        "observations": event.observations,
        "place": event.place,
    }


# -- facts --------------------------------------------------------------------------------------


def facts(options: argparse.Namespace) -> int:
    """List what is on, in, next to or seen with what."""
    zone = times.zone(options.zone)
    with open_organised(options) as memory:
        names = {entity.id: entity.label for entity in memory.entities()}
        names |= {place: name for place, name in _room_names(memory.places()).items() if place}
        known = memory.facts()
    if options.about:
        known = [fact for fact in known if _speaks_of(fact, options.about, names)]
    known.sort(key=lambda fact: (fact.end_ns is not None, fact.relation,
                                 names.get(fact.subject, ""), fact.subject, fact.object))  # fmt: skip
    if options.json:
        print_json({"facts": [fact_json(fact, names) for fact in known]})
        return 0
    if not known:
        say(f"No fact speaks of {options.about!r}." if options.about else "No fact is known yet.")
        return 0
    rows = [
        [
            f"{names.get(fact.subject, '')} ({fact.subject})",
            fact.relation,
            f"{names.get(fact.object, '')} ({fact.object})",
            f"{fact.confidence:.2f}",
            _moment(fact.start_ns, zone),
            "holds" if fact.end_ns is None else _moment(fact.end_ns, zone),
            len(fact.evidence),
        ]
        for fact in known
    ]
    table("", ["subject", "relation", "object", "how sure", "since", "until", "evidence"], rows)
    return 0


def _speaks_of(fact: Fact, word: str, names: Mapping[str, str]) -> bool:
    """Whether a fact's subject or object has that id, or is of that kind."""
    ends = (fact.subject, fact.object)
    return word in ends or any(same_kind(word, names.get(end, "")) for end in ends)


def fact_json(fact: Fact, names: Mapping[str, str]) -> Json:
    """A fact, with the names of what it relates, as `facts --json` prints it."""
    return {
        "subject": fact.subject,
        "subject_name": names.get(fact.subject, ""),
        "relation": fact.relation,
        "object": fact.object,
        "object_name": names.get(fact.object, ""),
        "start_ns": fact.start_ns,
        "end_ns": fact.end_ns,
        "confidence": round(fact.confidence, 4),
        "evidence": list(fact.evidence),
    }


# -- consolidate --------------------------------------------------------------------------------


def consolidate(options: argparse.Namespace) -> int:
    """Organise, let repetitions go, and keep within the bound."""
    if options.lag is not None and not 0 <= options.lag <= 1e9:
        raise InvalidQuery(f"--lag is {options.lag:g}; expected 0 to 1,000,000,000 seconds")
    with open_memory(options, write=True) as memory:
        done = keep_within(memory, options, lag_s=options.lag)
    if options.json:
        print_json(done)
    else:
        tell_kept(done, options.policy)
    return 0


def keep_within(
    memory: RobotMemory, options: argparse.Namespace, *, lag_s: float | None = None
) -> Json:
    """Consolidate with a bar; what was done, and how many observations there were and are."""
    organise(memory, options)
    before = memory.store.count()
    with bar(options, "consolidating") as tell:
        done = memory.consolidate(lag_s=lag_s, progress=tell)
    return done.to_json() | {"before": before, "left": memory.store.count()}


def tell_kept(done: Json, policy: str) -> None:
    """What a consolidation did, in words."""
    say(
        f"{done['considered']:,} observations considered; {done['left']:,} of {done['before']:,} "
        "are left"
    )
    for reason, count in sorted(done["repeated"].items(), key=lambda item: -item[1]):
        say(f"  {count:,} repeat others: {reason}")
    if done["retired"]:
        say(f"  {done['retired']:,} were let go by the policy {policy}")


# -- words --------------------------------------------------------------------------------------


def _room_names(places: Sequence[Place]) -> dict[str | None, str]:
    """What to call each place, by id."""
    return {place.id: place.kind or place.id for place in places}


def _point(position: Vector3) -> str:
    return ", ".join(f"{value:.2f}" for value in position)


def _moment(stamp_ns: int, zone: Any) -> str:
    return times.from_ns(stamp_ns, zone).strftime("%Y-%m-%d %H:%M:%S")


def _states(state: Mapping[str, float]) -> str:
    """Properties that change, as `(openness 0.40)`; nothing where there are none."""
    told = ", ".join(f"{name} {value:.2f}" for name, value in state.items())
    return f"({told})" if told else ""
