"""The same work for many seeds, in several processes where there are several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def each(work: Callable[[Item], Made], items: Sequence[Item], workers: int) -> Iterator[Made]:
    """What comes of each item, in their order.

    Args:
        work: A function at the top of a module, or a `partial` of one.
        items: What it is given.
        workers: Processes; 1 works in this one.
    """
    if workers == 1 or len(items) < 2:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, items)
