"""`robot-memory`: the command line. Parsing only; each command loads what it needs.

Exit statuses: 0 done, 2 wrong usage, 3 input rejected, 4 memory unavailable, 5 memory damaged,
6 a model failed, 7 nothing to work on, 8 something is not installed, 1 anything else. What
`verify` finds wrong is 5 as well.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import TypeAlias

from memory_core.interfaces.console import common_options, complain, memory_options, print_json

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

PLUGINS = "robot_memory.commands"
_WORDS = ("question", "text", "id", "reason", "robot", "session", "source")
_NEEDED_ELSEWHERE = {
    "demo": "a robot's two days in a simulated home, and a report of them",
    "eval.detector": "how well a detector sees in simulated homes",
    "eval.house": "errands and questions in simulated homes over two days",
    "do": "plan an errand from memory, and do it in a simulated home",
    "eval.house-changes": "what people moved, brought and took in simulated houses",
    "eval.questions": "questions about simulated houses, scored against ground truth",
    "eval.retention": "what a full memory should lose: fixed rules and the learned allocator",
    "eval.tasks": "memory tasks: agents whose memories alone differ",
    "sim": "a robot lives in a simulated world and remembers it",
    "tasks": "list, show and run memory tasks",
    "train": "train a network on what simulation shows",
}
"""What other packages bring, named as their entry points are; `eval.X` is `robot-memory eval X`."""

_POLICIES = ("ebbinghaus", "fifo", "lifo", "lvfo", "mvfo")


def build_parser() -> argparse.ArgumentParser:
    """The parser, with the commands of installed plug-ins."""
    parser = argparse.ArgumentParser(
        prog="robot-memory",
        description="A robot's memory: recordings go in, answers in plain language come out.",
        epilog="Begin with: robot-memory ingest RECORDING && robot-memory ask 'where is the mug?'",
    )
    from memory_core import __version__

    parser.add_argument("--version", action="version", version=f"robot-memory {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    common, memory = common_options(), memory_options()
    _add_reading(commands, common, memory)
    _add_structure(commands, common, memory)
    _add_changing(commands, common, memory)
    _add_mcp(commands, common, memory)
    _add_serve(commands, common, memory)
    evaluations = _add_evaluations(commands, common)
    _add_plugins(commands, evaluations, common)
    return parser


def _add_language_model(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--llm", metavar="URL|PATH", help=f"{what}: the address of an "
                         "OpenAI-compatible server, or a local transformers model")  # fmt: skip
    command.add_argument("--llm-model", default="default", help="the model's name on that server")


def _add_reading(
    commands: Commands, common: argparse.ArgumentParser, memory: argparse.ArgumentParser
) -> None:
    ask = commands.add_parser("ask", parents=[common, memory], help="ask a question in English")
    ask.add_argument("question", nargs="+", help="for example: where did you last see the red mug?")
    ask.add_argument("--now", help="the moment of asking: ISO 8601 or seconds (default: the clock)")
    ask.add_argument("--zone", default="UTC", help="time zone of the question (default: UTC)")
    _add_language_model(ask, "optional language model")
    ask.add_argument("--keyframe", metavar="FILE", help="save the first evidence's picture")
    recall = commands.add_parser(
        "recall", parents=[common, memory], help="find what fits words, a region and a span"
    )
    recall.add_argument("text", nargs="*", help="words; without any, the newest or nearest")
    recall.add_argument("-k", type=int, default=10, help="how many (default: 10)")
    recall.add_argument(
        "--mode", choices=("attention", "flat", "scene"), default="attention", help="how to rank"
    )
    _add_filters(recall)
    recall.add_argument("--near", metavar="X,Y,Z", help="nearer weighs more, metres")
    recognised = commands.add_parser(
        "recognise", parents=[common, memory], help="where was this picture taken?"
    )
    recognised.add_argument("picture", help="a JPEG or PNG, from any camera")
    recognised.add_argument("-k", type=int, default=5, help="how many answers at most (default: 5)")
    _add_filters(recognised)
    info = commands.add_parser("info", parents=[common, memory], help="what is stored")
    info.add_argument("--keyframes", metavar="DIR", help="write all pictures there")
    commands.add_parser("verify", parents=[common, memory], help="prove that nothing is missing")
    export = commands.add_parser(
        "export", parents=[common, memory], help="write all of it to a file"
    )
    export.add_argument("file", help="FILE.jsonl, FILE.jsonl.gz or FILE.mcap (for Foxglove)")
    export.add_argument(
        "--format", choices=("jsonl", "mcap"), help="of the file (default: as its name ends)"
    )
    export.add_argument(
        "--records", action="store_true",
        help="with entities, places, events, facts and the forest, for other programs",
    )  # fmt: skip
    view = commands.add_parser(
        "view", parents=[common, memory], help="show map, path, pictures and things in Rerun"
    )
    view.add_argument("--rerun", action="store_true", required=True,
                      help="in the Rerun viewer (for the page in a browser: robot-memory serve)")  # fmt: skip
    view.add_argument("--out", metavar="FILE.rrd", help="write a recording instead")
    view.add_argument("--spawn", action="store_true", help="with --out: open the viewer as well")
    backup = commands.add_parser(
        "backup", parents=[common, memory], help="copy the memory while it is in use"
    )
    backup.add_argument("folder", help="a new folder")


def _add_structure(
    commands: Commands, common: argparse.ArgumentParser, memory: argparse.ArgumentParser
) -> None:
    forest = commands.add_parser(
        "forest", parents=[common, memory], help="places as a tree of areas: print, draw, export"
    )
    forest.add_argument("--depth", type=int, metavar="N",
                        help="levels below the top (default: what fits; with --json all)")  # fmt: skip
    forest.add_argument("--node", metavar="ID", help="only this node and what is below it")
    forest.add_argument("--html", metavar="FILE", help="draw it: a page with a tree and maps")
    forest.add_argument("--graphml", metavar="FILE", help="write nodes and edges as GraphML")
    _add_language_model(
        forest, "have a language model name and summarise every area, and keep that"
    )
    entities = commands.add_parser(
        "entities", parents=[common, memory], help="things known: where, how sure, what moved"
    )
    entities.add_argument(
        "label", nargs="*", help="only this kind of thing; with an id, the history of that one"
    )
    commands.add_parser("places", parents=[common, memory], help="regions known, and their kinds")
    events = commands.add_parser(
        "events", parents=[common, memory], help="what happened, cut where it changed"
    )
    _add_span(events)
    facts = commands.add_parser(
        "facts", parents=[common, memory], help="what is on, in, next to or seen with what"
    )
    facts.add_argument("--about", metavar="WORD", help="only of this kind of thing, or this id")
    for parser in (entities, events, facts):
        parser.add_argument("--zone", default="UTC", help="time zone of the times (default: UTC)")


def _add_span(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="start", metavar="TIME", help="ISO 8601 or seconds")
    parser.add_argument("--to", dest="end", metavar="TIME", help="ISO 8601 or seconds")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    _add_span(parser)
    parser.add_argument("--box", metavar="X1,Y1,Z1,X2,Y2,Z2", help="a region, metres")
    parser.add_argument("--within", metavar="R,X,Y[,Z]", help="within R metres of a point")
    parser.add_argument(
        "--source", action="append", default=[], help="only this source (repeatable)"
    )
    parser.add_argument("--robot", action="append", default=[], help="only this robot (repeatable)")
    parser.add_argument(
        "--session", action="append", default=[], help="only this session (repeatable)"
    )
    parser.add_argument("--zone", default="UTC", help="time zone of the times (default: UTC)")


def _add_changing(
    commands: Commands, common: argparse.ArgumentParser, memory: argparse.ArgumentParser
) -> None:
    for name, words in (
        ("ingest", "read a recording into a memory"),
        ("import", "the same, for an export"),
    ):
        ingest = commands.add_parser(name, parents=[common, memory], help=words)
        ingest.add_argument("recording", nargs="+", help="rosbag2 folder, .mcap, .db3, RGB-D folder, "
                            "house tour (.json.gz), captioned places or observations (.jsonl)")  # fmt: skip
        ingest.add_argument("--robot", default="robot", help="the robot's name")
        ingest.add_argument("--session", help="the session's name (default: the recording's)")
        ingest.add_argument(
            "--sidecar", metavar="FILE", help="captions and detections, JSON Lines by stamp"
        )
        ingest.add_argument(
            "--caption-topic", action="append", default=[], help="a string topic with captions"
        )
        ingest.add_argument(
            "--map-frame", help="the fixed frame (default: map, else the odometry's)"
        )
        ingest.add_argument(
            "--base-frame", help="the robot's frame (default: what the odometry moves)"
        )
        _add_retention(ingest)
    consolidate = commands.add_parser(
        "consolidate", parents=[common, memory], help="organise, and let repetitions go"
    )
    consolidate.add_argument("--lag", type=float, metavar="SECONDS",
                             help="what is younger stays as it is (default: 600)")  # fmt: skip
    _add_retention(consolidate)
    forget = commands.add_parser(
        "forget", parents=[common, memory], help="remove, with a record of what and why"
    )
    forget.add_argument("--id", action="append", default=[], help="this observation (repeatable)")
    forget.add_argument("--text", help="what means or says this")
    forget.add_argument(
        "--min-weight", type=float, default=0.5, help="least cosine for --text (default: 0.5)"
    )
    forget.add_argument(
        "--older-than", metavar="TIME|DAYSd", help="ISO 8601, seconds, or days as 30d"
    )
    _add_filters(forget)
    forget.add_argument("--reason", required=True, help="kept with the record")
    forget.add_argument("--dry-run", action="store_true", help="count only")
    repair = commands.add_parser(
        "repair", parents=[common, memory], help="make a damaged memory usable again"
    )
    repair.add_argument(
        "--unchecked", action="store_true",
        help="also read pages whose checksums do not fit; what is on them may have changed",
    )  # fmt: skip
    commands.add_parser(
        "reembed", parents=[common, memory], help="make the text vectors anew with --encoder"
    )


def _add_retention(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-observations", type=int, metavar="N",
                        help="keep at most about so many (default: no bound)")  # fmt: skip
    parser.add_argument("--policy", choices=_POLICIES, default=_POLICIES[0],
                        help="which go first beyond that bound (default: ebbinghaus)")  # fmt: skip


def _add_mcp(
    commands: Commands, common: argparse.ArgumentParser, memory: argparse.ArgumentParser
) -> None:
    mcp = commands.add_parser(
        "mcp", parents=[common, memory], help="serve the memory to language models (MCP)"
    )
    mcp.add_argument("--http", action="store_true",
                     help="over HTTP (default: standard input and output)")  # fmt: skip
    mcp.add_argument("--host", default="127.0.0.1", help="with --http: the address to listen on; "
                     "others than this machine need a token")  # fmt: skip
    mcp.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: 8765)")
    mcp.add_argument("--name", action="append", default=[], metavar="HOST",
                     help="a name that clients use for this host (repeatable)")  # fmt: skip
    mcp.add_argument("--token", default=os.environ.get("ROBOT_MEMORY_TOKEN", ""),
                     help="what clients show over HTTP (default: $ROBOT_MEMORY_TOKEN)")  # fmt: skip
    mcp.add_argument("--rate", type=float, default=50.0, metavar="N",
                     help="calls a second that one client may make (default: 50)")  # fmt: skip
    mcp.add_argument("--allow", action="append", default=[], metavar="TOOL",
                     choices=("remember_note", "forget", "plan", "go_to"),
                     help="also this tool, which changes or moves something (repeatable)")  # fmt: skip
    mcp.add_argument("--audit", metavar="FILE", help="where each use of those tools is written "
                     "(default: audit.jsonl in the memory's folder)")  # fmt: skip


def _add_serve(
    commands: Commands, common: argparse.ArgumentParser, memory: argparse.ArgumentParser
) -> None:
    serve = commands.add_parser(
        "serve", parents=[common, memory], help="serve the viewer and the HTTP API"
    )
    serve.add_argument("--host", default="127.0.0.1",
                       help="the address to listen on; others than this machine need a token")  # fmt: skip
    serve.add_argument("--port", type=int, default=8766, help="0 takes a free one (default: 8766)")
    serve.add_argument("--name", action="append", default=[], metavar="HOST",
                       help="a name that clients use for this host (repeatable)")  # fmt: skip
    serve.add_argument("--token", default=os.environ.get("ROBOT_MEMORY_TOKEN", ""),
                       help="what every client shows (default: $ROBOT_MEMORY_TOKEN)")  # fmt: skip
    serve.add_argument("--rate", type=float, default=200.0, metavar="N",
                       help="calls a second that one address may make (default: 200)")  # fmt: skip
    serve.add_argument("--allow", action="append", default=[], metavar="CALL",
                       choices=("observe", "remember_note", "forget", "plan", "go_to"),
                       help="also this call, which changes or moves something (repeatable); where "
                       "there is no token, one is made")  # fmt: skip


def _add_evaluations(commands: Commands, common: argparse.ArgumentParser) -> Commands:
    evaluate = commands.add_parser("eval", help="measure against real data")
    kinds = evaluate.add_subparsers(dest="evaluation", metavar="WHAT", required=True)
    houses = kinds.add_parser(
        "houses", parents=[common], help="recall from people's words in real houses"
    )
    houses.add_argument("folder", help="holds HOUSE.json.gz files (REVERIE)")
    houses.add_argument("--houses", nargs="+", default=[], metavar="NAME", help="only these")
    houses.add_argument(
        "--mode", choices=("attention", "scene", "flat"), default="attention", help="how to rank"
    )
    houses.add_argument(
        "--ablation", action="store_true", help="also score every step from flat to attention"
    )
    houses.add_argument("--encoder", default="default", help="text encoder")
    houses.add_argument("--rows", metavar="FILE", help="write one JSON line a sentence")
    places = kinds.add_parser(
        "places", parents=[common], help="visual place recognition, pixels alone"
    )
    places.add_argument("folder", help="holds frame-N.color.jpg, .depth.png, .pose.txt (7-Scenes)")
    places.add_argument("--every", type=int, default=1, help="ask every n-th frame (default: 1)")
    places.add_argument("--rows", metavar="FILE", help="write one JSON line a query")
    forest = kinds.add_parser(
        "forest", parents=[common], help="the growing forest against the published batch one"
    )
    forest.add_argument("folder", help="holds places.jsonl.gz (captioned places)")
    forest.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000],
                        metavar="N", help="at how many places adding one is timed")  # fmt: skip
    forest.add_argument("--encoder", default="default", help="text encoder")
    forest.add_argument("--rows", metavar="FILE", help="write one JSON line a query")
    changes = kinds.add_parser(
        "changes", parents=[common], help="what moved and what was opened between two visits"
    )
    changes.add_argument("folder", help="holds episodes.json.gz (rearrangement)")
    changes.add_argument("--looks", type=int, default=4, help="per visit (default: 4)")
    changes.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    changes.add_argument("--exact", action="store_true", help="without noise: a smoke test")
    changes.add_argument("--rows", metavar="FILE", help="write one JSON line an episode")
    return kinds


def _add_plugins(
    commands: Commands, evaluations: Commands, common: argparse.ArgumentParser
) -> None:
    from importlib.metadata import entry_points

    installed = {entry.name: entry for entry in entry_points(group=PLUGINS)}
    for name in [*_NEEDED_ELSEWHERE, *sorted(set(installed) - set(_NEEDED_ELSEWHERE))]:
        where = evaluations if name.startswith("eval.") else commands
        words = _NEEDED_ELSEWHERE.get(name, f"brought by {name}")
        plugin = where.add_parser(name.removeprefix("eval."), parents=[common], help=words)
        if name in installed:
            installed[name].load()(plugin)
        else:
            plugin.set_defaults(run=_not_installed)


def _not_installed(_: argparse.Namespace) -> int:
    from memory_core.errors import NotInstalled

    raise NotInstalled.part("memory_sim", "sim")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; by default the process's.

    Returns:
        The exit status.
    """
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and getattr(options, "run", None) is not _not_installed:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    verbose = getattr(options, "verbose", 0)
    level = (logging.ERROR, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    return _guarded(options)


def _guarded(options: argparse.Namespace) -> int:
    from memory_core.errors import RobotMemoryError

    try:
        _refuse_broken_words(options)
        run = getattr(options, "run", None)
        if run is None:
            from memory_core.interfaces import commands

            run = commands.COMMANDS[options.command]
        return int(run(options))
    except RobotMemoryError as error:
        return _tell(options, error.code, str(error), error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:  # a file that an option names cannot be read or written
        named = f": {error.filename}" if error.filename else ""
        return _tell(options, "file_error", f"{error.strerror or error}{named}", 3)
    except KeyboardInterrupt:
        complain("interrupted; what was acknowledged is kept, the same command goes on")
        return 128 + signal.SIGINT


def _refuse_broken_words(options: argparse.Namespace) -> None:
    """Refuse words that came as bytes that are not UTF-8; file names may be such."""
    from memory_core.errors import InvalidQuery

    for name in _WORDS:
        value = getattr(options, name, None) or ()
        for words in [value] if isinstance(value, str) else value:
            if any("\ud800" <= letter <= "\udfff" for letter in words):
                raise InvalidQuery(f"{name} holds bytes that are not UTF-8 text")


def _tell(options: argparse.Namespace, code: str, message: str, status: int) -> int:
    if getattr(options, "json", False):
        print_json({"error": code, "message": message})
    complain(f"{code}: {' '.join(message.split())}")
    return status


if __name__ == "__main__":
    sys.exit(main())
