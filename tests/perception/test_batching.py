"""Encoding for several threads: the contract, fewer forwards, and errors that stay with their call."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from memory_core.errors import EncodingError
from memory_core.perception.batching import MOST, BatchingEncoder
from memory_core.perception.text import HashingEncoder
from tests.contracts.text_encoder import TextEncoderContract


class TestBatchingEncoder(TextEncoderContract):
    def make(self):
        return BatchingEncoder(HashingEncoder(256))


class Gated:
    """An encoder whose forwards wait until they are let go; it refuses the word `bad`."""

    def __init__(self) -> None:
        self.inner = HashingEncoder(64)
        self.space = self.inner.space
        self.begun, self.gate = threading.Semaphore(0), threading.Semaphore(0)
        self.batches: list[list[str]] = []

    def encode(self, sentences):
        self.batches.append(list(sentences))
        self.begun.release()
        assert self.gate.acquire(timeout=10)
        if "bad" in sentences:
            raise EncodingError("bad is refused")
        return self.inner.encode(sentences)


def call_all(encoder, calls):
    """Threads that encode, one for each call, begun in order; and what came of them."""
    found = {}

    def one(sentences):
        try:
            found[tuple(sentences)] = encoder.encode(sentences)
        except EncodingError as error:
            found[tuple(sentences)] = error

    threads = []
    for sentences in calls:
        threads.append(threading.Thread(target=one, args=(sentences,)))
        before = encoder.calls
        threads[-1].start()
        while encoder.calls == before:
            threading.Event().wait(0.001)
    return threads, found


def finish(threads):
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_calls_that_come_while_the_encoder_is_busy_share_a_forward():
    gated = Gated()
    encoder = BatchingEncoder(gated)
    threads, found = call_all(encoder, [["first"], ["second", "third"], ["fourth"]])
    gated.gate.release(2)
    finish(threads)
    assert gated.batches == [["first"], ["second", "third", "fourth"]]
    assert (encoder.calls, encoder.forwards) == (3, 2)
    for sentences, vectors in found.items():
        assert np.array_equal(vectors, gated.inner.encode(sentences))


def test_a_call_alone_waits_for_nobody():
    gated = Gated()
    gated.gate.release(1)
    BatchingEncoder(gated).encode(["alone"])
    assert gated.batches == [["alone"]]


def test_a_batch_is_bounded_and_a_large_call_goes_by_itself():
    gated = Gated()
    large = [f"large {number}" for number in range(MOST + 5)]
    calls = [["first"], *[[f"word {number}"] for number in range(MOST)], ["more"], large]
    threads, _ = call_all(BatchingEncoder(gated), calls)
    gated.gate.release(4)
    finish(threads)
    assert [len(batch) for batch in gated.batches] == [1, MOST, 1, MOST + 5]


def test_a_sentence_that_fails_fails_its_own_call_alone():
    gated = Gated()
    threads, found = call_all(BatchingEncoder(gated), [["first"], ["good"], ["bad"], ["fine"]])
    gated.gate.release(10)
    finish(threads)
    assert isinstance(found["bad",], EncodingError)
    assert all(isinstance(found[name,], np.ndarray) for name in ("first", "good", "fine"))


def test_after_a_failure_the_encoder_goes_on():
    gated = Gated()
    gated.gate.release(2)
    encoder = BatchingEncoder(gated)
    with pytest.raises(EncodingError, match="bad is refused"):
        encoder.encode(["bad"])
    assert encoder.encode(["good"]).shape == (1, 64)
