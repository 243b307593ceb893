"""Networks that learnt the ballet, as agents: `memory_sim.agents.ballet_trained:hcam`, `:lstm`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from memory_core.errors import InvalidQuery
from memory_core.threads import one_thread
from memory_core.types import IntArray
from memory_sim.agents.ballet_perception import Seen, seen_in
from memory_sim.tasks.ballet_dances import NAMES, PLACES, WATCH
from memory_sim.training.ballet import SHIPPED, load_network
from memory_sim.training.ballet_networks import NOBODY, features, square_number


class TrainedAgent:
    """Shows a network all steps at the question, and walks where it says."""

    def __init__(self, network: str) -> None:
        """Load the weights that come with this package.

        Args:
            network: `hcam` or `lstm`.
        """
        self._network = load_network(SHIPPED / f"ballet-{network}.safetensors")

    def reset(self, instruction: str, *, seed: int = 0) -> None:
        """See `Agent.reset`."""
        self._steps: list[IntArray] = []
        self._way: np.int64 | None = None

    def act(self, observation: Mapping[str, Any]) -> np.int64:
        """See `Agent.act`.

        Raises:
            InvalidQuery: The question names no dance.
        """
        question = observation["instruction"]
        if self._way is not None:
            return self._way
        self._steps.append(_squares(seen_in(observation)))
        if question == WATCH:
            return np.int64(0)
        named = [number for number, name in enumerate(NAMES) if name in question]
        if not named:
            raise InvalidQuery(f"{question!r} names no dance; this network knows the ballet alone")
        with one_thread(), torch.no_grad():
            logits = self._network(features([np.stack(self._steps)]), torch.tensor(named[:1]))
        self._way = np.int64(logits.argmax())
        return self._way

    def close(self) -> None:
        """See `Agent.close`."""


hcam = partial(TrainedAgent, "hcam")
lstm = partial(TrainedAgent, "lstm")


def _squares(seen: list[Seen]) -> IntArray:
    """On which square of its place each dancer is, shape (8,), for a robot in the middle."""
    squares = np.full(len(PLACES), NOBODY)
    places = PLACES.tolist()
    for dancer in seen:
        east, north = dancer.square
        place = places.index([dancer.east - east, dancer.north - north])
        squares[place] = square_number(east, north)
    return squares
