"""Networks that watch a ballet and say where to go: one with chunks of memory, one recurrent.

Both are given what the symbol observations say of where the dancers are, step by step, and at the
end the name of a dance; both give one logit for each of the eight ways to walk. `features` says the
same of a dance wherever it is danced; colours and shapes, on which nothing depends, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from memory_core.attention.module import HierarchicalChunkAttention
from memory_core.types import IntArray
from memory_sim.tasks.ballet_dances import NAMES, PLACES

SQUARES = 9
"""Of a dancer's own place; a square is numbered row by row from the south-west, 4 is its middle."""
NOBODY = -1
MIDDLE = SQUARES // 2
AROUND = tuple(number for number in range(SQUARES) if number != MIDDLE)
FEATURES = 2 * len(PLACES) + len(AROUND)
CHUNK = 16
FREE = 24
WIDTH, HEADS, TOP_CHUNKS, LAYERS = 128, 8, 8, 2
RECURRENT_WIDTH = 256


class ChunkedMemory(nn.Module):  # type: ignore[misc]
    """Remembers all steps in chunks of 16 and asks them once (HCAM, Lampinen et al. 2021).

    What is remembered is what was seen, as zeros and ones: no gradient goes into the memory, as in
    the paper, so nothing would train an encoder of it. A learnt encoder could keep some features
    free for the positions that are added; here 24 are, those of the quickest sines. The question,
    made of the dance's name and of what is seen now, passes two blocks of hierarchical chunk
    attention and a perceptron, each normalised before and added to what came in.
    """

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        self.ask = nn.Linear(len(NAMES) + FEATURES, WIDTH)
        self.attention = nn.ModuleList(
            HierarchicalChunkAttention(
                WIDTH, heads=HEADS, top_chunks=TOP_CHUNKS, memory_size=FREE + FEATURES
            )
            for _ in range(LAYERS)
        )
        self.before = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2 * LAYERS))
        self.think = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
            for _ in range(LAYERS)
        )
        self.choose = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(PLACES)))

    def forward(self, seen: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """Where to go.

        Args:
            seen: Shape (batch, steps, 24), from `features`.
            asked: Shape (batch,), numbers of dances in `NAMES`.

        Returns:
            Logits, shape (batch, 8).
        """
        chunks, valid = _in_chunks(seen)
        name = nn.functional.one_hot(asked, len(NAMES)).to(seen)
        state = self.ask(torch.cat([name, seen[:, -1]], -1))[:, None]
        for layer, (attend, think) in enumerate(zip(self.attention, self.think, strict=True)):
            state = state + attend(self.before[2 * layer](state), chunks, valid=valid)
            state = state + think(self.before[2 * layer + 1](state))
        return self.choose(state[:, 0])


class Recurrent(nn.Module):  # type: ignore[misc]
    """An LSTM (Hochreiter and Schmidhuber 1997) that is told the dance at the last step."""

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        self.lstm = nn.LSTM(FEATURES + len(NAMES), RECURRENT_WIDTH, batch_first=True)
        self.choose = nn.Linear(RECURRENT_WIDTH, len(PLACES))
        nn.init.ones_(self.lstm.bias_ih_l0[RECURRENT_WIDTH : 2 * RECURRENT_WIDTH])  # keep, at first

    def forward(self, seen: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """As `ChunkedMemory.forward`."""
        told = seen.new_zeros(*seen.shape[:2], len(NAMES))
        told[torch.arange(len(asked)), -1, asked] = 1.0
        states, _ = self.lstm(torch.cat([seen, told], -1))
        return self.choose(states[:, -1])


NETWORKS: dict[str, Callable[[], nn.Module]] = {"hcam": ChunkedMemory, "lstm": Recurrent}


def square_number(east: int, north: int) -> int:
    """The number of a square of a dancer's place, -1 to 1 east and north of its middle."""
    return MIDDLE + east + 3 * north


def features(squares: IntArray | Sequence[IntArray]) -> torch.Tensor:
    """What networks are given of where dancers are.

    Args:
        squares: Shape (batch, steps, 8): for each place the square of it that its dancer is on, or
            `NOBODY`.

    Returns:
        Shape (batch, steps, 24), float32, zeros and ones: which places have a dancer, which of them
        one out of its middle, and which of the squares around a middle have somebody on them.
    """
    numbers = torch.from_numpy(np.asarray(squares, np.int64))
    there, away = numbers != NOBODY, (numbers != NOBODY) & (numbers != MIDDLE)
    around = (numbers[..., None] == torch.tensor(AROUND)).any(-2)
    return torch.cat([there, away, around], -1).float()


def _in_chunks(seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps in chunks, the last one padded: (batch, chunks, 16, 48), and which steps are filled."""
    steps = seen.shape[1]
    padding = -steps % CHUNK
    padded = nn.functional.pad(seen, (FREE, 0, 0, padding))
    valid = torch.arange(steps + padding).expand(len(seen), -1) < steps
    return padded.unflatten(1, (-1, CHUNK)), valid.unflatten(1, (-1, CHUNK))
