"""
The project's types to ROS messages and back.

Reading takes any object with the fields of the message. Writing makes messages through `Make`, so
that both are tested with types generated from the `.msg` files where ROS is not installed.
"""

from __future__ import annotations

import importlib
import json
from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from memory_core.errors import InputRejected
from memory_core.types import (
    Acknowledgement,
    Answer,
    Box,
    Entity,
    Evidence,
    Filters,
    ForestNode,
    Keyframe,
    Observation,
    Place,
    Pose,
    Query,
    Refusal,
    Sighting,
    Stay,
    TimeSpan,
)

Make = Callable[..., Any]
"""Makes a message from its type (`package/msg/Name`) and all of its fields."""

SECOND_NS = 1_000_000_000
INTERFACES = 'robot_memory_interfaces/msg/'


def make_message(kind: str, /, **fields: Any) -> Any:
    """Make a message with rclpy's types."""
    for name, item in fields.items():
        if isinstance(item, np.ndarray) and item.dtype == np.uint8:
            fields[name] = array(
                'B', item.tobytes()
            )  # rclpy takes it without a look at every byte
    package, _, name = kind.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), name)(**fields)


# -- moments, points, poses ---------------------------------------------------------------------


def ns_of(stamp: Any) -> int:
    """builtin_interfaces/Time to nanoseconds."""
    return int(stamp.sec) * SECOND_NS + int(stamp.nanosec)


def time_of(make: Make, stamp_ns: int | None) -> Any:
    """Nanoseconds to builtin_interfaces/Time; 0 for None."""
    seconds, rest = divmod(stamp_ns or 0, SECOND_NS)
    return make('builtin_interfaces/msg/Time', sec=int(seconds), nanosec=int(rest))


def header_of(make: Make, stamp_ns: int, frame: str) -> Any:
    """Make a std_msgs/Header of a stamp and a frame."""
    return make('std_msgs/msg/Header', stamp=time_of(make, stamp_ns), frame_id=frame)


def point_of(make: Make, position: Iterable[float] | None) -> Any:
    """Metres as geometry_msgs/Point; zeros for None."""
    x, y, z = map(float, position if position is not None else (0, 0, 0))
    return make('geometry_msgs/msg/Point', x=x, y=y, z=z)


def _vector(make: Make, size: Iterable[float] | None) -> Any:
    x, y, z = map(float, size if size is not None else (0, 0, 0))
    return make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)


def _tuple(vector: Any) -> tuple[float, float, float]:
    return float(vector.x), float(vector.y), float(vector.z)


def _covariance(values: Any) -> tuple[float, ...] | None:
    numbers = tuple(map(float, values))
    return numbers if any(numbers) else None


def pose_of(message: Any) -> Pose:
    """Read a geometry_msgs/Pose."""
    turn = message.orientation
    return Pose(
        *_tuple(message.position), float(turn.x), float(turn.y), float(turn.z), float(turn.w)
    )


# -- observations -------------------------------------------------------------------------------


def sighting_of(message: Any) -> Sighting:
    """One thing seen."""
    size = _tuple(message.size)
    return Sighting(
        message.label,
        position=_tuple(message.position) if message.has_position else None,
        covariance=_covariance(message.position_covariance),
        bearing=(float(message.azimuth), float(message.elevation))
        if message.has_bearing
        else None,
        size=size if any(size) else None,
        confidence=float(message.confidence),
        embedding=np.asarray(message.embedding, np.float32) if len(message.embedding) else None,
        state=dict(zip(message.state_names, map(float, message.state_values), strict=True)),
    )


def observation_of(message: Any) -> Observation:
    """
    One moment of a robot.

    :raises InputRejected: Its `extra` is no JSON object.
    """
    jpeg = bytes(message.keyframe)
    try:
        extra = json.loads(message.extra) if message.extra else {}
    except ValueError as error:
        raise InputRejected(f'`extra` of {message.id!r} is not JSON: {error}') from None
    if not isinstance(extra, dict):
        raise InputRejected(f'`extra` of {message.id!r} is not a JSON object')
    return Observation(
        message.id,
        ns_of(message.header.stamp),
        source=message.source or 'note',
        robot=message.robot or 'robot',
        session=message.session or 'default',
        map_id=message.map_id or 'map',
        anchor_id=message.anchor_id or 'origin',
        pose=pose_of(message.pose.pose) if message.has_pose else None,
        covariance=_covariance(message.pose.covariance),
        localised=bool(message.localised),
        text=message.text or None,
        sightings=tuple(map(sighting_of, message.sightings)),
        keyframe=Keyframe(jpeg, int(message.keyframe_width), int(message.keyframe_height))
        if jpeg
        else None,
        embeddings={
            item.space: np.asarray(item.values, np.float32) for item in message.embeddings
        },
        confidence=float(message.confidence),
        extra=extra,
    )


def sighting_message(sighting: Sighting, make: Make) -> Any:
    """One thing seen, as a message."""
    azimuth, elevation = sighting.bearing or (0.0, 0.0)
    return make(
        INTERFACES + 'Sighting',
        label=sighting.label,
        confidence=float(sighting.confidence),
        has_position=sighting.position is not None,
        position=point_of(make, sighting.position),
        position_covariance=_floats(sighting.covariance, 9),
        has_bearing=sighting.bearing is not None,
        azimuth=float(azimuth),
        elevation=float(elevation),
        size=_vector(make, sighting.size),
        embedding=np.asarray([] if sighting.embedding is None else sighting.embedding, np.float32),
        state_names=list(sighting.state),
        state_values=np.asarray(list(sighting.state.values()), np.float64),
    )


def observation_message(
    observation: Observation, make: Make, *, frame: str = 'map', anchor: Pose | None = None
) -> Any:
    """
    One moment of a robot, as a message.

    :param observation: What was perceived.
    :param make: Makes messages.
    :param frame: The fixed frame its pose is in.
    :param anchor: Where its anchor was in the map when it was made; None: at the origin.
    """
    pose = observation.pose or Pose()
    keyframe = observation.keyframe
    return make(
        INTERFACES + 'Observation',
        header=header_of(make, observation.stamp_ns, frame),
        id=observation.id,
        robot=observation.robot,
        session=observation.session,
        source=observation.source,
        map_id=observation.map_id,
        anchor_id=observation.anchor_id,
        anchor_pose=pose_message(anchor or Pose(), make),
        localised=observation.localised,
        has_pose=observation.pose is not None,
        pose=make(
            'geometry_msgs/msg/PoseWithCovariance',
            pose=pose_message(pose, make),
            covariance=_floats(observation.covariance, 36),
        ),
        text=observation.text or '',
        sightings=[sighting_message(item, make) for item in observation.sightings],
        keyframe=np.frombuffer(keyframe.jpeg if keyframe else b'', np.uint8),
        keyframe_width=keyframe.width if keyframe else 0,
        keyframe_height=keyframe.height if keyframe else 0,
        embeddings=[
            make(
                INTERFACES + 'Embedding',
                space=space,
                model='',
                values=np.asarray(vector, np.float32),
            )
            for space, vector in observation.embeddings.items()
        ],
        confidence=float(observation.confidence),
        extra=json.dumps(observation.extra) if observation.extra else '',
    )


def pose_message(pose: Pose, make: Make) -> Any:
    """Make a geometry_msgs/Pose of a pose."""
    return make(
        'geometry_msgs/msg/Pose',
        position=point_of(make, pose.position),
        orientation=make(
            'geometry_msgs/msg/Quaternion', x=pose.qx, y=pose.qy, z=pose.qz, w=pose.qw
        ),
    )


def acknowledgement_message(done: Acknowledgement, make: Make) -> Any:
    """Tell what became of observations, as a message."""
    return make(
        INTERFACES + 'Acknowledgement',
        added=list(done.added),
        known=list(done.known),
        refused=[item.id for item in done.refused],
        codes=[item.code for item in done.refused],
        messages=[item.message for item in done.refused],
    )


def acknowledgement_of(message: Any) -> Acknowledgement:
    """Read what became of observations."""
    refused = zip(message.refused, message.codes, message.messages, strict=True)
    return Acknowledgement(
        tuple(message.added), tuple(message.known), tuple(Refusal(*item) for item in refused)
    )


def _floats(values: Iterable[float] | None, count: int) -> Any:
    return np.zeros(count) if values is None else np.asarray(tuple(values), np.float64)


# -- questions ----------------------------------------------------------------------------------


def span_of(request: Any) -> TimeSpan | None:
    """Read the time a request is bounded by; None where it is not."""
    if not (request.has_start or request.has_end):
        return None
    return TimeSpan(
        ns_of(request.start) if request.has_start else None,
        ns_of(request.end) if request.has_end else None,
    )


def query_of(request: Any) -> tuple[Query, str]:
    """Read a request of `Query.srv`: the query, and the mode it is answered in."""
    region = Box(_tuple(request.low), _tuple(request.high)) if request.has_region else None
    query = Query(
        text=request.text or None,
        filters=Filters(
            span=span_of(request),
            region=region,
            robots=tuple(request.robots),
            sessions=tuple(request.sessions),
            sources=tuple(request.sources),
        ),
        near=_tuple(request.near) if request.has_near else None,
        near_scale_m=float(request.near_scale) or 5.0,
        k=int(request.k) or 10,
    )
    return query, request.mode or 'attention'


def evidence_message(evidence: Evidence, make: Make) -> Any:
    """One observation that speaks for an answer, as a message."""
    told = evidence.to_json()
    return make(
        INTERFACES + 'Evidence',
        header=header_of(make, evidence.observation.stamp_ns, evidence.map_id),
        id=evidence.observation.id,
        text=told['text'] or '',
        weight=float(evidence.weight),
        meaning=float(evidence.parts.meaning),
        space=float(evidence.parts.space),
        time=float(evidence.parts.time),
        attention=float(evidence.attention),
        has_position=evidence.position is not None,
        position=point_of(make, evidence.position),
        has_standpoint=evidence.standpoint is not None,
        standpoint=point_of(make, evidence.standpoint),
        map_id=evidence.map_id,
        epoch=evidence.epoch,
        localised=evidence.localised,
        has_keyframe=bool(evidence.keyframe),
        path=list(evidence.path),
        path_weights=np.asarray(evidence.path_weights, np.float32),
        robot=evidence.observation.robot,
        session=evidence.observation.session,
        source=evidence.observation.source,
    )


def fill_answer(response: Any, answer: Answer, make: Make) -> Any:
    """Put an answer into the fields of a response of `Ask.srv`."""
    response.answer = answer.answer
    response.kind = answer.kind
    response.abstained = answer.abstained
    response.has_position = answer.position is not None
    response.position.header = header_of(make, answer.stamp_ns or 0, answer.frame)
    response.position.point = point_of(make, answer.position)
    response.has_stamp = answer.stamp_ns is not None
    response.stamp = time_of(make, answer.stamp_ns)
    response.has_value = answer.value is not None
    response.value = float(answer.value or 0.0)
    response.unit = answer.unit or ''
    response.epoch = answer.epoch
    response.evidence = [evidence_message(item, make) for item in answer.evidence]
    return response


# -- structure ----------------------------------------------------------------------------------


def stay_message(stay: Stay, make: Make) -> Any:
    """Where a thing was, as a message."""
    return make(
        INTERFACES + 'Stay',
        position=point_of(make, stay.position),
        covariance=_floats(stay.covariance, 9),
        start=time_of(make, stay.start_ns),
        last=time_of(make, stay.last_ns),
        ended=stay.end_ns is not None,
        end=time_of(make, stay.end_ns),
        sightings=stay.sightings,
        place=stay.place or '',
    )


def entity_message(entity: Entity, make: Make) -> Any:
    """One thing, as a message."""
    return make(
        INTERFACES + 'Entity',
        header=header_of(make, entity.last_ns, entity.map_id),
        id=entity.id,
        label=entity.label,
        map_id=entity.map_id,
        history=[stay_message(stay, make) for stay in entity.history],
        gone=entity.gone,
        size=_vector(make, entity.size),
        state_names=list(entity.state),
        state_values=np.asarray(list(entity.state.values()), np.float64),
        confidence=float(entity.confidence),
    )


def place_message(place: Place, make: Make) -> Any:
    """One place, as a message."""
    return make(
        INTERFACES + 'Place',
        header=header_of(make, 0, place.map_id),
        id=place.id,
        map_id=place.map_id,
        centre=point_of(make, place.centre),
        low=point_of(make, place.bounds.low),
        high=point_of(make, place.bounds.high),
        floor=place.floor,
        kind=place.kind,
        confidence=float(place.confidence),
        text=place.text,
        observations=place.observations,
    )


def forest_message(node: ForestNode, make: Make) -> Any:
    """One node of the forest, as a message."""
    return make(
        INTERFACES + 'ForestNode',
        id=node.id,
        level=node.level,
        parent=node.parent or '',
        children=list(node.children),
        text=node.text,
        count=node.count,
        kind=node.kind,
        low=point_of(make, node.bounds.low),
        high=point_of(make, node.bounds.high),
        start=time_of(make, node.span.start_ns),
        end=time_of(make, node.span.end_ns),
    )
