"""A memory in Rerun: sent to its viewer, or written as an `.rrd` recording.

| entity | what | when |
|---|---|---|
| `maps/MAP/path/ROBOT/SESSION` | the whole way of a run | always |
| `maps/MAP/robots/ROBOT` | where the robot is | as it moved |
| `maps/MAP/scans/ROBOT` | what was hit around the robot | as it moved |
| `maps/MAP/sightings/ROBOT` | what was seen, where it was | as it was seen |
| `maps/MAP/entities/LABEL/N` | a thing, from when it was seen there until it was found gone | as known |
| `maps/MAP/entities/LABEL/N/trail` | the line through all places it was at | always |
| `maps/MAP/places/floor N` | regions, with their kinds | always |
| `maps/MAP/forest/level N` | areas above them | always |
| `forest` | the top of the forest as a graph | always |
| `keyframes/ROBOT/SOURCE` | pictures | as taken |
| `words`, `events` | what was said, and what happened | as it was |
| `about` | what is here, and what is left out | always |

There is one timeline, `time` (UTC). Names that were remembered are data: they are escaped in paths.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from memory_core.episodic.drawn import color_of, scan_of, scan_points
from memory_core.episodic.exchange import stored_in_order
from memory_core.episodic.rows import Stored
from memory_core.episodic.summary import by_run, trajectory
from memory_core.errors import NotInstalled, ViewerUnavailable
from memory_core.interfaces.forest_view import Forest
from memory_core.memory import RobotMemory
from memory_core.types import Box, Entity, Event, ForestNode, Json, Place, Pose

try:
    import rerun as rr
    import rerun.blueprint as rrb
except ImportError as error:
    raise NotInstalled.part("rerun", "rerun") from error

Progress = Callable[[int, int], None]

APPLICATION = "robot-memory"
LEFT_OUT = (
    "vectors and covariances",
    "sightings of which only the direction is known",
    "facts",
    "earlier poses of anchors (everything lies where the map has it now)",
    "of the forest drawn as a graph, nodes beyond the first 200 (all are there as boxes)",
)
TIMELINE = "time"
_SLICE = 500
_UNSIZED_M = 0.15
_GRAPH_NODES = 200
_WORDS = 200
_SHORT = 40


def write_recording(memory: RobotMemory, out: Path, *, progress: Progress | None = None) -> Json:
    """Write a memory as a recording that the Rerun viewer opens.

    Args:
        memory: Which; what is pending in it should be organised.
        out: The `.rrd` file; replaced when all of it is written.
        progress: Called with (observations written, observations in all).

    Returns:
        How many `observations`, `keyframes`, `sightings`, `scans`, `entities`, `places`, `events`
        and nodes of the `forest` were written.

    Raises:
        OSError: The file cannot be written.
    """
    temporary = out.with_name(out.name + ".part")
    temporary.touch()  # tells by name what cannot be written
    stream = _stream()
    stream.save(temporary, default_blueprint=_blueprint(memory))
    sent = _send(memory, stream, progress)
    temporary.replace(out)
    return sent


def show_in_viewer(memory: RobotMemory, *, progress: Progress | None = None) -> Json:
    """Send a memory to the Rerun viewer: the one that is open, else one that is opened.

    Args:
        memory: Which; what is pending in it should be organised.
        progress: Called with (observations sent, observations in all).

    Returns:
        See `write_recording`.

    Raises:
        ViewerUnavailable: No viewer could be opened.
    """
    stream = _stream()
    with _viewer():
        stream.spawn(default_blueprint=_blueprint(memory))
        return _send(memory, stream, progress)


def open_recording(path: Path) -> None:
    """Open a recording in the Rerun viewer.

    Args:
        path: The `.rrd` file.

    Raises:
        ViewerUnavailable: No viewer could be opened.
    """
    stream = _stream()
    with _viewer():
        stream.spawn()
        stream.log_file_from_path(path)
        stream.flush()


def _stream() -> Any:
    stream = rr.RecordingStream(APPLICATION)
    stream.set_log_time_enabled(False)
    stream.set_log_tick_enabled(False)
    return stream


def _send(memory: RobotMemory, stream: Any, progress: Progress | None) -> Json:
    before = rr.strict_mode()
    rr.set_strict_mode(True)  # what Rerun refuses is an error, not a warning
    try:
        stream.send_recording_name(memory.folder.resolve().name)
        sent = _Sender(stream).send(memory, progress)
        stream.flush()
        stream.disconnect()
    finally:
        rr.set_strict_mode(before)
    return sent


@contextmanager
def _viewer() -> Iterator[None]:
    """Finds the viewer that came with the package, and says in a line why it does not open."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), path))
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ViewerUnavailable(
            f"the Rerun viewer does not open ({reason}); "
            "write a recording to look at elsewhere: --out FILE.rrd"
        ) from error
    finally:
        os.environ["PATH"] = path


def _blueprint(memory: RobotMemory) -> Any:
    """Maps at the left, pictures and the forest at the right, words below."""
    drawn = [
        rrb.Spatial3DView(
            origin=_path("maps", name), name=name,
            contents=["$origin/**", "- $origin/forest/**"],
        )
        for name in sorted(memory.store.epochs())
    ]  # fmt: skip
    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Tabs(*drawn, name="Maps"),
            rrb.Vertical(
                rrb.Tabs(
                    rrb.Spatial2DView(origin="keyframes", name="Pictures"),
                    rrb.GraphView(
                        origin="forest",
                        name="Forest",
                        force_link=rrb.archetypes.ForceLink(distance=150.0),
                        force_collision_radius=rrb.archetypes.ForceCollisionRadius(enabled=True),
                    ),
                    rrb.TextDocumentView(origin="about", name="About"),
                ),
                rrb.Tabs(
                    rrb.TextLogView(origin="events", name="Events"),
                    rrb.TextLogView(origin="words", name="Words"),
                ),
                row_shares=[3, 2],
            ),
            column_shares=[3, 2],
        ),
        rrb.TimePanel(timeline=TIMELINE, state="expanded", play_state="following"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.BlueprintPanel(state="collapsed"),
    )


def _path(*parts: str) -> str:
    """The entity path of names, each escaped."""
    return str(rr.new_entity_path(list(parts))).lstrip("/")


class _Sender:
    """Sends the parts of a memory, and counts them."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._sent = dict.fromkeys(
            ("observations", "keyframes", "sightings", "scans", "entities", "places", "events",
             "forest"), 0,
        )  # fmt: skip

    def send(self, memory: RobotMemory, progress: Progress | None) -> Json:
        self._always("/", rr.ViewCoordinates.RIGHT_HAND_Z_UP)
        self._paths(memory)
        for entity in memory.entities():
            self._entity(entity)
        places, nodes = memory.places(), memory.forest()
        self._places(places)
        self._forest(nodes, {place.id: place.map_id for place in places})
        self._events(memory.events(), {place.id: place.kind for place in places})
        total, pending = memory.store.count(), list[Stored]()
        for stored in stored_in_order(memory.store, embeddings=False):
            pending.append(stored)
            if len(pending) == _SLICE:
                self._observations(pending)
                pending = []
                if progress:
                    progress(self._sent["observations"], total)
        self._observations(pending)
        self._about(memory.folder.resolve().name)
        return self._sent

    def _about(self, name: str) -> None:
        here = "".join(
            f"- {count:,} {'areas in the forest' if what == 'forest' else what}\n"
            for what, count in self._sent.items()
        )
        missing = "".join(f"- {part}\n" for part in LEFT_OUT)
        text = f"# {name}\n\n{here}\n## Left out\n\n{missing}"
        self._always("about", rr.TextDocument(text, media_type=rr.MediaType.MARKDOWN))

    def _always(self, path: str, *shown: Any) -> None:
        self._stream.log(path, *shown, static=True)

    def _columns(self, path: str, stamps_ns: Sequence[int], columns: Any) -> None:
        """Rows of one entity, one a stamp."""
        times = np.array(stamps_ns, dtype="datetime64[ns]")
        self._stream.send_columns(path, [rr.TimeColumn(TIMELINE, timestamp=times)], columns)

    # -- the robot ------------------------------------------------------------------------------

    def _paths(self, memory: RobotMemory) -> None:
        for run in by_run(trajectory(memory)):
            robot, session, map_id = run[0].run
            line = [step.pose.position for step in run]
            self._always(
                _path("maps", map_id, "path", robot, session),
                rr.LineStrips3D([line], colors=[_color(robot)], radii=0.03),
            )
            here = _path("maps", map_id, "robots", robot)
            self._columns(
                here,
                [step.stamp_ns for step in run],
                rr.Transform3D.columns(
                    translation=line, quaternion=[step.pose.quaternion for step in run]
                ),
            )
            self._always(here, rr.TransformAxes3D(axis_length=0.5))

    # -- what was observed ----------------------------------------------------------------------

    def _observations(self, batch: Sequence[Stored]) -> None:
        said: list[tuple[int, str]] = []
        for stored in batch:
            observation, stamp_ns = stored.observation, stored.observation.stamp_ns
            self._sent["observations"] += 1
            self._stream.set_time(TIMELINE, timestamp=np.datetime64(stamp_ns, "ns"))
            if observation.text:
                said.append((stamp_ns, observation.text))
            if observation.keyframe is not None:
                self._sent["keyframes"] += 1
                self._stream.log(
                    _path("keyframes", observation.robot, observation.source),
                    rr.EncodedImage(contents=observation.keyframe.jpeg, media_type="image/jpeg"),
                )
            if stored.map_pose is not None:
                self._scan(stored, stored.map_pose)
                self._seen(stored)
        if said:
            stamps, texts = zip(*said, strict=True)
            self._columns("words", stamps, rr.TextLog.columns(text=texts))

    def _scan(self, stored: Stored, pose: Pose) -> None:
        hit = scan_of(stored.observation)
        if hit is None:
            return
        self._sent["scans"] += 1
        self._stream.log(
            _path("maps", stored.observation.map_id, "scans", stored.observation.robot),
            rr.Points3D(pose.transform(scan_points(*hit)), radii=0.03, colors=[(90, 90, 90)]),
        )

    def _seen(self, stored: Stored) -> None:
        placed = [
            (sighting.label, at)
            for sighting in stored.observation.sightings
            if (at := stored.sighting_position(sighting)) is not None
        ]
        if not placed:
            return
        self._sent["sightings"] += len(placed)
        labels, positions = zip(*placed, strict=True)
        self._stream.log(
            _path("maps", stored.observation.map_id, "sightings", stored.observation.robot),
            rr.Points3D(
                positions, radii=0.06, labels=labels, show_labels=False,
                colors=[_color(label) for label in labels],
            ),
        )  # fmt: skip

    # -- what is known --------------------------------------------------------------------------

    def _entity(self, entity: Entity) -> None:
        """A box from when a thing was seen there until it was found gone; and its trail."""
        path = _path("maps", entity.map_id, "entities", entity.label, entity.id.partition(":")[2])
        half = [size / 2 for size in entity.size] if all(entity.size) else [_UNSIZED_M / 2] * 3
        for stay in entity.history:
            self._stream.set_time(TIMELINE, timestamp=np.datetime64(stay.start_ns, "ns"))
            self._stream.log(
                path,
                rr.Boxes3D(
                    centers=[stay.position], half_sizes=[half], labels=[entity.label],
                    colors=[_color(entity.label)],
                ),
                rr.AnyValues(
                    id=entity.id, confidence=entity.confidence, sightings=stay.sightings,
                    place=stay.place or "",
                ),
            )  # fmt: skip
            if stay.end_ns is not None:
                self._stream.set_time(TIMELINE, timestamp=np.datetime64(stay.end_ns, "ns"))
                self._stream.log(path, rr.Clear(recursive=False))
        self._sent["entities"] += 1
        if len(entity.history) > 1:
            self._always(
                f"{path}/trail",
                rr.LineStrips3D(
                    [[stay.position for stay in entity.history]], colors=[_color(entity.label)]
                ),
            )

    def _places(self, places: Sequence[Place]) -> None:
        floors: dict[tuple[str, int], list[Place]] = {}
        for place in places:
            floors.setdefault((place.map_id, place.floor), []).append(place)
        for (map_id, floor), on_it in floors.items():
            names = [place.kind or place.id for place in on_it]
            self._always(
                _path("maps", map_id, "places", f"floor {floor + 1}"),
                _boxes([place.bounds for place in on_it], names),
            )
        self._sent["places"] = len(places)

    def _forest(self, nodes: Sequence[ForestNode], maps: dict[str, str]) -> None:
        levels: dict[tuple[str, int], list[ForestNode]] = {}
        for node in sorted(nodes, key=lambda node: node.level):
            maps.setdefault(node.id, maps[node.children[0]] if node.children else "")
            levels.setdefault((maps[node.id], node.level), []).append(node)
        for (map_id, level), on_it in levels.items():
            self._always(
                _path("maps", map_id, "forest", f"level {level}"),
                _boxes([node.bounds for node in on_it], [_name(node) for node in on_it]),
            )
        self._sent["forest"] = len(nodes)
        top = _top(Forest.of(nodes))
        if top:
            shown = {node.id for node in top}
            self._always(
                "forest",
                rr.GraphNodes(
                    [node.id for node in top], labels=[_short_name(node) for node in top]
                ),
                rr.GraphEdges(
                    [(node.parent, node.id) for node in top if node.parent in shown],
                    graph_type="directed",
                ),
            )

    def _events(self, events: Sequence[Event], kinds: Mapping[str, str]) -> None:
        self._sent["events"] = len(events)
        if events:
            told = [
                ": ".join(
                    filter(None, (kinds.get(event.place or "") or event.place, event.summary))
                )
                for event in events
            ]
            stamps = [event.start_ns for event in events]
            self._columns("events", stamps, rr.TextLog.columns(text=told))


def _color(name: str) -> tuple[int, int, int]:
    red, green, blue = (round(part * 255) for part in color_of(name))
    return red, green, blue


def _boxes(bounds: Sequence[Box], names: Sequence[str]) -> Any:
    """Boxes drawn as lines, with names to show when one is pointed at."""
    low = np.array([box.low for box in bounds])
    high = np.array([box.high for box in bounds])
    return rr.Boxes3D(
        mins=low, sizes=np.maximum(high - low, 0.05), labels=names, show_labels=len(names) <= 30,
        colors=[_color(name) for name in names], radii=0.02, fill_mode="majorwireframe",
    )  # fmt: skip


def _top(forest: Forest) -> list[ForestNode]:
    """The nodes of the highest levels, as many as a graph can show."""
    top: list[ForestNode] = []
    front = list(forest.roots)
    for _ in range(forest.depth_within(_GRAPH_NODES) + 1):
        top += front
        front = [child for node in front for child in forest.children(node)]
    return top[:_GRAPH_NODES]


def _name(node: ForestNode) -> str:
    return (node.kind or node.text or node.id)[:_WORDS]


def _short_name(node: ForestNode) -> str:
    """The kind of an area, or what is in it, without how large it is."""
    return (node.kind or node.text.rpartition(": ")[2] or node.id)[:_SHORT]
