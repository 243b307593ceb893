"""Put measured tables into the pages, between their markers; nothing is typed by hand.

robot-memory eval houses DIR --json > houses.json
robot-memory eval places DIR --json > places.json
robot-memory eval forest DIR --json > forest.json
robot-memory eval changes DIR --json > changes.json
robot-memory eval questions --json > questions.json
robot-memory eval retention --json > retention.json
robot-memory eval house --agent none last-seen flat memory perfect --json > house.json
robot-memory eval detector --json > detector.json
robot-memory eval tasks --json > tasks.json
robot-memory train ballet --json > ballet.json
python -m benchmarks.episodic --ask --json > episodic.json
python -m benchmarks.attention --json > attention.json
python -m benchmarks.month --json > month.json
python -m benchmarks.ways_in --memory DIR --json > ways.json
python -m benchmarks.loading --json > load.json
python -m benchmarks.ros --json > ros.json
python scripts/update_docs.py houses.json places.json forest.json changes.json …
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
TESTED = ("cV4RVeZvu5T", "i5noydFURQK", "p5wJjkQkbXX", "pRbA3pwrgk9", "qoiz87JEwZ2", "vyrNrziPKCB")


def table(header: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def between(page: str, marker: str, text: str) -> None:
    """Replace what stands between `<!-- marker -->` and `<!-- /marker -->`."""
    path = DOCS / page
    old = path.read_text(encoding="utf-8")
    start, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    head, _, rest = old.partition(start)
    tail = rest.partition(end)[2] if end in rest else rest
    path.write_text(f"{head}{start}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def measured(found: dict[str, Any]) -> str:
    """Where and when a report was made."""
    return f"{found['date'][:10]}, {found['machine']}, {found['seconds']:.0f} s."


def houses(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `eval houses`: the smallest by house, the ablations of all."""
    runs = sorted(runs, key=lambda run: int(run["n"]))
    found = runs[0]
    metrics = ["place@1", "place@5", "place@10", "object@1", "object@5"]
    rows = [
        [
            name + (" (test)" if name in TESTED else " (tuning)"),
            row["n"],
            *[f"{row[m]:.3f}" for m in metrics],
        ]
        for name, row in found["houses"].items()
    ]
    rows.append(["**all of these**", found["n"], *[f"**{found[m]:.3f}**" for m in metrics]])
    text = table(["house", "sentences", *metrics], rows)
    refused = (
        f"refused_absent {found['refused_absent']}, refused_present {found['refused_present']}"
    )
    association = f"entity purity {found['entity_purity']}, pairwise F1 {found['entity_pair_f1']}"
    between("evaluation.md", "houses", f"{text}\n\n{refused}; {association}. {measured(found)}")
    parts = []
    for run in runs:
        if "ablation" in run:
            steps = [
                [step, *[f"{row[m]:.3f}" if row[m] or "@1" not in m else "—" for m in metrics]]
                for step, row in run["ablation"].items()
            ]
            tuned = [name for name in run["houses"] if name not in TESTED]
            which = "All houses" if tuned else "Test houses"
            parts.append(
                f"{which}, {run['n']:,} sentences:\n\n{table(['recall', *metrics], steps)}\n\n"
                f"{measured(run)}"
            )
    if parts:
        between("evaluation.md", "ablation", "\n\n".join(parts))


def places(found: dict[str, Any]) -> None:
    """The table of `eval places`."""
    metrics = [
        "recall@1_gap30", "recall@1", "median_error_m", "stored@1_gap30", "shortlist@20_gap30"
    ]  # fmt: skip
    text = table(["queries", *metrics], [[found["n"], *[found[m] for m in metrics]]])
    between("evaluation.md", "places", f"{text}\n\n{measured(found)}")


def forest(found: dict[str, Any]) -> None:
    """The tables of `eval forest`: quality, then the time to add a place."""
    names = [name for name in ("reference", "incremental", "authors") if found.get(name)]
    metrics = ["levels", "dasgupta", "caption@1", "caption@10"]
    rows = [[m, *[_told(found[name].get(m)) for name in names]] for m in metrics]
    quality = table(["metric", *names], rows)
    timed = [name for name in ("reference", "incremental") if "insert_ms" in found[name]]
    sizes = sorted(found["incremental"]["insert_ms"], key=int)
    times = table(
        ["insert_ms at", *timed],
        [[f"{int(size):,}", *[_told(found[n]["insert_ms"].get(size)) for n in timed]]
         for size in sizes],
    )  # fmt: skip
    ratios = ", ".join(f"{name} {_told(value)}" for name, value in found["ratios"].items())
    root = " · ".join(f"“{words}”" for words in found["root"])
    parts = [quality, times, f"Ours against the published (caption@1: the difference, else ratios): {ratios}.", f"The root says: {root}",
             f"{found['n']:,} places. {measured(found)}"]  # fmt: skip
    between("evaluation.md", "forest", "\n\n".join(parts))


def changes(found: dict[str, Any]) -> None:
    """The table of `eval changes`."""
    metrics = ["precision", "recall", "f1"]
    parts = ["tuning", "held_out", "others", "moved", "new", "gone", "opened", "one_look"]
    rows = [["**all**", *[f"**{found[m]:.3f}**" for m in metrics]]]
    rows += [
        [part.replace("_", " "), *[f"{found[part][m]:.3f}" for m in metrics]]
        for part in parts
        if part in found
    ]
    generated = "new" in found
    what = "houses" if generated else "episodes"
    between("evaluation.md", "house-changes" if generated else "changes",
            f"{table([what, *metrics], rows)}\n\n{found['n']} {what}. {measured(found)}")  # fmt: skip


def questions(found: dict[str, Any]) -> None:
    """The tables of `eval questions`: both halves of the wordings, then by kind."""
    halves = [half for half in ("tuning", "reporting") if half in found]
    metrics = ["right", "n_answerable", "refused", "n_unanswerable", "refused_wrongly"]
    whole = table(["wordings", *metrics],
                  [[half, *[_told(found[half].get(m)) for m in metrics]] for half in halves])  # fmt: skip
    kinds = list(dict.fromkeys(kind for half in halves for kind in found[half]["kinds"]))
    rows = [
        [kind, *[_told(found[half]["kinds"].get(kind, {}).get(m)) for half in halves
                 for m in ("right", "refused")]]
        for kind in kinds
    ]  # fmt: skip
    header = ["kind", *[f"{half}: {m}" for half in halves for m in ("right", "refused")]]
    first, last = found["config"]["seeds"]
    text = f"{whole}\n\n{table(header, rows)}\n\nHouses {first} to {last}. {measured(found)}"
    between("evaluation.md", "questions", text)


def retention(found: dict[str, Any]) -> None:
    """The table of `eval retention`."""
    policies = list(next(iter(found["accuracy"].values())))
    rows = [
        [variant, *[f"{row[policy]:.3f}" for policy in policies], found["chosen"][variant]]
        for variant, row in found["accuracy"].items()
    ]
    rows.append(
        ["behind the best, at worst", *[f"{found['worst_gap'][p]:.3f}" for p in policies], ""]
    )
    text = table(["variant", *policies, "the allocator takes"], rows)
    note = f"{found['n']} evenings a variant; a guess is right in 1 of 8."
    between("evaluation.md", "retention", f"{text}\n\n{note} {measured(found)}")


def lived(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `eval house`, by condition."""
    columns = {
        "errands": "errands done", "spl": "SPL", "search_ratio_either": "search: way over none",
        "search_ratio_flat_either": "way over flat", "search_ratio": "way over none where both found it",
        "search_ratio_flat": "way over flat where both did", "search_ratio_either_time": "time over none",
        "search_ratio_flat_either_time": "time over flat", "answers": "answers right",
        "said_wrongly": "said done, was not", "too_long": "cut off", "hard_contacts": "hard contacts",
        "seconds_a_day": "seconds a day", "episodes": "homes",
    }  # fmt: skip
    rows = [
        [
            run["config"]["condition"],
            run["config"]["detector"],
            agent,
            *(_told(reached.get(name)) for name in columns),
        ]
        for run in runs
        for agent, reached in run["agents"].items()
    ]
    made = []
    for run in runs:
        first, last = run["config"]["seeds"]
        made.append(f"{run['config']['condition']}: homes {first} to {last}. {measured(run)}")
    text = table(["condition", "detector", "memory", *columns.values()], rows)
    between("house-tasks.md", "house", "\n\n".join([text, *made]))


def detectors(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `eval detector`: all groups, then furniture by its label."""
    metrics = ["recall", "precision", "outlined", "placed", "overlap"]
    rows = [
        [group, _sees(run["config"]), f"{told['there']:,}", *[_told(told[m]) for m in metrics]]
        for group in runs[0]["detected"]
        for run in runs
        for told in [run["detected"][group]]
    ]
    parts = [table(["what", "detector", "there", *metrics], rows)]
    for run in runs:
        if run["config"]["detector"] != "segmentation" and not run["config"]["any_name"]:
            labels = sorted(
                run["by_label"]["furniture"].items(), key=lambda item: -item[1]["recall"]
            )
            named = ", ".join(
                f"{label} {_told(row['recall'])} of {row['there']}" for label, row in labels
            )
            parts.append(f"Recall of furniture by label: {named}.")
    for run in runs:
        first, last = run["config"]["homes"]
        ms = run["look_ms"]
        parts.append(
            f"{_sees(run['config'])}: homes {first} to {last}, {run['n']:,} pictures, a look "
            f"{_told(ms['p50'])} ms (p95 {_told(ms['p95'])} ms). {measured(run)}"
        )
    between("house-tasks.md", "detectors", "\n\n".join(parts))


def tasks(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `eval tasks`, those at the ballet on its own page."""
    pages: dict[str, dict[str, dict[str, Any]]] = {}
    for run in runs:
        for task, reached in run["results"].items():
            page = "ballet.md" if "Ballet/" in task else "tasks.md"
            row = pages.setdefault(page, {}).setdefault(task, {"chance": run["chance"][task]})
            row.update(reached)
    for page, found in pages.items():
        agents = list(dict.fromkeys(a for row in found.values() for a in row if a != "chance"))
        rows = [
            [f"`{task}`", _told(row["chance"]), *(_interval(row.get(agent)) for agent in agents)]
            for task, row in found.items()
        ]
        for suite in dict.fromkeys(task.partition("/")[0] for task in found):
            mine = [row for task, row in found.items() if task.startswith(f"{suite}/")]
            means = [
                _mean([row[agent]["success"] for row in mine if agent in row]) for agent in agents
            ]
            rows.append([f"**mean of {suite}**, {len(mine)} tasks", "", *means])
        made = " ".join(measured(run) for run in runs)
        text = table(["task", "chance", *agents], rows)
        between(page, "agents", f"{text}\n\n95 % intervals, and episodes. {made}")


def ballet_training(found: dict[str, Any]) -> None:
    """The table of `train ballet`."""
    networks = list(found["learning_seconds"])
    rows = [
        [level, _told(found["chance"][level]), *(_interval(by.get(name)) for name in networks)]
        for level, by in found["results"].items()
    ]
    took = ", ".join(
        f"{name} {seconds / 60:.1f} minutes of one core"
        for name, seconds in found["learning_seconds"].items()
    )
    schedule = f"{found['config']['updates']:,} updates of {found['config']['evenings']} evenings"
    text = table(["level", "chance", *networks], rows)
    between("ballet.md", "trained", f"{text}\n\n{schedule}: {took}. {measured(found)}")


def _mean(shares: list[float]) -> str:
    return f"**{sum(shares) / len(shares):.3f}**" if shares else "—"


def _interval(reached: dict[str, Any] | None) -> str:
    if reached is None:
        return "—"
    low, high, count = reached["low"], reached["high"], reached["episodes"]
    return f"{reached['success']:.2f} ({low:.2f} to {high:.2f}, {count})"


def _sees(config: dict[str, Any]) -> str:
    return f"{config['detector']}, any name" if config["any_name"] else str(config["detector"])


def _told(value: Any) -> str:
    """A value of a table."""
    if value is None:
        return "—"
    if isinstance(value, list):
        return " / ".join(_told(item) for item in value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def benchmarked(found: dict[str, Any]) -> str:
    """Where and when a benchmark was run."""
    machine = found["machine"]
    return (
        f"{found['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, Python "
        f"{machine['python']}; load {machine['load'][0]} at the start; {found['seconds']:.0f} s."
    )


def attention(runs: list[dict[str, Any]]) -> None:
    """The table of runs of `benchmarks/attention.py`."""
    rows = [
        [f"{result['n']:,}", result["data"], key, _told(result["full"]["time"]["p50_ms"]),
         _told(ours["time"]["p50_ms"]), _told(ours["times_less_work"]["median"]),
         _told(ours["times_fewer_bytes"]["median"]), _told(ours["top10_mass"]),
         _told(ours["error"]["median"])]
        for found in runs for result in found["results"] for key, ours in result["keys"].items()
    ]  # fmt: skip
    header = ["steps", "data", "key", "full p50, ms", "hierarchical p50, ms", "times less work",
              "times fewer bytes", "top-10 mass", "relative error"]  # fmt: skip
    notes = "\n".join(f"- {benchmarked(found)}" for found in runs)
    between("benchmarks.md", "attention", f"{table(header, rows)}\n\n{notes}")


MONTH = {
    "day": "day", "disk_mb": "disk MB", "ram_mb": "RAM MB", "observations": "stored",
    "events": "events", "entities": "entities", "cpu_s": "CPU s", "recall_p50_ms": "recall p50 ms",
    "recall_p99_ms": "p99 ms", "day_one_right": "day one right",
}  # fmt: skip


def month(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `benchmarks/month.py`."""
    parts = []
    for found in runs:
        for result in found["results"]:
            days = [d for d in result["days"] if d["day"] in (1, 2, 3, 7, 14, 21, 23, 28, 30)]
            rows = [[_told(day.get(key)) for key in MONTH] for day in days]
            parts.append(f"{result['name']}, {found['config']['hours']} h a day\n\n"
                         f"{table(list(MONTH.values()), rows)}")  # fmt: skip
            if result["standing_hour"]:
                kept = result["standing_hour"]["observations"]
                parts.append(f"An hour of standing still (3,600 observations) adds {_told(kept)}.")
        parts.append(table(["what", "measured", "target", "met"], targets(found)))
        parts.append(benchmarked(found))
    between("benchmarks.md", "month", "\n\n".join(parts))


def targets(found: dict[str, Any]) -> list[list[str]]:
    """Rows: what was aimed at, and whether it was reached."""
    return [
        [t["what"], f"{t['value']:,.4g}", ("≥ " if t["above"] else "≤ ") + f"{t['limit']:,g}",
         "yes" if t["met"] else "**no**"]
        for t in found["targets"]
    ]  # fmt: skip


def episodic(found: dict[str, Any]) -> str:
    """The tables of one run of `benchmarks/episodic.py`."""
    parts = [table(["what", "measured", "target", "met"], targets(found))]
    for result in found["results"]:
        parts.append(_against(result))
        if "asking" in result:
            parts.append(_asking(result))
    machine = found["machine"]
    where = (
        f"{found['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:.0f} GB, Python {machine['python']}; load {machine['load'][0]} at the "
        f"start and {machine['load_after'][0]} at the end; {found['seconds']:.0f} s."
    )
    return "\n\n".join([where, *parts])


def _asking(result: dict[str, Any]) -> str:
    asked = result["asking"]
    rows = [
        [name, *[_told(asked[name][part]) for part in ("p50_ms", "p95_ms", "p99_ms")]]
        for name in ("ask", "recall", "flat", "encode")
    ]
    note = (
        f"Organised in {_told(asked['organise_s'])} s ({_told(asked['per_s'])} a second): "
        f"{asked['places']:,} places, {asked['events']:,} events."
    )
    header = ["in words, end to end", "p50, ms", "p95, ms", "p99, ms"]
    return f"### {result['n']:,} observations, asking\n\n{table(header, rows)}\n\n{note}"


def _against(result: dict[str, Any]) -> str:
    rows = []
    for entry in result.get("ingest", []):
        ratio = entry.get("ratio", {"median": 1.0, "q1": 1.0, "q3": 1.0})
        rows.append(
            ["ingest in groups", "", entry["name"], f"{entry['per_s']:,.0f}/s", "",
             f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})", entry["guarantee"]]
        )  # fmt: skip
    for level in result.get("recall", []):
        for name, one in level["together"].items():
            ratio = one["ratio"]
            rows.append(
                ["recall", f"{level['fraction']:.1%}", name, f"{one['p50_ms']:.3g} ms",
                 f"{one['recall@10']:.3f}",
                 f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})", ""]
            )  # fmt: skip
    title = f"### {result['n']:,} observations, {result['vectors']} vectors"
    header = [
        "what",
        "selected",
        "who",
        "p50 or rate",
        "recall@10",
        "time / ours (quartiles)",
        "guarantee",
    ]
    return f"{title}\n\n{table(header, rows)}"


def ways(found: dict[str, Any]) -> None:
    """The table of `benchmarks/ways_in.py`."""
    rows = [
        [name, *[_told(way[key]) for key in ("p50_ms", "p95_ms", "p99_ms", "cost_p50_ms")]]
        for name, way in found["ways"].items()
    ]
    header = ["way in", "p50, ms", "p95, ms", "p99, ms", "over in process at p50, ms"]
    between("benchmarks.md", "ways", f"{table(header, rows)}\n\n{_aims(found)}")


def loads(found: dict[str, Any]) -> None:
    """The table of `benchmarks/loading.py`."""
    rows = [
        [load["call"], load["clients"], f"{load['requests']:,}", load["failed"],
         *[_told(load[key]) for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]]
        for load in found["loads"]
    ]  # fmt: skip
    header = ["call", "clients", "requests", "failed", "p50, ms", "p95, ms", "p99, ms", "worst, ms"]
    slow = found["slow_clients"]
    said = (
        f"Ingest beside {slow['stalled']} listeners that stopped reading: "
        f"{_told(slow['beside_per_s'])} observations a second, {_told(slow['alone_per_s'])} without."
    )
    between("benchmarks.md", "loads", f"{table(header, rows)}\n\n{said}\n\n{_aims(found)}")


def _aims(found: dict[str, Any]) -> str:
    """What was aimed at, what came, and where and when."""
    rows = [
        [aim["what"], _told(aim["value"]), f"{'≥' if aim['above'] else '≤'} {_told(aim['limit'])}",
         "yes" if aim["met"] else "**no**"]
        for aim in found["targets"]
    ]  # fmt: skip
    computer = found["machine"]
    made = f"{found['date'][:10]}, {computer['cpu']}, {computer['cores']} cores."
    return f"{table(['what', 'measured', 'target', 'met'], rows)}\n\n{made}"


def robots(runs: list[dict[str, Any]]) -> None:
    """The tables of runs of `benchmarks/ros.py`."""
    parts = []
    for found in runs:
        parts.append(table(["what", "measured", "target", "met"], targets(found)))
        load = found.get("load")
        if load is not None:
            nodes = "; ".join(
                f"{name} {_told(node['cores'])} cores, {_told(node['rss_mb'])} MB "
                f"({_told(node['own_mb'])} its own, of these "
                f"{_told(node['own_growth_mb_per_hour'])} MB an hour more in the second half)"
                for name, node in load["nodes"].items()
            )
            parts.append(
                f"{load['frames']:,} frames in {load['seconds'] / 60:.0f} minutes, "
                f"{load['remembered']:,} remembered; frame to remembered p50 "
                f"{_told(load['frame_to_remembered']['p50_ms'])} ms; Query p99 "
                f"{_told(load['query']['p99_ms'])} ms of {load['queries']:,}; {nodes}."
            )
        computer = found["machine"]
        parts.append(
            f"{found['when'][:10]}, {computer['cpu']}, {computer['cores']} cores, Python "
            f"{computer['python']}; load {computer['load'][0]} at the start."
        )
    between("ros.md", "speed", "\n\n".join(parts))


PAGES = {
    "ways": ways,
    "loads": loads,
    "recall@1_gap30": places,
    "incremental": forest,
    "f1": changes,
    "tuning": questions,
    "reporting": questions,
    "accuracy": retention,
}
"""By a metric that tells the evaluations apart, first to last: who writes its table."""


def main() -> None:
    """Read the files given and write their tables."""
    if len(sys.argv) < 2 or {"-h", "--help"} & set(sys.argv):
        sys.exit(__doc__)
    runs: list[str] = []
    benches: dict[str, list[dict[str, Any]]] = {
        "attention": [], "month": [], "houses": [], "detected": [], "tasks": [], "lived": [],
        "robots": [],
    }  # fmt: skip
    for name in sys.argv[1:]:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
        page = next((make for key, make in PAGES.items() if key in found), None)
        if "place@1" in found:
            benches["houses"].append(found)
        elif "agents" in found and "first_day" in found:
            benches["lived"].append(found)
        elif "detected" in found:
            benches["detected"].append(found)
        elif "learning_seconds" in found:
            ballet_training(found)
        elif "load" in found or "bring_up" in found:
            benches["robots"].append(found)
        elif "results" in found and "chance" in found:
            benches["tasks"].append(found)
        elif found.get("benchmark") in benches:
            benches[found["benchmark"]].append(found)
        elif page is not None:
            page(found)
        else:
            runs.append(f"## Run {len(runs) + 1}\n\n{episodic(found)}")
    if runs:
        between("benchmarks.md", "episodic", "\n\n".join(runs))
    for bench, write in (
        ("attention", attention), ("month", month), ("houses", houses), ("detected", detectors),
        ("tasks", tasks), ("lived", lived), ("robots", robots),
    ):  # fmt: skip
        if benches[bench]:
            write(benches[bench])


if __name__ == "__main__":
    main()
