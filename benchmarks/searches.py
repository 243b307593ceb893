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
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import machine, print_json, print_table, say, seeds_of, today
from memory_core.interfaces.opening import encoder_of
from memory_core.types import Json
from memory_sim.agents.choice import AGENTS
from memory_sim.house_errands import moved_finds
from memory_sim.house_evaluation import first_day_folder
from memory_sim.house_scoring import paired_searches, search_ratio
from memory_sim.house_ways import Ways
from memory_sim.processes import each
from memory_sim.rows_file import rows_to_resume, write_rows
from memory_sim.two_days import Setting, first_day, search_alone
from memory_sim.worlds.home.plan import plan_home

RESAMPLED = 2_000


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


def told(rows: Sequence[Json], agents: Sequence[str]) -> list[Json]:
    """What each agent reached, and its way over those of the others."""
    by_agent = {a: [row for row in rows if row["agent"] == a] for a in agents}
    found = []
    for agent, mine in by_agent.items():
        ways = np.array([[r["done"], r["driven_m"], r["simulated_s"] / 60] for r in mine])
        share, metres, minutes = ways.mean(axis=0) if len(ways) else (None, None, None)
        found.append({
            "agent": agent,
            "searches": len(mine),
            "found": _rounded(share, 4),
            "metres": _rounded(metres, 2),
            "minutes": _rounded(minutes, 2),
            "over": {o: ratio(mine, theirs) for o, theirs in by_agent.items() if o != agent},
        })  # fmt: skip
    return found


def ratio(mine: Sequence[Json], theirs: Sequence[Json]) -> Json:
    """Metres over those of another, on what either found; None where neither found anything.

    `low` and `high` hold 95 of 100 ratios where homes are drawn anew (bootstrap, Efron 1979).
    """
    either = paired_searches(mine, theirs, both=False)
    if not either:
        return None
    pairs, homes = np.array(list(either.values())), np.array([home for home, _, _ in either])
    sums = np.array([pairs[homes == home].sum(axis=0) for home in np.unique(homes)])
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLED, len(sums)))
    some = sums[drawn].sum(axis=1)
    low, high = np.quantile(some[:, 0] / some[:, 1], (0.025, 0.975))
    whole, count = search_ratio(mine, theirs, both=False)
    on_both, both = search_ratio(mine, theirs)
    return {
        "searches": count, "ratio": _rounded(whole, 3), "low": _rounded(low, 3),
        "high": _rounded(high, 3), "both": both, "ratio_both": _rounded(on_both, 3),
    }  # fmt: skip


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(float(value), places)


def _kept(file: Path | None, asked: Json) -> list[list[Json]]:
    """The rows of homes that were searched as is asked now; others have no place in the file."""
    homes: list[list[Json]] = []
    rows: list[Json] = []
    for row in rows_to_resume(file) if file is not None else ():
        rows.append(row)
        if "asked" not in row:
            continue
        if row["asked"] != asked:
            raise SystemExit(f"{file} holds {row['asked']}, not {asked}; name another with --rows")
        homes.append(rows)
        rows = []
    return homes


def _lived(
    homes: Sequence[int], workers: int, file: Path | None, asked: Json, cache: Path
) -> Iterator[list[Json]]:
    """Rows home by home; those in the file are not searched again, new ones are added to it."""
    kept = _kept(file, asked)
    if file is not None:
        write_rows(file, [row for rows in kept for row in rows], "w")
    yield from ([row for row in rows[:-1] if row["seed"] in homes] for rows in kept)
    left = [home for home in homes if home not in {rows[-1]["home"] for rows in kept}]
    search = partial(searches, **asked, cache=cache)
    for home, rows in zip(left, each(search, left, workers), strict=True):
        if file is not None:
            write_rows(file, [*rows, {"home": home, "asked": asked}], "a")
        say(f"home {home}: {len(rows)} searches")
        yield rows


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
    asked = {"days": options.days, "agents": options.agent, "condition": options.condition}
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        lived = _lived(seeds_of(options.homes), options.workers, options.rows, asked, cache)
        result = told(list(itertools.chain.from_iterable(lived)), options.agent)
    if options.json:
        print_json(
            {"date": today(), "machine": machine(), "homes": options.homes, "days": options.days,
             "condition": options.condition, "agents": result}
        )  # fmt: skip
        return 0
    reached = ("agent", "searches", "found", "metres", "minutes")
    columns = ("ratio", "low", "high", "searches", "ratio_both")
    print_table(
        "searches for what was moved",
        list(reached),
        [[str(one[key]) for key in reached] for one in result],
    )
    print_table(
        "metres over those of another, where either found it",
        ["agent", "over", "ratio", "from", "to", "searches", "where both did"],
        [
            [one["agent"], other, *(str(found[key]) for key in columns)]
            for one in result
            for other, found in one["over"].items()
            if found is not None
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
