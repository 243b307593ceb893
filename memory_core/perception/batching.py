"""Sentences of many threads, encoded together.

A call that finds the encoder idle is encoded at once; calls that come meanwhile share the next
forward, which costs less than one forward for each. Nobody waits for company: a batch grows only
while the encoder is busy anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from memory_core.perception.text import TextEncoder, check_sentences
from memory_core.types import EmbeddingSpace, FloatArray

MOST = 8
"""Sentences in one forward, unless a single call brings more: beyond, a batch is hardly quicker
by the sentence, and everybody in it waits longer."""


@dataclass(slots=True, eq=False)
class _Call:
    sentences: Sequence[str]
    vectors: Future[FloatArray] = field(default_factory=Future)


class BatchingEncoder:
    """A `TextEncoder` over another one, for programs that answer several clients at once.

    Attributes:
        calls: How often `encode` was called.
        forwards: How often the encoder beneath was.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        """Stand before an encoder.

        Args:
            encoder: What encodes, from now on in one thread at a time.
        """
        self._encoder = encoder
        self._turn = threading.Condition()
        self._waiting: list[_Call] = []
        self._busy = False
        self.calls = 0
        self.forwards = 0

    @property
    def space(self) -> EmbeddingSpace:
        """See `TextEncoder.space`."""
        return self._encoder.space

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """See `TextEncoder.encode`."""
        check_sentences(sentences)
        mine = _Call(sentences)
        with self._turn:
            self.calls += 1
            self._waiting.append(mine)
            self._turn.wait_for(lambda: mine.vectors.done() or not self._busy)
            if mine.vectors.done():
                return mine.vectors.result()
            self._busy = True
        try:
            while not mine.vectors.done():
                self._serve(self._next())
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()
        return mine.vectors.result()

    def _next(self) -> list[_Call]:
        """The calls that have waited longest."""
        with self._turn:
            taken = [self._waiting.pop(0)]
            count = len(taken[0].sentences)
            while self._waiting and count + len(self._waiting[0].sentences) <= MOST:
                taken.append(self._waiting.pop(0))
                count += len(taken[-1].sentences)
            return taken

    def _serve(self, batch: list[_Call]) -> None:
        self.forwards += 1
        try:
            vectors = self._encoder.encode([s for call in batch for s in call.sentences])
        except BaseException as error:
            if len(batch) == 1:
                batch[0].vectors.set_exception(error)
                return
            for call in batch:  # one bad sentence must not fail its neighbours
                self._serve([call])
            return
        start = 0
        for call in batch:
            call.vectors.set_result(vectors[start : start + len(call.sentences)])
            start += len(call.sentences)
        with self._turn:
            self._turn.notify_all()
