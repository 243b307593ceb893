"""The calls that every way in shares: MCP, HTTP and a language model's tools.

A service stands over one open memory. It takes checked arguments (`requests`), gives back JSON
(the objects that the commands print with `--json`), and knows no transport. Reading calls change
nothing; calls that change or move something are refused unless each was enabled, and every use
of one is written to an audit log. Remembered words come back as data, cut to a length.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from memory_core.episodic.ledger import Removal
from memory_core.errors import (
    CallNotEnabled,
    InvalidQuery,
    PlannerMissing,
    RobotMemoryError,
    UnknownId,
)
from memory_core.identity import new_id
from memory_core.interfaces import requests
from memory_core.interfaces.areas import area
from memory_core.interfaces.calls import CALLS, CHANGING, Call
from memory_core.interfaces.cutting import fitting, short
from memory_core.interfaces.differences import differences
from memory_core.interfaces.forest_view import Forest
from memory_core.interfaces.guarding import AUDIT_NAME, AuditLog, RateLimiter
from memory_core.interfaces.structure import entity_json, event_json
from memory_core.language.lexicon import same_kind
from memory_core.memory import RobotMemory
from memory_core.types import (
    Entity,
    Evidence,
    Filters,
    Json,
    Observation,
    Pose,
    Query,
    TimeSpan,
    Vector3,
)

MAX_TEXT = 2_000
MAX_REPLY = 262_144
MAX_PICTURE = 4 * 2**20
MAX_NODES = 400
SHOWN_SIGHTINGS = 200


class Planner(Protocol):
    """What turns words into plans and motion; injected where a robot stands behind a memory."""

    def plan(self, goal: str) -> Json:
        """The steps that would reach a goal; nothing moves.

        Raises:
            RobotMemoryError: There is no plan.
        """

    def go_to(self, target: str | Vector3, *, map_id: str) -> Json:
        """Drive to what words name, or to a position (metres), and say how it went.

        Raises:
            RobotMemoryError: It cannot be reached, or is not known.
        """


class MemoryService:
    """The calls over one open memory; safe to use from several threads."""

    def __init__(
        self,
        memory: RobotMemory,
        *,
        allow: frozenset[str] = frozenset(),
        audit: AuditLog | None = None,
        planner: Planner | None = None,
        rate: RateLimiter | None = None,
    ) -> None:
        """Stand over a memory, which stays the caller's to close.

        Args:
            memory: Open; for reading alone, unless calls that write are allowed.
            allow: Names of calls that change or move something, and may be made.
            audit: Where each use of one of those is written; by default in the memory's folder.
            planner: What plans and moves.
            rate: How often each client may call.

        Raises:
            InvalidQuery: `allow` names no such call.
        """
        unknown = sorted(allow - CHANGING)
        if unknown:
            raise InvalidQuery(
                f"there is no call {unknown[0]!r} to allow; expected one of "
                f"{', '.join(sorted(CHANGING))}"
            )
        self.memory = memory
        self.allow = allow
        self.audit = audit or (AuditLog(memory.folder / AUDIT_NAME) if allow else None)
        self._planner = planner
        self._rate = rate or RateLimiter()
        self._counting = threading.Lock()
        self._counted: tuple[tuple[int, ...], dict[str, Json]] | None = None
        self._calls: dict[str, Callable[[Any], Json]] = {
            name: getattr(self, f"_{name}") for name in CALLS
        }

    @property
    def enabled(self) -> list[Call]:
        """The calls that may be made, in the order they are shown."""
        return [call for call in CALLS.values() if not call.changes or call.name in self.allow]

    def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | requests.Request,
        *,
        client: str = "local",
    ) -> dict[str, Json]:
        """Make one call.

        Args:
            name: Of `CALLS`.
            arguments: As they came from outside, or checked already.
            client: Who asks, for the rate and the audit log.

        Returns:
            The reply as JSON, cut to `MAX_REPLY` bytes; `truncated` says where it was.

        Raises:
            InvalidQuery: There is no such call, or an argument is wrong.
            CallNotEnabled: It changes or moves something and was not enabled.
            RateLimited: The client calls too often.
            RobotMemoryError: What the memory says.
        """
        known = CALLS.get(name)
        if known is None:
            raise InvalidQuery(f"there is no call {name[:64]!r}; expected {', '.join(CALLS)}")
        self._rate.take(client)
        if known.changes:
            return _sent(self._audited(known, arguments, client))
        return _sent(self._calls[name](checked(known, arguments)))

    def _audited(
        self, call: Call, arguments: Mapping[str, Any] | requests.Request, client: str
    ) -> dict[str, Json]:
        """Make a call that changes something, between two lines in the log."""
        began = time.monotonic()

        def note(outcome: str, **more: Json) -> None:
            if self.audit is not None:
                self.audit.write(call.name, told, client=client, outcome=outcome, **more)

        told: Json = {}
        try:
            if call.name not in self.allow:
                raise CallNotEnabled(
                    f"{call.name} changes or moves something and is off; whoever starts the "
                    f"server can enable it with --allow {call.name}"
                )
            request = checked(call, arguments)
            told = request.model_dump(mode="json", exclude_defaults=True)
            note("asked")
            done: dict[str, Json] = self._calls[call.name](request)
        except Exception as error:  # whatever it was, the log says how it ended
            note(error.code if isinstance(error, RobotMemoryError) else "error")
            raise
        note("done", milliseconds=round((time.monotonic() - began) * 1e3, 1))
        return done

    # -- reading ----------------------------------------------------------------------------

    def _ask(self, request: requests.Ask) -> Json:
        return self.memory.ask(
            request.question, now_ns=request.moment(request.now), zone=request.zone
        ).to_json()

    def _recall(self, request: requests.Recall) -> Json:
        near = request.near
        query = Query(
            text=request.query, filters=request.filters(), k=request.k,
            near=None if near is None else (*near, 0.0)[:3],  # type: ignore[arg-type]
        )  # fmt: skip
        return self.memory.recall(query, mode=request.mode).to_json()

    def _locate(self, request: requests.Locate) -> Json:
        found = self.memory.ask(f"where is the {request.thing}?", zone=request.zone)
        alike = [e for e in self.memory.entities() if same_kind(request.thing, e.label)]

        def rank(entity: Entity) -> tuple[float, bool, int]:
            away = math.dist(entity.position, found.position) if found.position else 0.0
            return (away, entity.gone, -entity.last_ns)

        alike.sort(key=rank)
        return {
            "thing": request.thing, "answer": found.answer, "abstained": found.abstained,
            "position": list(found.position) if found.position is not None else None,
            "frame": found.frame, "map_id": found.map_id, "epoch": found.epoch,
            "stamp_ns": found.stamp_ns,
            "entities": [entity_json(entity) for entity in alike[: request.k]],
            "evidence": [item.to_json() for item in found.evidence[: request.k]],
        }  # fmt: skip

    def _timeline(self, request: requests.Timeline) -> Json:
        span = _sound(request.span())
        events = [
            event
            for event in self.memory.events()
            if (span.start_ns is None or event.end_ns >= span.start_ns)
            and (span.end_ns is None or event.start_ns <= span.end_ns)
        ]
        shown = {"events": [event_json(event) for event in events[-request.limit :]]}
        return _marked(shown, len(events) > request.limit)

    def _describe_area(self, request: requests.DescribeArea) -> Json:
        return area(self.memory, request)

    def _forest(self, request: requests.Forest) -> Json:
        shown = Forest.of(self.memory.forest(), start=request.node)
        fits = shown.depth_within(MAX_NODES)
        depth = fits if request.depth is None else min(request.depth, fits)
        deepest = max((node.level for node in shown.roots), default=0)
        wanted = deepest if request.depth is None else min(request.depth, deepest)
        return _marked(shown.to_json(depth=depth), depth < wanted)

    def _entity_history(self, request: requests.EntityHistory) -> Json:
        known = self.memory.entities()
        if request.entity.startswith("entity:"):
            found = [entity for entity in known if entity.id == request.entity]
            if not found:
                raise UnknownId(f"no thing is known as {request.entity!r}")
        else:
            found = [entity for entity in known if same_kind(request.entity, entity.label)]
            found.sort(key=lambda entity: -entity.last_ns)
        told = {"entities": [entity_json(entity) for entity in found[: request.limit]]}
        return _marked(told, len(found) > request.limit)

    def _what_changed(self, request: requests.WhatChanged) -> Json:
        since, until = request.moment(request.since), request.moment(request.until)
        _sound(TimeSpan(since, until))
        found = differences(self.memory, since or 0, until)
        if request.thing is not None:
            found = [item for item in found if same_kind(request.thing, item["label"])]
        told = {"since_ns": since, "until_ns": until, "changes": found[-request.limit :]}
        return _marked(told, len(found) > request.limit)

    def _stats(self, _: requests.Stats) -> Json:
        """Counting walks the whole path: it is done once for all who ask, until something comes."""
        store = self.memory.store
        with self._counting:
            version = (store.counter("commits"), store.last_removal(), store.last_anchor_pose())
            if self._counted is None or self._counted[0] != version:
                # where a memory lies on the server's disk is nobody's business
                told = self.memory.info() | {"folder": self.memory.folder.name}
                self._counted = (version, told)
            return dict(self._counted[1])

    def _observation(self, request: requests.ById) -> Json:
        found = self._stored(request.id)
        observation = found.observation
        pose = observation.pose
        return found.to_json() | {
            "standpoint": list(found.standpoint) if found.standpoint is not None else None,
            "yaw": round(pose.yaw, 6) if pose is not None else None,
            "sightings": [
                {"label": item.label, "confidence": item.confidence,
                 "position": list(item.position) if item.position is not None else None,
                 "size": list(item.size) if item.size is not None else None,
                 "state": dict(item.state)}
                for item in observation.sightings[:SHOWN_SIGHTINGS]
            ],
            "extra": dict(observation.extra),
        }  # fmt: skip

    def _keyframe(self, request: requests.ById) -> Json:
        self._stored(request.id)
        frame = self.memory.keyframe(request.id)
        if frame is None:
            raise UnknownId(f"observation {request.id!r} has no picture")
        if len(frame.jpeg) > MAX_PICTURE:
            raise InvalidQuery(
                f"the picture of {request.id!r} has {len(frame.jpeg):,} bytes; at most "
                f"{MAX_PICTURE:,} are sent"
            )
        return {
            "id": request.id, "media_type": "image/jpeg", "width": frame.width,
            "height": frame.height, "jpeg_base64": base64.b64encode(frame.jpeg).decode("ascii"),
        }  # fmt: skip

    def _stored(self, identity: str) -> Evidence:
        found = self.memory.observation(identity)
        if found is None:
            raise UnknownId(f"no observation {identity!r} is remembered")
        return found

    # -- changing and moving ----------------------------------------------------------------

    def _remember_note(self, request: requests.RememberNote) -> Json:
        at = request.position
        now_ns = time.time_ns()
        note = Observation(
            id=new_id(now_ns), stamp_ns=now_ns, source="note", robot=request.robot,
            session=request.session, text=request.text, map_id=request.map_id,
            pose=None if at is None else Pose(*at),
        )  # fmt: skip
        self.memory.observe(note)
        return {"id": note.id, "stamp_ns": now_ns}

    def _forget(self, request: requests.Forget) -> Json:
        wanted: dict[str, Any] = {
            "ids": request.ids, "filters": Filters(span=request.span()), "text": request.text,
            "min_weight": request.min_weight, "reason": request.reason,
        }  # fmt: skip
        count = self.memory.forget(**wanted, dry_run=True)
        if request.dry_run:
            return {"would_remove": count}
        if isinstance(count, int) and count > requests.MAX_FORGOTTEN:
            raise InvalidQuery(
                f"{count:,} observations would go; at most {requests.MAX_FORGOTTEN:,} with one "
                "call: name a shorter span"
            )
        done = self.memory.forget(**wanted)
        assert isinstance(done, Removal)
        return {"removal": done.id, "observations": done.observations, "keyframes": done.keyframes}

    def _plan(self, request: requests.Plan) -> Json:
        return self._acting().plan(request.goal)

    def _go_to(self, request: requests.GoTo) -> Json:
        acting = self._acting()
        if request.target is not None:
            return acting.go_to(request.target, map_id=request.map_id)
        x, y, z = (*(request.position or ()), 0.0)[:3]
        return acting.go_to((x, y, z), map_id=request.map_id)

    def _acting(self) -> Planner:
        if self._planner is None:
            raise PlannerMissing(
                "no planner or robot stands behind this memory; start the server where one does"
            )
        return self._planner


def checked(call: Call, arguments: Mapping[str, Any] | requests.Request) -> requests.Request:
    """Arguments that keep their limits.

    Raises:
        InvalidQuery: They do not; the message names the first that does not.
    """
    if isinstance(arguments, call.request):
        return arguments
    try:
        return call.request.model_validate(arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part)[:64] for part in first["loc"]) or "arguments"
        raise InvalidQuery(f"{call.name}: {where}: {first['msg']}") from None


def _sound(span: TimeSpan | None) -> TimeSpan:
    span = span or TimeSpan()
    if span.start_ns is None or span.end_ns is None:
        return span
    if span.end_ns < span.start_ns:
        raise InvalidQuery("the span ends before it begins")
    if span.end_ns - span.start_ns > requests.MAX_SPAN_NS:
        raise InvalidQuery("the span is longer than ten years; leave an end open instead")
    return span


def _marked(reply: Json, truncated: bool) -> Json:
    return reply | {"truncated": True} if truncated else reply


def _sent(reply: dict[str, Json]) -> dict[str, Json]:
    """A reply as it is sent: within its limits, a picture apart."""
    picture = {"jpeg_base64": reply.pop("jpeg_base64")} if "jpeg_base64" in reply else {}
    return fitting(short(reply, MAX_TEXT), MAX_REPLY) | picture
