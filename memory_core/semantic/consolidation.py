"""Long-term memory kept small: repetitions go, old things told elsewhere, what a policy chooses.

All leave a committed record. Structure has learnt from an observation before it goes: entities,
places, events and the forest are records of their own and outlive what they were made from. The
newest observations that show an entity stay although they repeat others, until newer ones come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from memory_core.episodic.records import Record, RecordChanges
from memory_core.episodic.retention import Stored as Columns
from memory_core.episodic.retention import policy_named
from memory_core.episodic.rows import Stored
from memory_core.episodic.store import EpisodicStore
from memory_core.episodic.working import Item, WorkingMemory
from memory_core.semantic.organiser import Organiser
from memory_core.semantic.thinning import oldest, superfluous, what_is_told
from memory_core.types import TEXT_SPACE, Entity, IntArray, Json

KINDS = ("working", "use")
ROUND = 1_000
LAG_S = 600.0
DUE = 1_000
SPARE = 0.05
TRUSTED = 0.99
"""Share of the last stamps up to which they are believed: a clock may have jumped ahead."""
ENDED_FACTS = 2_000
SETTLED = 10
THIN_AFTER_S = 7 * 86_400.0
THIN_EVERY_S = 86_400.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Retention:
    """A bound on what is kept.

    Attributes:
        observations: At most about so many; a twentieth more are let go of at once.
        policy: `fifo`, `lifo`, `mvfo`, `lvfo` or `ebbinghaus`.
    """

    observations: int
    policy: str = "ebbinghaus"


@dataclass(slots=True)
class Consolidated:
    """What a consolidation did.

    Attributes:
        considered: Observations looked at.
        repeated: Of them, those that repeated another and went, by reason.
        thinned: Old observations that told nothing that others do not tell.
        retired: Observations the retention policy let go of.
    """

    considered: int = 0
    thinned: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    retired: int = 0

    def to_json(self) -> Json:
        """For `--json`."""
        return {
            "considered": self.considered,
            "repeated": dict(self.repeated),
            "thinned": self.thinned,
            "retired": self.retired,
        }


class Consolidator:
    """Working memory over one store, and what it may forget."""

    def __init__(self, store: EpisodicStore) -> None:
        """Go on where the last process stopped."""
        self._store = store
        self._working, self._considered = WorkingMemory(), 0
        self._held: dict[int, int] = {}
        self._thinned_ns = 0
        self._stopped: Json = None
        for record in store.records("working"):
            self._considered = record.body["considered"]
            self._held = dict(record.body["held"])
            self._thinned_ns = record.body.get("thinned_ns", 0)
            self._stopped = record.body["state"]
        self._uses = {r.number: (r.body[0], r.body[1]) for r in store.records("use")}
        self._used: set[int] = set()

    def note_use(self, rowids: Iterable[int], stamp_ns: int) -> None:
        """Observations were recalled: what is used is kept longer."""
        for rowid in rowids:
            self._uses[rowid] = (self._uses.get(rowid, (0, 0))[0] + 1, stamp_ns)
            self._used.add(rowid)

    def due(self, organiser: Organiser) -> bool:
        """Whether enough is organised and not considered to be worth a round, and old enough."""
        if organiser.organised - self._considered < DUE:
            return False
        with self._store.reading() as db:
            query = "SELECT stamp_ns FROM observations WHERE rowid > ? ORDER BY rowid LIMIT ?"
            stamps = [row[0] for row in db.execute(query, (self._considered, DUE))]
        newest = self._newest(organiser.organised)
        young_ns = newest - int(LAG_S * 1e9)
        return len(stamps) == DUE and not any(young_ns < stamp <= newest for stamp in stamps)

    def consolidate(
        self,
        organiser: Organiser,
        *,
        retention: Retention | None = None,
        lag_s: float = LAG_S,
        progress: Progress | None = None,
    ) -> Consolidated:
        """Let repetitions go, then what the policy chooses.

        Args:
            organiser: Only what it has taken is considered.
            retention: The bound; None for none.
            lag_s: What is younger than this, against the newest organised, stays as it is.
            progress: Called with (numbers passed, numbers there are).

        Returns:
            What was done.
        """
        self._resume(organiser)
        result = Consolidated()
        begun, end = self._considered, organiser.organised
        newest = self._newest(end)
        while self._considered < end:
            batch = self._batch(end, newest - int(lag_s * 1e9), newest)
            if not batch:
                break
            self._consider(batch, organiser, result)
            if progress:
                progress(self._considered - begun, end - begun)
        if result.considered:
            self._fade(organiser, newest)
            result.thinned = self._thin(organiser, newest)
        if result.considered or self._used:
            self._save()
        if retention is not None:
            result.retired = self._retire(organiser, retention)
        return result

    def _resume(self, organiser: Organiser) -> None:
        """Fill working memory with what the last process held."""
        if self._stopped is not None:
            self._working = WorkingMemory.restore(
                self._stopped, lambda rowids: self._items(rowids, organiser)
            )
            self._stopped = None

    def _newest(self, end: int) -> int:
        with self._store.reading() as db:
            query = (
                "SELECT stamp_ns FROM observations WHERE rowid <= ? ORDER BY rowid DESC LIMIT 1000"
            )
            stamps = [row[0] for row in db.execute(query, (end,))]
        return int(np.quantile(stamps, TRUSTED, method="higher")) if stamps else 0

    def _batch(self, end: int, before_ns: int, newest_ns: int) -> list[Stored]:
        """The next observations that are old enough; a stamp from the future holds nothing up."""
        with self._store.reading() as db:
            query = (
                "SELECT rowid, stamp_ns FROM observations WHERE rowid > ? AND rowid <= ? "
                "ORDER BY rowid LIMIT ?"
            )
            found = db.execute(query, (self._considered, end, ROUND)).fetchall()
        rowids: list[int] = []
        for rowid, stamp_ns in found:
            if before_ns < stamp_ns <= newest_ns:
                break
            rowids.append(rowid)
        return self._store.fetch(rowids, embeddings=True)

    def _consider(
        self, batch: Sequence[Stored], organiser: Organiser, result: Consolidated
    ) -> None:
        known = organiser.things.known()
        for stored in batch:
            decision = self._working.consider(_item(stored, known))
            if not decision.kept and decision.into is not None:
                self._held[stored.rowid] = decision.into
                result.repeated[decision.reason] += 1
        self._considered = batch[-1].rowid
        result.considered += len(batch)
        newest = organiser.showings.newest()
        gone = {row: into for row, into in self._held.items() if row not in newest}
        if gone:
            with self._store.together():
                self._store.remove(
                    list(gone), kind="consolidation",
                    reason="they repeat what other observations show",
                    selection={"first": min(gone), "last": max(gone)},
                    replaced_by={"observations": len(set(gone.values()))}, keep_ids=False,
                )  # fmt: skip
                organiser.showings.replace(gone)
                organiser.write_showings()
                self._held = {row: into for row, into in self._held.items() if row not in gone}
                self._save()

    def _let_go(self, rowids: Sequence[int]) -> None:
        """Observations went for another reason: nothing repeats them, no use of them counts."""
        lost = set(rowids)
        self._working.forget(rowids)
        self._held = {r: into for r, into in self._held.items() if not {r, into} & lost}
        unused = [("use", row) for row in lost & set(self._uses)]
        for _, row in unused:
            del self._uses[row]
        self._used -= lost
        self._store.change_records(RecordChanges(dropped=unused))
        self._save()

    def _save(self) -> None:
        body = {
            "considered": self._considered,
            "held": list(self._held.items()),
            "thinned_ns": self._thinned_ns,
            "state": self._working.state(),
        }
        put = [Record("working", 0, body)]
        put += [Record("use", rowid, list(self._uses[rowid])) for rowid in sorted(self._used)]
        self._used = set()
        self._store.change_records(RecordChanges(put=put))

    def _fade(self, organiser: Organiser, now_ns: int) -> None:
        """Old events become coarser; of facts that ended, those that held longest stay."""
        put, dropped = organiser.episodes.condense(now_ns)
        with self._store.reading() as db:
            dropped += db.execute(
                "SELECT kind, number FROM records WHERE kind='fact' AND "
                "json_extract(body, '$.fact.end_ns') IS NOT NULL ORDER BY "
                "json_extract(body, '$.fact.end_ns') - json_extract(body, '$.fact.start_ns') DESC, "
                "number DESC LIMIT -1 OFFSET ?",
                (ENDED_FACTS,),
            ).fetchall()
        if put or dropped:
            self._store.change_records(RecordChanges(put, dropped))

    def _thin(self, organiser: Organiser, now_ns: int) -> int:
        """Once a day, let go of old observations that tell nothing that others do not tell."""
        if now_ns - self._thinned_ns < THIN_EVERY_S * 1e9:
            return 0
        self._thinned_ns = now_ns
        told, stamps = what_is_told(self._store, organiser.things.known())
        before_ns = now_ns - int(THIN_AFTER_S * 1e9)
        needed = self._working.seen_since(before_ns) | set(organiser.showings.rows())
        old = oldest(stamps, before_ns, kept=needed)
        gone = superfluous(told, old)
        if gone:
            with self._store.together():
                self._store.remove(
                    gone, kind="consolidation",
                    reason="they are old, and show what other observations show",
                    selection={"older_than_ns": before_ns}, keep_ids=False,
                )  # fmt: skip
                self._let_go(gone)
        return len(gone)

    def _retire(self, organiser: Organiser, retention: Retention) -> int:
        """Let go of what the policy chooses, where there is more than may be kept."""
        count = self._store.count()
        if count <= retention.observations:
            return 0
        wanted = count - retention.observations + int(SPARE * retention.observations)
        rowids, columns, now_ns = self._columns(organiser)
        policy = policy_named(retention.policy)
        chosen = np.asarray(policy.victims(columns, wanted, now_ns=now_ns), np.int64)
        if len(chosen) < wanted:  # what shows a thing goes last, but the bound holds
            bare = replace(columns, protected=np.zeros(len(rowids), bool))
            bare.protected[chosen] = True
            rest = policy.victims(bare, wanted - len(chosen), now_ns=now_ns)
            chosen = np.concatenate([chosen, np.asarray(rest, np.int64)])
        victims = rowids[chosen].tolist()
        if victims:
            with self._store.together():
                self._store.remove(
                    victims, kind="retention",
                    reason=f"more than {retention.observations} observations; {retention.policy}",
                    selection={"policy": retention.policy}, keep_ids=False,
                )  # fmt: skip
                self._let_go(victims)
        return len(victims)

    def _columns(self, organiser: Organiser) -> tuple[IntArray, Columns, int]:
        rows: list[tuple[int, int, int]] = []
        after = 0
        anchors = {number: pose for number, (_, _, pose) in self._store.anchor_poses().items()}
        maps = {number: name for number, (name, _, _) in self._store.anchor_poses().items()}
        while found := self._store.column_rows(after, 20_000):
            for rowid, stamp_ns, x, y, z, _, _, _, anchor, _ in found:
                place = None
                if x is not None:
                    at = anchors[anchor].apply(x, y, z)
                    place = organiser.places.place_at(at, map_id=maps[anchor])
                rows.append((rowid, stamp_ns, -1 if place is None else place))
            after = found[-1][0]
        table = np.array(rows, np.int64).reshape(-1, 3)
        uses = np.array([self._uses.get(row, (0, 0)) for row in table[:, 0].tolist()], np.int64)
        uses = uses.reshape(-1, 2)
        columns = Columns(
            stamp_ns=table[:, 1],
            last_access_ns=np.maximum(table[:, 1], uses[:, 1]),
            accesses=uses[:, 0],
            place=table[:, 2],
            novelty=np.zeros(len(table)),
            size=np.ones(len(table), np.int64),
            protected=np.isin(table[:, 0], np.array(organiser.showings.rows(), np.int64)),
        )
        return table[:, 0], columns, int(table[:, 1].max(initial=0))

    def _items(self, rowids: Sequence[int], organiser: Organiser) -> list[Item]:
        known = organiser.things.known()
        return [_item(stored, known) for stored in self._store.fetch(rowids, embeddings=True)]


def _settled(entity: Entity) -> bool:
    """Whether a thing was seen often enough where it is for one other label to be a misreading."""
    return entity.history[-1].sightings >= SETTLED


def _item(stored: Stored, known: Mapping[int, Entity]) -> Item:
    """An observation for working memory; pictures, body states and notes stand for themselves.

    What structure has settled is taken from it: a well-known thing that was misread is called
    what it is called, so that every misreading is not another view.
    """
    observation = stored.observation
    sightings = tuple(
        replace(sighting, label=entity.label) if entity and _settled(entity) else sighting
        for sighting, entity in zip(
            observation.sightings, (known.get(n or 0) for n in stored.entities), strict=True
        )
    )
    return Item.of(
        replace(observation, sightings=sightings), stored.rowid, pose=stored.map_pose,
        meaning=observation.embeddings.get(TEXT_SPACE),
        unseen=stored.keyframe_bytes > 0
        or "body" in observation.extra
        or (observation.source == "note" and bool(observation.text)),
    )  # fmt: skip
