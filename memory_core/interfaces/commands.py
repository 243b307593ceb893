"""The commands of `robot-memory`, one function each: options in, exit status out."""

from __future__ import annotations

import argparse
import math
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from memory_core.episodic.exchange import left_out
from memory_core.episodic.recognising import Recognised
from memory_core.errors import InvalidImage, InvalidQuery, MemoryMissing, NotInstalled
from memory_core.interfaces import structure
from memory_core.interfaces.console import complain, print_json, say, table
from memory_core.interfaces.evaluations import evaluate
from memory_core.interfaces.opening import bar, language_model, loaded_encoder, open_memory
from memory_core.interfaces.why import show_why
from memory_core.language import times
from memory_core.language.model import LanguageModel
from memory_core.memory import RobotMemory
from memory_core.perception.keyframes import decode_image
from memory_core.perception.place import SHORTLIST
from memory_core.types import Answer, Box, Evidence, Filters, Json, Query, Sphere, TimeSpan

DAMAGED = 5


# -- reading ------------------------------------------------------------------------------------


def ask(options: argparse.Namespace) -> int:
    """Answer a question."""
    question = " ".join(options.question)
    zone = times.zone(options.zone)
    now_ns = times.parse_moment(options.now, zone) if options.now else time.time_ns()
    model = language_model(options)
    with open_memory(options, write=False) as memory:
        if model is None:
            found = memory.ask(question, now_ns=now_ns, zone=options.zone)
            told = found.to_json()
        else:
            found, told = _told_by(model, memory, question, now_ns, options.zone)
        if options.keyframe:
            _save_keyframe(memory, found.evidence, Path(options.keyframe))
        if options.json:
            print_json(told)
            return 0
        say(found.answer)
        _evidence_table(found.evidence, zone)
        show_why(memory, found.evidence)
    return 0


def _told_by(
    model: LanguageModel, memory: RobotMemory, question: str, now_ns: int, zone: str
) -> tuple[Answer, Json]:
    """What a language model answers with the memory's own calls, and as JSON with its ids."""
    from memory_core.interfaces.service import MemoryService
    from memory_core.interfaces.talking import talker_of
    from memory_core.interfaces.tool_loop import answer_with_tools

    told = answer_with_tools(
        MemoryService(memory), talker_of(model), question, now_ns=now_ns, zone=zone
    )
    return told.answer, told.to_json()


def _save_keyframe(memory: RobotMemory, evidence: tuple[Evidence, ...], path: Path) -> None:
    for item in evidence:
        frame = memory.keyframe(item.observation.id)
        if frame is not None:
            path.write_bytes(frame.jpeg)
            complain(f"picture of {item.observation.id} written to {path}")
            return
    complain("no evidence has a picture")


def _evidence_table(evidence: tuple[Evidence, ...], zone: Any) -> None:
    if not evidence:
        return
    rows = []
    for item in evidence:
        shown = item.to_json()
        at = item.position
        rows.append(
            [
                times.from_ns(item.observation.stamp_ns, zone).isoformat(
                    sep=" ", timespec="seconds"
                ),
                "" if at is None else f"{at[0]:.2f}, {at[1]:.2f}, {at[2]:.2f}",
                (shown["text"] or "")[:100],
                f"{item.weight:.3f}",
                f"{item.parts.meaning:.2f}·{item.parts.space:.2f}·{item.parts.time:.2f}",
                "yes" if item.keyframe else "",
                item.observation.id,
            ]
        )
    table("", ["time", "where (m)", "what", "weight", "meaning·space·time", "picture", "id"], rows)


def recall(options: argparse.Namespace) -> int:
    """Find what fits."""
    text = " ".join(options.text) or None
    query = Query(text=text, filters=filters_of(options), near=_near(options), k=options.k)
    with open_memory(options, write=False) as memory:
        found = memory.recall(query, mode=options.mode)
        if options.json:
            print_json(found.to_json())
            return 0
        say(f"{len(found.evidence)} of {found.considered} considered, {found.seconds * 1e3:.1f} ms")
        _evidence_table(found.evidence, times.zone(options.zone))
        show_why(memory, found.evidence)
    return 0


def recognise(options: argparse.Namespace) -> int:
    """Tell where a picture was taken."""
    path = Path(options.picture)
    try:
        picture = decode_image(path.read_bytes())
    except ImportError as error:
        raise NotInstalled.part("opencv-python-headless", "perception") from error
    except OSError as error:
        raise InvalidImage(f"{path} cannot be read ({error.strerror}); name a picture") from error
    if options.k < 1:
        raise InvalidQuery(f"-k is {options.k}; expected 1 or more")
    with open_memory(options, write=False) as memory:
        found = memory.recognise(
            picture, filters=filters_of(options), shortlist=max(SHORTLIST, options.k)
        )[: options.k]
    if options.json:
        print_json({"picture": str(path), "found": [item.to_json() for item in found]})
        return 0
    say(_taken(found))
    zone = times.zone(options.zone)
    rows = [
        [
            times.from_ns(item.evidence.observation.stamp_ns, zone).isoformat(
                sep=" ", timespec="seconds"
            ),
            "" if item.pose is None else "{:.2f}, {:.2f}, {:.2f}".format(*item.pose.position),
            "" if item.pose is None else f"{math.degrees(item.pose.yaw):.0f}°",
            str(item.features),
            f"{item.scale:.2f}",
            item.evidence.observation.id,
        ]
        for item in found
    ]
    if rows:
        table("", ["seen", "from (m)", "facing", "features", "scale", "id"], rows)
    return 0


def _taken(found: Sequence[Recognised]) -> str:
    """In a sentence, where a picture was taken."""
    if not found:
        return "Nothing like it was seen."
    best, sure = found[0], "" if found[0].sure else "perhaps "
    if best.pose is None:
        return f"It was {sure}seen before, but nobody knew where the robot was then."
    x, y, _ = best.pose.position
    lost = "" if best.evidence.localised else ", where the robot was not localised"
    return f"It was {sure}taken near {x:.1f}, {y:.1f} of {best.evidence.map_id!r}{lost}."


def _numbers(text: str, counts: tuple[int, ...], name: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts:
        raise InvalidQuery(f"{name} is {text!r}; expected {' or '.join(map(str, counts))} numbers")
    return numbers


def _near(options: argparse.Namespace) -> tuple[float, float, float] | None:
    if not options.near:
        return None
    x, y, z = _numbers(options.near, (3,), "--near")
    return (x, y, z)


def filters_of(options: argparse.Namespace) -> Filters:
    """Filters from the options that name them."""
    zone = times.zone(options.zone)
    span = None
    if options.start or options.end:
        span = TimeSpan(
            times.parse_moment(options.start, zone) if options.start else None,
            times.parse_moment(options.end, zone) if options.end else None,
        )
    region: Box | Sphere | None = None
    if options.box:
        low_x, low_y, low_z, high_x, high_y, high_z = _numbers(options.box, (6,), "--box")
        region = Box((low_x, low_y, low_z), (high_x, high_y, high_z))
    if options.within:
        radius, *centre = _numbers(options.within, (3, 4), "--within")
        middle = (centre[0], centre[1]) if len(centre) == 2 else (centre[0], centre[1], centre[2])
        region = Sphere(middle, radius)
    return Filters(
        span=span, region=region, robots=tuple(options.robot), sessions=tuple(options.session),
        sources=tuple(options.source),
    )  # fmt: skip


def info(options: argparse.Namespace) -> int:
    """Show what is stored."""
    with open_memory(options, write=False) as memory:
        found = memory.info()
        if options.keyframes:
            found["keyframes_written"] = _write_keyframes(memory, Path(options.keyframes))
    if options.json:
        print_json(found)
        return 0
    table("", ["what", "value"], _info_rows(found))
    if found["sources"]:
        table(
            "sources",
            ["source", "observations"],
            [[n, s["count"]] for n, s in found["sources"].items()],
        )
    if found["recordings"]:
        _topics_table(found["recordings"])
    return 0


def _write_keyframes(memory: RobotMemory, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with memory.store.reading() as db:
        ids = [row[0] for row in db.execute(
            "SELECT id FROM observations JOIN keyframes ON observation = observations.rowid")]  # fmt: skip
    for name in ids:
        frame = memory.keyframe(name)
        if frame is not None:
            (folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.jpg").write_bytes(frame.jpeg)
            written += 1
    return written


def _info_rows(found: Json) -> list[list[Any]]:
    span = found["span_ns"]
    zone = times.zone("UTC")
    area = found["area_m"]
    rows: list[list[Any]] = [
        ["folder", found["folder"]],
        ["observations", f"{found['observations']:,} of {found['acknowledged']:,} ever acknowledged"],
        ["sightings", f"{found['sightings']:,} of {found['labels']:,} labels"],
        ["with words", f"{found['texts']:,}"],
        ["keyframes", f"{found['keyframes']['count']:,} ({found['keyframes']['bytes'] / 1e6:.1f} MB)"],
        ["from", times.from_ns(span[0], zone).isoformat() if span else "—"],
        ["to", times.from_ns(span[1], zone).isoformat() if span else "—"],
        ["area (m)", " to ".join("(" + ", ".join(f"{v:.1f}" for v in p) + ")" for p in area) if area else "—"],
        ["path (m)", f"{found['path_m']:.1f}"],
        ["not localised", f"{found['not_localised']:,}"],
        ["maps (epoch)", ", ".join(f"{name} ({epoch})" for name, epoch in found["maps"].items())],
        ["on disk", f"{found['bytes']['database'] / 1e6:.1f} MB, index {found['bytes']['index'] / 1e6:.1f} MB"],
        ["models", ", ".join(f"{n}: {s['model']} {s['revision'][:8]} ({s['dimension']})" for n, s in found["spaces"].items()) or "none"],
        ["refused", ", ".join(f"{code}: {v['count']}" for code, v in found["refused"].items()) or "nothing"],
        ["removed", f"{found['removed']['observations']:,} observations, {found['removed']['keyframes']:,} pictures"],
    ]  # fmt: skip
    return rows


def _topics_table(recordings: list[Json]) -> None:
    for recording in recordings:
        state = "" if recording["complete"] else " — INCOMPLETE"
        rows = [
            [t["name"], t["type"], t["count"], t["use"] or "ignored", t["reason"]]
            for t in recording["report"]["topics"]
        ]
        table(f"{recording['name']} ({recording['reader']}){state}",
              ["topic", "type", "messages", "use", "why"], rows)  # fmt: skip


def verify(options: argparse.Namespace) -> int:
    """Prove that nothing is missing."""
    with open_memory(options, write=False) as memory:
        found = memory.verify()
    if options.json:
        print_json(found.to_json())
    else:
        say(
            f"{found.stored:,} stored + {found.removed:,} removed = "
            f"{found.acknowledged:,} acknowledged: {'clean' if found.clean else 'NOT CLEAN'}"
        )
        for problem in found.problems:
            complain(f"memory_damaged: {problem}")
    return 0 if found.clean else DAMAGED


def export(options: argparse.Namespace) -> int:
    """Write all of it to a file."""
    target = Path(options.file)
    format: Literal["jsonl", "mcap"] = options.format or (
        "mcap" if target.suffix == ".mcap" else "jsonl"
    )
    if not options.format and not target.name.endswith((".jsonl", ".jsonl.gz", ".mcap")):
        raise InvalidQuery(
            f"{target.name} must end in .jsonl, .jsonl.gz or .mcap, or --format say what it is"
        )
    with open_memory(options, write=False) as memory, bar(options, "exporting") as tell:
        total = memory.store.count()
        written = memory.export(
            target, format=format, records=options.records,
            progress=lambda done: tell(done, total),
        )  # fmt: skip
    missing = left_out(format, records=options.records)
    if not options.json:
        for part in missing:
            complain(f"left out: {part}")
    return _done(
        options, {"file": str(target), "observations": written, "left_out": list(missing)},
        f"{written:,} observations written to {target}",
    )  # fmt: skip


def view(options: argparse.Namespace) -> int:
    """Show the memory in Rerun, or write a recording for it."""
    from memory_core.interfaces import rerun_view

    out = Path(options.out) if options.out else None
    with structure.open_organised(options) as memory, bar(options, "sending") as tell:
        if out is None:
            sent = rerun_view.show_in_viewer(memory, progress=tell)
        else:
            sent = rerun_view.write_recording(memory, out, progress=tell)
    if out is not None and options.spawn:
        rerun_view.open_recording(out)
    where = f"written to {out}" if out else "sent to the Rerun viewer"
    if not options.json:
        for part in rerun_view.LEFT_OUT:
            complain(f"left out: {part}")
    told = {"file": None if out is None else str(out), **sent, "left_out": rerun_view.LEFT_OUT}
    return _done(options, told, f"{sent['observations']:,} observations {where}")


def backup(options: argparse.Namespace) -> int:
    """Copy the memory while it is in use."""
    with open_memory(options, write=False) as memory, bar(options, "copying") as tell:
        folder = memory.backup(options.folder, progress=tell)
    return _done(options, {"folder": str(folder)}, f"copied to {folder}")


# -- changing -----------------------------------------------------------------------------------


def ingest(options: argparse.Namespace) -> int:
    """Read recordings into a memory."""
    from memory_core.ingestion import ingest as read
    from memory_core.recordings import ReadOptions

    reading = ReadOptions(
        robot=options.robot, session=options.session,
        sidecar=Path(options.sidecar) if options.sidecar else None,
        map_frame=options.map_frame, base_frame=options.base_frame,
        caption_topics=tuple(options.caption_topic),
    )  # fmt: skip
    if reading.sidecar is not None and not reading.sidecar.exists():
        raise InvalidQuery(f"--sidecar {reading.sidecar} does not exist")
    reports, kept = [], None
    with open_memory(options, write=True, create=True) as memory:
        for recording in options.recording:
            with bar(options, f"reading {Path(recording).name}") as tell:
                report = read(memory, recording, options=reading, progress=tell)
            reports.append(report)
            if not options.json:
                _show_ingest(report.to_json())
        structure.organise(memory, options)
        if options.keep_observations is not None:
            kept = structure.keep_within(memory, options)
    if options.json:
        told = reports[0].to_json() if len(reports) == 1 else {
            "recordings": [report.to_json() for report in reports]
        }  # fmt: skip
        print_json(told if kept is None else told | {"consolidated": kept})
    elif kept is not None:
        structure.tell_kept(kept, options.policy)
    return 0 if all(report.complete for report in reports) else 3


def _show_ingest(report: Json) -> None:
    rows = [
        [t["name"], t["type"], t["count"], t["use"] or "ignored", t["reason"]]
        for t in report["topics"]
    ]
    table(
        f"{report['recording']} ({report['reader']})",
        ["topic", "type", "messages", "use", "why"],
        rows,
    )
    say(f"{report['added']:,} observations added, {report['known']:,} known before")
    for code, count in report["refused"].items():
        first = next(item for item in report["refusals"] if item["code"] == code)
        complain(f"{code}: {count} refused, for example {first['message']}")
    for note in report["notes"]:
        complain(f"note: {note}")
    if report["damage"]:
        complain(f"recording_unreadable: {report['damage']}")


def forget(options: argparse.Namespace) -> int:
    """Remove, with a record."""
    zone = times.zone(options.zone)
    older = None
    if options.older_than:
        days = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)d", options.older_than)
        older = (
            time.time_ns() - int(float(days[1]) * 86_400 * 1e9)
            if days
            else times.parse_moment(options.older_than, zone)
        )
    with open_memory(options, write=True) as memory:
        done = memory.forget(
            ids=options.id, filters=filters_of(options), text=options.text,
            min_weight=options.min_weight, older_than_ns=older, reason=options.reason,
            dry_run=options.dry_run,
        )  # fmt: skip
    if isinstance(done, int):
        return _done(options, {"would_remove": done}, f"{done:,} observations would be removed")
    return _done(
        options, {"removal": done.id, "observations": done.observations, "keyframes": done.keyframes},
        f"{done.observations:,} observations and {done.keyframes:,} pictures removed "
        f"(record {done.id}: {done.reason})",
    )  # fmt: skip


def repair(options: argparse.Namespace) -> int:
    """Make a damaged memory usable again."""
    with bar(options, "reading what can be read") as tell:
        done = RobotMemory.repair(options.memory, unchecked=options.unchecked, progress=tell)
    if done.kept is None:
        return _done(options, done.to_json(), "the memory is sound; nothing was done")
    text = (
        f"{done.recovered:,} observations recovered, {done.lost:,} lost (on record); the damaged "
        f"file is kept in {done.kept}"
    )
    if not options.unchecked and (done.lost or not done.recovered):
        text += (
            "\nwhat is on pages whose checksums do not fit may be whole all the same; to read it "
            f"into a memory beside this one:\n  robot-memory repair --unchecked --memory {done.kept}"
        )
    return _done(options, done.to_json(), text)


def reembed(options: argparse.Namespace) -> int:
    """Make the text vectors anew."""
    if not (options.memory / "memory.db").exists():
        raise MemoryMissing(f"there is no memory in {options.memory}")
    encoder = loaded_encoder(options.encoder)
    with (
        RobotMemory.open(options.memory, text_encoder=None) as memory,
        bar(options, "encoding") as tell,
    ):
        made = memory.reembed(encoder, progress=tell)
    return _done(options, {"vectors": made}, f"{made:,} vectors made anew")


# -- serving ------------------------------------------------------------------------------------


def mcp(options: argparse.Namespace) -> int:
    """Serve the memory to language models."""
    from memory_core.interfaces.mcp import serve

    return serve(options)


def serve(options: argparse.Namespace) -> int:
    """Serve the viewer and the HTTP API."""
    try:
        from memory_core.interfaces.web.serving import serve as serve_web
    except ModuleNotFoundError as error:
        raise NotInstalled.part(error.name or "fastapi", "web") from error
    return serve_web(options)


# -- sharing ------------------------------------------------------------------------------------


def _done(options: argparse.Namespace, value: Json, words: str) -> int:
    if options.json:
        print_json(value)
    else:
        say(words)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "ask": ask,
    "backup": backup,
    "consolidate": structure.consolidate,
    "entities": structure.entities,
    "eval": evaluate,
    "events": structure.events,
    "export": export,
    "facts": structure.facts,
    "forest": structure.forest,
    "forget": forget,
    "import": ingest,
    "info": info,
    "ingest": ingest,
    "recognise": recognise,
    "mcp": mcp,
    "places": structure.places,
    "recall": recall,
    "reembed": reembed,
    "repair": repair,
    "serve": serve,
    "verify": verify,
    "view": view,
}
