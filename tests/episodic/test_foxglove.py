"""MCAP exports, read back with the packages and message types of MCAP and Foxglove."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from memory_core import Observation, Pose, RobotMemory, Sighting
from memory_core.episodic.exchange import left_out
from memory_core.perception.text import HashingEncoder
from memory_core.types import Entity, Keyframe, Stay

from .making import START_NS, jpeg, rich

pytest.importorskip("mcap", reason="the package mcap is not installed")
pytest.importorskip("mcap_protobuf", reason="the package mcap-protobuf-support is not installed")
pytest.importorskip(
    "foxglove_schemas_protobuf", reason="the package foxglove-schemas-protobuf is not installed"
)
from memory_core.episodic.foxglove import export_mcap

MINUTE = 60 * 10**9
OFFICIAL = {
    "foxglove.FrameTransform", "foxglove.PoseInFrame", "foxglove.PosesInFrame",
    "foxglove.CompressedImage", "foxglove.LaserScan", "foxglove.Log", "foxglove.SceneUpdate",
}  # fmt: skip


class Read:
    """An MCAP file, decoded with the schemas that it carries."""

    def __init__(self, path):
        from mcap.reader import make_reader
        from mcap_protobuf.decoder import DecoderFactory

        self.topics, self.schemas = {}, {}
        with path.open("rb") as file:
            reader = make_reader(file, decoder_factories=[DecoderFactory()])
            for schema, channel, message in reader.iter_messages():
                self.schemas[channel.topic] = schema
                decode = DecoderFactory().decoder_for(channel.message_encoding, schema)
                value = json.loads(message.data) if decode is None else decode(message.data)
                self.topics.setdefault(channel.topic, []).append((message.log_time, value))
            self.metadata = {item.name: item.metadata for item in reader.iter_metadata()}
            self.attachments = {item.name: item.data for item in reader.iter_attachments()}

    def __getitem__(self, topic):
        return [value for _, value in self.topics[topic]]


def seconds(value):
    return value.timestamp.seconds * 10**9 + value.timestamp.nanos


def xyz(vector):
    return (vector.x, vector.y, vector.z)


@pytest.fixture
def memory(tmp_path):
    with RobotMemory.open(tmp_path / "memory", text_encoder=HashingEncoder()) as opened:
        yield opened


@pytest.fixture
def moved(memory):
    """A mug that was at (2, 0) and is at (2, 3) an hour later, seen from the same standpoint."""
    for when, y in ((0, 0.0), (1, 0.0), (60, 3.0), (61, 3.0)):
        memory.observe(
            Observation(
                id=f"look-{when}", stamp_ns=START_NS + when * MINUTE, source="camera",
                pose=Pose(0.0, 1.0), keyframe=Keyframe(jpeg(when), 64, 48),
                sightings=(
                    Sighting("mug", position=(2.0, y - 1.0, 0.5), size=(0.1, 0.1, 0.12),
                             covariance=(1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 1e-4)),
                    Sighting("table", position=(1.5, 0.5, 0.4)),
                ),
            )
        )  # fmt: skip
    return memory


def exported(memory, tmp_path, **options):
    memory.export(tmp_path / "memory.mcap", format="mcap", **options)
    return Read(tmp_path / "memory.mcap")


def test_every_observation_is_there_with_its_words_and_pictures(memory, tmp_path):
    observations = [rich(n) for n in range(1, 40)]
    memory.observe(observations)
    assert memory.export(tmp_path / "memory.mcap", format="mcap") == 39
    found = Read(tmp_path / "memory.mcap")
    assert [v["id"] for v in found["/memory/observations"]] == [o.id for o in observations]
    assert [t for t, _ in found.topics["/memory/text"]] == [o.stamp_ns for o in observations]
    assert [v.message for v in found["/memory/text"]] == [o.text for o in observations]
    pictures = [o for o in observations if o.keyframe]
    kept = [v for topic in found.topics if "/keyframes/" in topic for v in found[topic]]
    assert {v.data for v in kept} == {o.keyframe.jpeg for o in pictures}
    assert {v.format for v in kept} == {"jpeg"}


def test_every_topic_but_one_has_a_type_of_foxglove_itself(moved, tmp_path):
    pytest.importorskip("google.protobuf", reason="the package protobuf is not installed")
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    moved.observe(
        Observation(id="scan", stamp_ns=START_NS + 62 * MINUTE, source="laser", pose=Pose(0, 1),
                    text="all quiet", extra={"scan_m": [1.0, None, 2.0, None], "scanner_yaw": 0.5})
    )  # fmt: skip
    found = exported(moved, tmp_path)
    own = found.schemas.pop("/memory/observations")
    assert (own.name, own.encoding) == ("robot_memory.Observation", "jsonschema")
    assert {schema.name for schema in found.schemas.values()} == OFFICIAL
    for schema in found.schemas.values():
        assert schema.encoding == "protobuf"
        files = FileDescriptorSet.FromString(schema.data).file
        assert schema.name in {f"{f.package}.{m.name}" for f in files for m in f.message_type}


def test_a_picture_lies_in_the_frame_of_the_robot_that_is_placed_at_that_moment(moved, tmp_path):
    found = exported(moved, tmp_path)
    placed = {seconds(value): value for value in found["/tf"]}
    for picture in found["/robot/keyframes/camera"]:
        transform = placed[seconds(picture)]
        assert picture.frame_id == transform.child_frame_id
        assert transform.parent_frame_id == "map"
        assert xyz(transform.translation) == (0.0, 1.0, 0.0)


def test_a_correction_of_the_map_moves_what_is_exported(memory, tmp_path):
    memory.add_anchor("dock", Pose(1.0, 0.0))
    memory.observe(Observation(id="a", stamp_ns=START_NS, anchor_id="dock", pose=Pose(2.0, 0.0),
                               text="here"))  # fmt: skip
    memory.move_anchors({"dock": Pose(5.0, 0.0)})
    found = exported(memory, tmp_path)
    assert xyz(found["/robot/pose"][0].pose.position) == (7.0, 0.0, 0.0)
    assert [xyz(p.position) for p in found["/robot/path/default"][0].poses] == [(7.0, 0.0, 0.0)]


def minute(number):
    return START_NS + number * MINUTE


NEAR = tuple(float(n) for n in (1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 1e-4))
MUG = Entity(
    "entity:1", "mug", "map", size=(0.1, 0.1, 0.12), confidence=0.9,
    history=(
        Stay((2.0, 0.0, 0.5), NEAR, minute(0), minute(5), end_ns=minute(60), sightings=3),
        Stay((2.0, 3.0, 0.5), NEAR, minute(70), minute(70)),
    ),
)  # fmt: skip
LAMP = Entity(
    "entity:2", "lamp", "map", history=(Stay((4.0, 0.0, 1.0), NEAR, minute(1), minute(9)),)
)


def test_the_scene_is_whole_at_every_moment_and_follows_what_moved(memory, tmp_path):
    target = tmp_path / "scenes.mcap"
    export_mcap(memory.store, target, path=[], entities=[MUG, LAMP], places=[])
    scenes = {
        stamp: {thing.id: xyz(thing.cubes[0].pose.position) for thing in scene.entities}
        for stamp, scene in Read(target).topics["/memory/entities"]
    }
    assert scenes == {
        minute(0): {"entity:1": (2.0, 0.0, 0.5)},
        minute(1): {"entity:1": (2.0, 0.0, 0.5), "entity:2": (4.0, 0.0, 1.0)},
        minute(60): {"entity:2": (4.0, 0.0, 1.0)},
        minute(70): {"entity:1": (2.0, 3.0, 0.5), "entity:2": (4.0, 0.0, 1.0)},
    }


def test_a_thing_has_a_trail_a_name_and_what_is_known_of_it(memory, tmp_path):
    target = tmp_path / "scenes.mcap"
    export_mcap(memory.store, target, path=[], entities=[MUG], places=[])
    scene = Read(target)["/memory/entities"][-1]
    assert [item.type for item in scene.deletions] == [scene.deletions[0].ALL]
    (mug,) = scene.entities
    assert [xyz(point) for point in mug.lines[0].points] == [(2.0, 0.0, 0.5), (2.0, 3.0, 0.5)]
    assert mug.texts[0].text == "mug"
    assert xyz(mug.cubes[0].size) == pytest.approx((0.1, 0.1, 0.12))
    told = {pair.key: pair.value for pair in mug.metadata}
    assert (told["label"], told["confidence"], told["stays"]) == ("mug", "0.90", "2")


def test_scenes_are_fewer_where_they_would_be_too_many_and_the_newest_is_there(
    memory, tmp_path, monkeypatch
):
    monkeypatch.setattr("memory_core.episodic.foxglove._DRAWN", 4)
    target = tmp_path / "scenes.mcap"
    export_mcap(memory.store, target, path=[], entities=[MUG, LAMP], places=[])
    stamps = [stamp for stamp, _ in Read(target).topics["/memory/entities"]]
    assert stamps == [minute(1), minute(70)]


def test_the_memory_hands_over_every_thing_it_knows(moved, tmp_path):
    scene = exported(moved, tmp_path)["/memory/entities"][-1]
    known = {entity.id for entity in moved.entities() if not entity.gone}
    assert {thing.id for thing in scene.entities} == known
    assert len(known) >= 2


def test_places_are_boxes_where_the_memory_has_them(moved, tmp_path):
    found = exported(moved, tmp_path)
    boxes = {item.id: item.cubes[0] for scene in found["/memory/places"] for item in scene.entities}
    places = moved.places()
    assert boxes.keys() == {place.id for place in places}
    for place in places:
        low, high = place.bounds.low, place.bounds.high
        middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        assert xyz(boxes[place.id].pose.position) == pytest.approx(middle)


def test_it_says_what_it_leaves_out(moved, tmp_path):
    told = exported(moved, tmp_path).metadata["robot-memory"]
    assert told["observations"] == "4"
    assert told["entities"] == str(len(moved.entities()))
    assert told["left_out"] == "; ".join(left_out("mcap", records=False))
    assert "vectors" in told["left_out"]
    assert "forest" in told["left_out"]


def test_records_go_along_when_asked_for(moved, tmp_path):
    found = exported(moved, tmp_path, records=True)
    lines = [json.loads(line) for line in found.attachments["records.jsonl"].splitlines()]
    kinds = [line["record"] for line in lines]
    assert kinds.count("entity") == len(moved.entities())
    assert kinds.count("forest") == len(moved.forest())
    assert "forest" not in found.metadata["robot-memory"]["left_out"]


@pytest.mark.parametrize(
    "extra",
    [{"scan_m": "near"}, {"scan_m": []}, {"scan_m": ["x"]}, {"scan_m": [1.0], "scanner_yaw": "x"}],
    ids=str,
)
def test_what_only_looks_like_a_scan_is_passed_over(memory, tmp_path, extra):
    memory.observe(Observation(id="a", stamp_ns=START_NS, pose=Pose(), extra=extra, source="laser"))
    assert "/robot/scan/laser" not in exported(memory, tmp_path).topics


def test_a_scan_is_drawn_where_it_hit(memory, tmp_path):
    extra = {"scan_m": [1.0, None, 2.0, None], "scanner_yaw": 0.0}
    memory.observe(Observation(id="a", stamp_ns=START_NS, pose=Pose(), extra=extra, source="laser"))
    (scan,) = exported(memory, tmp_path)["/robot/scan/laser"]
    assert list(scan.ranges) == [1.0, float("inf"), 2.0, float("inf")]
    quarter = (scan.end_angle - scan.start_angle) / 3
    assert quarter == pytest.approx(1.5707963)
    assert scan.start_angle == pytest.approx(-2.3561945)  # the middle of the first of four sectors


def test_an_empty_memory_makes_an_empty_file_that_can_be_read(memory, tmp_path):
    assert exported(memory, tmp_path).topics == {}


def test_names_with_slashes_stay_one_topic_each(memory, tmp_path):
    base = Observation(
        id="a", stamp_ns=START_NS, robot="/fleet/ann/", session="/x", pose=Pose(1, 2)
    )
    memory.observe([base, replace(base, id="b", stamp_ns=START_NS + 1, pose=Pose(2, 2))])
    assert {"/fleet/ann/pose", "/fleet/ann/path/x"} <= exported(memory, tmp_path).topics.keys()
