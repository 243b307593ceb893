"""How far a robot drives until it finds what people moved, each search on its own.

    python -m benchmarks.searches
    python -m benchmarks.searches --homes 100-111 --days 3 --agent flat memory --workers 2 --rows F

An errand of `eval house` begins with what the errands before it happened to see, and few of them are
about what was moved. Here a robot that remembers one day, some days ago, is asked to find each thing that
lies in the open elsewhere since; every search begins at the same place for all agents, with a fresh
copy of the home and of the memory. Told are the metres driven until it was found. A search that ended
without it counts with what was driven, which is less than it would have taken.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import Floats, machine, print_json, print_table, say, today
from memory_core.interfaces.opening import encoder_of
from memory_core.types import Json
from memory_sim.agents.choice import AGENTS
from memory_sim.house_errands import moved_finds
from memory_sim.house_evaluation import first_day_folder
from memory_sim.house_scoring import LEAST_M
from memory_sim.house_ways import Ways
from memory_sim.processes import each
from memory_sim.two_days import Setting, first_day, search_alone
from memory_sim.worlds.home.plan import plan_home

RESAMPLED = 2_000

Search = tuple[int, int, int]
"""Home, day, and number of the search."""


def searches(
    home: int, *, days: int, agents: Sequence[str], condition: str, cache: Path
) -> list[Json]:
    """A row for each search of each agent in a home.

    Args:
        home: Its seed.
        days: So many days after the first are searched on.
        agents: Who searches.
        condition: As of `eval house`.
        cache: Where first days are kept.
    """
    setting = Setting(condition, encoder=encoder_of("default"))
    first = first_day(home, setting, first_day_folder(cache, home, setting))
    plan = plan_home(home)
    ways = Ways(plan)
    return [
        search_alone(home, day, agent, setting, first, asked, ways)
        for day in range(1, days + 1)
        for asked in moved_finds(plan, ways, day, used=first.used)
        for agent in agents
    ]


def by_search(rows: Sequence[Json]) -> dict[Search, Json]:
    """Rows of one agent by the search that they are of."""
    return {(row["seed"], row["day"], row["number"]): row for row in rows}


def told(rows: Sequence[Json], agents: Sequence[str]) -> list[Json]:
    """What each agent reached, and its way over those of the others."""
    by_agent = {a: by_search([row for row in rows if row["agent"] == a]) for a in agents}
    found = []
    for agent, mine in by_agent.items():
        told = np.array([[r["done"], r["driven_m"], r["simulated_s"] / 60] for r in mine.values()])
        share, metres, minutes = told.mean(axis=0) if len(told) else (None, None, None)
        found.append({
            "agent": agent,
            "searches": len(told),
            "found": _rounded(share, 4),
            "metres": _rounded(metres, 2),
            "minutes": _rounded(minutes, 2),
            "over": {o: ratio(mine, theirs) for o, theirs in by_agent.items() if o != agent},
        })  # fmt: skip
    return found


def ratio(mine: Mapping[Search, Json], theirs: Mapping[Search, Json]) -> Json:
    """Metres over those of another, on what either found; None where neither found anything.

    `low` and `high` hold 95 of 100 ratios where homes are drawn anew (bootstrap, Efron 1979).
    """
    keys = sorted(k for k in set(mine) & set(theirs) if mine[k]["done"] or theirs[k]["done"])
    if not keys:
        return None
    pairs = np.array([[max(rows[k]["driven_m"], LEAST_M) for rows in (mine, theirs)] for k in keys])
    homes = np.array([home for home, _, _ in keys])
    sums = np.array([pairs[homes == home].sum(axis=0) for home in np.unique(homes)])
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLED, len(sums)))
    some = sums[drawn].sum(axis=1)
    low, high = np.quantile(some[:, 0] / some[:, 1], (0.025, 0.975))
    both = [mine[k]["done"] and theirs[k]["done"] for k in keys]
    return {
        "searches": len(keys), "ratio": _over(pairs), "low": round(float(low), 3),
        "high": round(float(high), 3), "both": sum(both),
        "ratio_both": _over(pairs[both]) if any(both) else None,
    }  # fmt: skip


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(float(value), places)


def _over(pairs: Floats) -> float:
    mine, theirs = pairs.sum(axis=0)
    return round(float(mine / theirs), 3)


def _kept(file: Path, asked: Json) -> list[list[Json]]:
    """The rows of homes that were searched as is asked now; others have no place in the file."""
    homes: list[list[Json]] = []
    rows: list[Json] = []
    for line in file.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # it was stopped while it wrote
            break
        if "asked" not in row:
            rows.append(row)
            continue
        if row["asked"] != asked:
            raise SystemExit(f"{file} holds {row['asked']}, not {asked}; name another with --rows")
        homes.append([*rows, row])
        rows = []
    return homes


def _lived(homes: Sequence[int], workers: int, file: Path | None, asked: Json, cache: Path) -> (
    Iterator[list[Json]]
):  # fmt: skip
    """Rows home by home; those in the file are not searched again, new ones are added to it."""
    kept = _kept(file, asked) if file is not None and file.exists() else []
    if file is not None:
        _write(file, [row for rows in kept for row in rows], "w")
    yield from ([row for row in rows[:-1] if row["seed"] in homes] for rows in kept)
    left = [home for home in homes if home not in {rows[-1]["home"] for rows in kept}]
    search = partial(searches, **asked, cache=cache)
    for home, rows in zip(left, each(search, left, workers), strict=True):
        if file is not None:
            _write(file, [*rows, {"home": home, "asked": asked}], "a")
        say(f"home {home}: {len(rows)} searches")
        yield rows


def _write(file: Path, rows: Sequence[Json], mode: str) -> None:
    with file.open(mode, encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--homes", default="100-111", help="seeds, first and last")
    parser.add_argument("--days", type=int, default=2, help="mornings after the first day")
    parser.add_argument("--agent", nargs="+", default=["none", "flat", "memory"], choices=AGENTS)
    parser.add_argument("--condition", default="exact", help="as of eval house")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--cache", type=Path, help="keeps first days, as that of eval house")
    parser.add_argument(
        "--rows", type=Path, help="keeps each search; homes in it are not done again"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    first, _, last = options.homes.partition("-")
    homes = range(int(first), int(last or first) + 1)
    with tempfile.TemporaryDirectory() as folder:
        asked = {
            "days": options.days, "agents": options.agent, "condition": options.condition
        }  # fmt: skip
        lived = _lived(homes, options.workers, options.rows, asked, options.cache or Path(folder))
        result = told(list(itertools.chain.from_iterable(lived)), options.agent)
    if options.json:
        print_json(
            {"date": today(), "machine": machine(), "homes": options.homes, "days": options.days,
             "condition": options.condition, "agents": result}
        )  # fmt: skip
        return 0
    print_table(
        "searches for what was moved", ["agent", "searches", "found", "metres", "minutes"],
        [[str(one[key]) for key in ("agent", "searches", "found", "metres", "minutes")] for one in result],
    )  # fmt: skip
    columns = ("ratio", "low", "high", "searches", "ratio_both")
    print_table(
        "metres over those of another, where either found it",
        ["agent", "over", "ratio", "from", "to", "searches", "where both did"],
        [
            [one["agent"], other, *(str(found[key]) for key in columns)]
            for one in result
            for other, found in one["over"].items()
            if found is not None
        ],
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
