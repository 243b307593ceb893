"""The way in: observations and queries are checked and given their vectors.

What passes is exactly what is stored; what does not is refused with a code, and counted by the
memory.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping

import numpy as np

from memory_core.episodic.rows import pack_vector
from memory_core.episodic.store import EpisodicStore
from memory_core.errors import (
    DimensionMismatch,
    InputRejected,
    InvalidImage,
    InvalidQuery,
    UnknownFrame,
)
from memory_core.perception.image import ImageEncoder
from memory_core.perception.keyframes import decode_image
from memory_core.perception.place import PLACE_VECTORS
from memory_core.perception.text import TextEncoder
from memory_core.types import IMAGE_SPACE, PLACE_SPACE, TEXT_SPACE, Observation, Query, Refusal
from memory_core.validation import check_observation

_log = logging.getLogger(__name__)

ENCODE_BATCH = 256


class Intake:
    """Checks and embeds for one store."""

    def __init__(
        self,
        store: EpisodicStore,
        *,
        encoder: TextEncoder | None,
        image_encoder: ImageEncoder | None,
    ) -> None:
        """Work for a store, with the encoders a memory was opened with."""
        self._store = store
        self._encoder = encoder
        self._image_encoder = image_encoder
        self._anchors = {(m, a) for m, a, _ in store.anchor_poses().values()}

    def knows_anchor(self, map_id: str, anchor_id: str) -> None:
        """An anchor was made: what is relative to it passes."""
        self._anchors.add((map_id, anchor_id))

    def prepare(
        self, observations: list[Observation], refused: list[Refusal] | None
    ) -> list[Observation]:
        """Check, then give every observation with words its text vector."""
        spaces = {name: space.dimension for name, space in self._store.spaces().items()}
        good = []
        for item in observations:
            try:
                self._check(item, spaces)
            except InputRejected as error:
                if refused is None:
                    raise
                refused.append(Refusal(str(item.id), error.code, str(error)))
                continue
            for name, vector in item.embeddings.items():
                spaces.setdefault(name, len(vector))
            good.append(item)
        if PLACE_SPACE in spaces and PLACE_SPACE not in self._store.spaces():
            self._store.ensure_space(PLACE_SPACE, PLACE_VECTORS)
        return self._embed_pictures(self._embed(good))

    def _embed_pictures(self, observations: list[Observation]) -> list[Observation]:
        """Give every observation with a picture its image vector, where there is an encoder."""
        encoder = self._image_encoder
        if encoder is None:
            return observations
        result, places, pictures = list(observations), [], []
        for place, item in enumerate(observations):
            if item.keyframe is None or IMAGE_SPACE in item.embeddings:
                continue
            try:
                pictures.append(decode_image(item.keyframe.jpeg))
            except InvalidImage as error:  # kept as it is: the bytes are what was recorded
                _log.warning("the picture of %s cannot be searched: %s", item.id, error)
                continue
            places.append(place)
        if not places:
            return result
        if IMAGE_SPACE not in self._store.spaces():
            self._store.ensure_space(IMAGE_SPACE, encoder.space)
        for place, vector in zip(places, encoder.encode_images(pictures), strict=True):
            embeddings = {**result[place].embeddings, IMAGE_SPACE: vector}
            result[place] = dataclasses.replace(result[place], embeddings=embeddings)
        return result

    def _check(self, item: Observation, spaces: Mapping[str, int]) -> None:
        check_observation(item)
        if (item.map_id, item.anchor_id) not in self._anchors and (
            self._store.anchor_number(item.map_id, item.anchor_id) is None
        ):
            raise UnknownFrame(
                f"anchor {item.anchor_id!r} of map {item.map_id!r} is unknown; add it first with "
                f"add_anchor (observation {item.id!r})"
            )
        self._anchors.add((item.map_id, item.anchor_id))
        for name, vector in item.embeddings.items():
            wanted = spaces.get(name)
            if name == TEXT_SPACE and wanted is None and self._encoder is not None:
                wanted = self._encoder.space.dimension
            elif name == PLACE_SPACE:
                wanted = PLACE_VECTORS.dimension
            if np.ndim(vector) != 1 or (wanted is not None and len(vector) != wanted):
                raise DimensionMismatch(
                    f"vector of space {name!r} has shape {np.shape(vector)}; expected "
                    f"({wanted or 'd'},) (observation {item.id!r})"
                )
            pack_vector(np.asarray(vector), wanted)  # refuses what is not finite, or zero
        for sighting in item.sightings:
            if sighting.embedding is not None:
                pack_vector(np.asarray(sighting.embedding))

    def _embed(self, observations: list[Observation]) -> list[Observation]:
        if self._encoder is None:
            return observations
        wanted = [
            (place, sentence)
            for place, item in enumerate(observations)
            if TEXT_SPACE not in item.embeddings and (sentence := describe(item))
        ]
        if not wanted:
            return observations
        if TEXT_SPACE not in self._store.spaces():
            self._store.ensure_space(TEXT_SPACE, self._encoder.space)
        result = list(observations)
        for start in range(0, len(wanted), ENCODE_BATCH):
            part = wanted[start : start + ENCODE_BATCH]
            vectors = self._encoder.encode([sentence for _, sentence in part])
            for (place, _), vector in zip(part, vectors, strict=True):
                item = result[place]
                result[place] = dataclasses.replace(
                    item, embeddings={**item.embeddings, TEXT_SPACE: vector}
                )
        return result

    def with_vectors(self, query: Query) -> Query:
        """A query with vectors made from its words, where it has none.

        Raises:
            InvalidQuery: A vector is of a space the memory does not have.
            DimensionMismatch: A vector does not fit its space.
        """
        spaces = self._store.spaces()
        for name, vector in query.vectors.items():
            if name not in spaces:
                known = ", ".join(spaces) or "none"
                raise InvalidQuery(f"there is no vector space {name!r}; known: {known}")
            if np.shape(vector) != (spaces[name].dimension,):
                raise DimensionMismatch(
                    f"query vector of space {name!r} has shape {np.shape(vector)}; expected "
                    f"({spaces[name].dimension},)"
                )
            pack_vector(np.asarray(vector))  # refuses what is not finite, or zero
        if not query.text or query.vectors:
            return query
        vectors = {
            name: encoder.encode([query.text])[0]
            for name, encoder in ((TEXT_SPACE, self._encoder), (IMAGE_SPACE, self._image_encoder))
            if encoder is not None and spaces.get(name) == encoder.space
        }
        return dataclasses.replace(query, vectors=vectors)


def describe(observation: Observation) -> str:
    """The sentence that stands for an observation in the text space; empty without words."""
    if observation.text:
        return observation.text
    labels = sorted({sighting.label for sighting in observation.sightings})
    return ", ".join(labels[:40])
