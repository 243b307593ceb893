"""A recording into a memory: in batches, with progress, as often as one likes.

Ids are made from the recording's content, so what was remembered before is passed over: an
interrupted reading goes on, a second one adds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from memory_core.episodic.exchange import import_header, import_removal
from memory_core.errors import InputRejected, RecordingUnreadable
from memory_core.memory import RobotMemory
from memory_core.recordings import Reading, ReadOptions, Recording, TopicUse, open_recording
from memory_core.types import Json, Observation, Refusal

BATCH = 200

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class IngestReport:
    """What became of a recording.

    Attributes:
        recording: Its name.
        reader: What read it.
        topics: What was found, used and ignored, and why.
        added: Observations added.
        known: Observations that were there before.
        refused: Inputs refused, counted by code.
        refusals: The first refusals in words.
        notes: Things a person should know.
        complete: Whether it was read to its end.
        damage: Where and how it ended, if not.
    """

    recording: str
    reader: str
    topics: list[TopicUse]
    added: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = True
    damage: str | None = None

    def to_json(self) -> Json:
        """For `--json` and the memory's own record."""
        return {
            "recording": self.recording,
            "reader": self.reader,
            "topics": [asdict(topic) for topic in self.topics],
            "added": self.added,
            "known": self.known,
            "refused": dict(self.refused),
            "refusals": [asdict(item) for item in self.refusals],
            "notes": self.notes,
            "complete": self.complete,
            "damage": self.damage,
        }


def ingest(
    memory: RobotMemory,
    path: str | Path,
    *,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> IngestReport:
    """Read a recording into a memory.

    Args:
        memory: Open for writing.
        path: Any recording that `open_recording` knows.
        options: What to know beyond the files.
        progress: Called with (units read, units in all).
        stop: Asked at every observation; once it says yes nothing more is read or stored. What is
            stored stays, and the next reading goes on.

    Returns:
        What was found, added, known before and refused. A recording that ends in damage is
        reported so (`complete` is false); what came before is kept.

    Raises:
        RecordingUnreadable: It cannot be opened at all.
        MemoryReadOnly: The memory is open for reading.
        StorageFull: The disk refused a batch; earlier batches stay.
    """
    recording = open_recording(Path(path), options)
    report = IngestReport(recording.name, recording.reader, recording.topics())
    _prepare(memory, recording)
    reading = Reading()
    batch: list[Observation] = []
    refused: list[Refusal] = []  # by the memory, which counts them itself

    def flush() -> None:
        if batch:
            done = memory.observe(batch)
            report.added += len(done.added)
            report.known += len(done.known)
            refused.extend(done.refused)
            batch.clear()
        if progress:
            progress(min(reading.done, recording.total), recording.total)

    try:
        for observation in recording.observations(reading):
            if stop():
                report.complete, report.damage = False, "reading was stopped"
                batch.clear()
                break
            batch.append(observation)
            if len(batch) >= BATCH:
                flush()
    except RecordingUnreadable as error:
        report.complete, report.damage = False, str(error)
        reading.refuse(recording.name, error)
    flush()
    for record in getattr(recording, "removals", ()):
        try:
            import_removal(memory.store, record)
        except InputRejected as error:
            reading.refuse(recording.name, error)
    if memory.store.recording(recording.identity) is None and reading.refused:
        memory.count_refusals(reading.refused)
    report.refused = Counter(item.code for item in (*reading.refused, *refused))
    report.refusals = [*reading.refused, *refused][:20]
    report.notes = list(reading.notes)
    memory.store.note_recording(
        recording.identity, name=recording.name, reader=recording.reader,
        complete=report.complete, report=report.to_json(),
    )  # fmt: skip
    if progress:
        progress(recording.total, recording.total)
    return report


def _prepare(memory: RobotMemory, recording: Recording) -> None:
    header = getattr(recording, "header", None)
    if header:
        import_header(memory.store, header)
    for map_id, anchor_id, pose in recording.anchors():
        memory.add_anchor(anchor_id, pose, map_id=map_id, reason=f"from {recording.name}")
    origin = recording.geo_origin()
    if origin is not None and memory.store.origin("map") is None:
        memory.store.set_origin("map", origin)
