"""Put measured tables into the pages, between their markers; nothing is typed by hand.

robot-memory eval houses DIR --json > houses.json
robot-memory eval places DIR --json > places.json
python -m benchmarks.episodic --json > episodic.json
python scripts/update_docs.py houses.json places.json episodic.json
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


def houses(found: dict[str, Any]) -> None:
    """The table of `eval houses`."""
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
    between("evaluation.md", "houses", f"{text}\n\n{refused}. {measured(found)}")


def places(found: dict[str, Any]) -> None:
    """The table of `eval places`."""
    metrics = ["recall@1_gap30", "recall@1", "median_error_m"]
    text = table(["queries", *metrics], [[found["n"], *[found[m] for m in metrics]]])
    between("evaluation.md", "places", f"{text}\n\n{measured(found)}")


def episodic(found: dict[str, Any]) -> str:
    """The tables of one run of `benchmarks/episodic.py`."""
    rows = [
        [t["what"], f"{t['value']:,.4g}", ("≥ " if t["above"] else "≤ ") + f"{t['limit']:,g}",
         "yes" if t["met"] else "**no**"]
        for t in found["targets"]
    ]  # fmt: skip
    parts = [table(["what", "measured", "target", "met"], rows)]
    for result in found["results"]:
        parts.append(_against(result))
    machine = found["machine"]
    where = (
        f"{found['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:.0f} GB, Python {machine['python']}; load {machine['load'][0]} at the "
        f"start and {machine['load_after'][0]} at the end; {found['seconds']:.0f} s."
    )
    return "\n\n".join([where, *parts])


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


def main() -> None:
    """Read the files given and write their tables."""
    if len(sys.argv) < 2 or {"-h", "--help"} & set(sys.argv):
        sys.exit(__doc__)
    runs: list[str] = []
    for name in sys.argv[1:]:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
        if "place@1" in found:
            houses(found)
        elif "recall@1_gap30" in found:
            places(found)
        else:
            runs.append(f"## Run {len(runs) + 1}\n\n{episodic(found)}")
    if runs:
        between("benchmarks.md", "episodic", "\n\n".join(runs))


if __name__ == "__main__":
    main()
