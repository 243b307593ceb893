"""Nearest vectors on a GPU (faiss-gpu), float16, and the step back to the CPU when it fails.

The vectors lie on the GPU as one float16 matrix. A filter gathers the passing rows there and
FAISS's brute-force search (`knn_gpu`, Johnson et al. 2019) ranks them: exact under every
filter, removal is a mask, and 10 million vectors of 384 numbers are 7.7 GB.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np

from memory_core.episodic.vectors import CpuIndex, Hits, VectorIndex, places_of
from memory_core.errors import DimensionMismatch, NotInstalled
from memory_core.types import FloatArray, IntArray

_log = logging.getLogger(__name__)

MAX_GPU_K = 2_048  # FAISS selects no more neighbours than this on a GPU


def gpu_available() -> bool:
    """Whether faiss was built for GPUs and sees one, and torch does too."""
    try:
        import faiss
    except ImportError:
        return False
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() < 1:
        return False
    try:
        import torch  # slow to load: only where faiss has a GPU
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


class FaissGpuIndex:
    """`VectorIndex` on one GPU."""

    def __init__(self, dimension: int, *, device: int = 0) -> None:
        """Reserve the GPU's resources.

        Args:
            dimension: Length of the vectors.
            device: Which GPU.

        Raises:
            NotInstalled: There is no GPU, or faiss has no GPU part.
        """
        if not gpu_available():
            raise NotInstalled(
                "no GPU is usable by faiss; on a machine with one: pip install 'robot-memory[gpu]' "
                "(the extras cpu and gpu exclude each other: both install faiss)"
            )
        import faiss
        import faiss.contrib.torch_utils
        import torch

        self._faiss: Any = faiss
        self._torch: Any = torch
        self._resources = faiss.StandardGpuResources()
        self._device = torch.device("cuda", device)
        self._dimension = dimension
        self._lock = threading.Lock()
        self._rowids = np.empty(0, np.int64)
        self._dead = np.empty(0, bool)
        self._matrix = torch.empty((0, dimension), dtype=torch.float16, device=self._device)

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        return self._dimension

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return int(len(self._rowids) - np.count_nonzero(self._dead))

    def add(self, rowids: IntArray, vectors: FloatArray) -> None:
        """See `VectorIndex.add`."""
        if np.ndim(vectors) != 2 or np.shape(vectors)[1] != self._dimension:
            raise DimensionMismatch(
                f"vectors have shape {np.shape(vectors)}; expected (n, {self._dimension})"
            )
        torch = self._torch
        with self._lock:
            size, count = len(self._rowids), len(rowids)
            if size + count > len(self._matrix):
                capacity = max(65_536, (size + count) * 5 // 4)
                larger = torch.empty(
                    (capacity, self._dimension), dtype=torch.float16, device=self._device
                )
                larger[:size] = self._matrix[:size]
                self._matrix = larger
            block = torch.from_numpy(np.ascontiguousarray(vectors, np.float16))
            self._matrix[size : size + count] = block.to(self._device)
            self._rowids = np.concatenate([self._rowids, np.asarray(rowids, np.int64)])
            self._dead = np.concatenate([self._dead, np.zeros(count, bool)])

    def remove(self, rowids: IntArray) -> None:
        """See `VectorIndex.remove`."""
        with self._lock:
            self._dead = self._dead | np.isin(self._rowids, rowids)

    def search(
        self,
        query: FloatArray,
        k: int,
        *,
        allowed: IntArray | None = None,
        probe: int | None = None,
    ) -> Hits:
        """See `VectorIndex.search`; every vector is compared."""
        query = np.ascontiguousarray(query, np.float32)
        if query.shape != (self._dimension,):
            raise DimensionMismatch(f"query has shape {query.shape}; expected ({self._dimension},)")
        query = query / max(float(np.linalg.norm(query)), 1e-12)
        torch = self._torch
        with self._lock:
            places = places_of(self._rowids, allowed)
            places = np.flatnonzero(~self._dead) if places is None else places[~self._dead[places]]
            if not len(places):
                return Hits(np.empty(0, np.int64), np.empty(0, np.float32))
            whole = len(places) == len(self._rowids)
            matrix = self._matrix[: len(self._rowids)]
            if not whole:
                matrix = matrix[torch.from_numpy(places).to(self._device)]
            half = torch.from_numpy(query[None]).to(self._device, torch.float16)
            _, found = self._faiss.knn_gpu(
                self._resources, half, matrix, min(k, len(places)),
                metric=self._faiss.METRIC_INNER_PRODUCT,
            )  # fmt: skip
            rows = matrix[found[0]].to(torch.float32)
            scores = (rows @ torch.from_numpy(query).to(self._device)).cpu().numpy()
            chosen = places[found[0].cpu().numpy()]
        order = np.lexsort((chosen, -scores))
        return Hits(self._rowids[chosen[order]], scores[order])


class FallingBackIndex:
    """A GPU index with a CPU index behind it: the first failure moves everything over.

    The CPU index always holds the vectors (they are memory-mapped), so nothing is copied back
    from a GPU that no longer answers.
    """

    def __init__(self, fast: VectorIndex, safe: CpuIndex) -> None:
        """Join the two; `fast` takes over what `safe` holds already."""
        self._fast: VectorIndex | None = fast
        self.safe = safe
        self.failures = 0
        if len(safe.rowids):
            self._attempt("add", safe.rowids, safe.vectors)
        if len(safe.removed):
            self._attempt("remove", safe.removed)

    def _attempt(self, action: str, *arguments: Any, **options: Any) -> Any:
        if self._fast is None:
            return None
        try:
            return getattr(self._fast, action)(*arguments, **options)
        except DimensionMismatch:
            raise
        except Exception as error:  # drivers raise whatever they like; the CPU takes over
            self.failures += 1
            self._fast = None
            _log.warning(
                "GPU index failed (%s: %s); going on with the CPU", type(error).__name__, error
            )
            return None

    @property
    def on_gpu(self) -> bool:
        """Whether the GPU still answers."""
        return self._fast is not None

    @property
    def dimension(self) -> int:
        """See `VectorIndex`."""
        return self.safe.dimension

    def __len__(self) -> int:
        """See `VectorIndex`."""
        return len(self.safe)

    def add(self, rowids: IntArray, vectors: FloatArray) -> None:
        """See `VectorIndex.add`."""
        self.safe.add(rowids, vectors)
        self._attempt("add", rowids, vectors)

    def remove(self, rowids: IntArray) -> None:
        """See `VectorIndex.remove`."""
        self.safe.remove(rowids)
        self._attempt("remove", rowids)

    def search(
        self,
        query: FloatArray,
        k: int,
        *,
        allowed: IntArray | None = None,
        probe: int | None = None,
    ) -> Hits:
        """See `VectorIndex.search`."""
        hits = None
        if k <= MAX_GPU_K:
            hits = self._attempt("search", query, k, allowed=allowed, probe=probe)
        if hits is None:
            hits = self.safe.search(query, k, allowed=allowed, probe=probe)
        return hits
