"""Visual place recognition from pixels alone, without learnt weights.

A frame is described by at most 500 RootSIFT features (Lowe 2004; Arandjelović & Zisserman 2012)
and by one unit vector: its tf-idf histogram over a vocabulary trained on the recording itself
(Sivic & Zisserman 2003), mean removed. A query is recognised in three steps: a shortlist by
cosine; matching against the shortlist's features, whose points in the world come from stored
depth and poses, all pooled into one perspective-n-point problem; a second round with the stored
frames nearest to the pose found. The answer is the stored frame nearest to that pose. Where no
depth was stored, or too few features agree, the shortlist is ranked by epipolar inliers.

What streams in has no recording to train on. `place_vector` makes a vector that needs none, the
same in every memory: the sum over a picture's features of a Gaussian kernel's random Fourier
features (Rahimi & Recht 2007), so that two pictures are alike where many of their features are
(efficient match kernels, Bo & Sminchisescu 2009), with signed square roots against bursts
(Jégou & Chum 2012). `agreement` compares two pictures feature by feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from memory_core.errors import EmptyMemory, NotInstalled
from memory_core.types import PLACE_SPACE, BoolArray, EmbeddingSpace, FloatArray, IntArray

if TYPE_CHECKING:
    from memory_core.perception.camera import Intrinsics

MAX_FEATURES = 500
WORDS = 1024
SHORTLIST = 20
SECOND_ROUND = 10
RATIO = 0.85
PNP_PIXELS = 10.0
MIN_INLIERS = 12
SURE_INLIERS = 50
_CONTRAST = 0.01
_TRAINING_FEATURES = 40_000
_SCALE = 512.0
_DEPTH_M = (0.2, 10.0)

PLACE_VECTORS = EmbeddingSpace("rootsift-fourier", "1", 256)
"""What `place_vector` makes."""
PLACE_SIDE = 320
"""Pictures are described no larger than this, pixels along the longer side."""
_KERNEL_WIDTH = 0.2
"""Standard deviation of the kernel between two RootSIFT vectors, which are of unit length."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two pictures show the same from the same side.

    Attributes:
        features: How many features agree on one epipolar geometry.
        scale: How much larger the first shows what both show; 1 where it was taken from as near.
    """

    features: int
    scale: float


@dataclass(frozen=True, slots=True)
class Features:
    """Local features of one frame.

    Attributes:
        pixels: Positions (u, v), shape (n, 2), float32.
        descriptors: RootSIFT times 512, shape (n, 128), uint8.
    """

    pixels: FloatArray
    descriptors: Any


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise NotInstalled.part("opencv-python-headless", "perception") from error
    return cv2


def describe(image: FloatArray) -> Features:
    """The strongest features of a picture.

    Args:
        image: Shape (h, w, 3) RGB or (h, w) grey, uint8.

    Returns:
        At most 500 features; none in a picture without texture.
    """
    cv2 = _cv2()
    grey = image if image.ndim == 2 else cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT_create(nfeatures=MAX_FEATURES, contrastThreshold=_CONTRAST)
    points, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None or not points:
        return _none()
    pixels = np.array([point.pt for point in points[:MAX_FEATURES]], np.float32)
    rows = descriptors[:MAX_FEATURES].astype(np.float32)
    rows /= np.maximum(rows.sum(axis=1, keepdims=True), 1e-6)
    return Features(pixels, np.clip(np.sqrt(rows) * _SCALE + 0.5, 0, 255).astype(np.uint8))


def lift(features: Features, depth_m: FloatArray, intrinsics: Intrinsics) -> FloatArray:
    """Points of features in the camera's optical frame.

    Args:
        features: n features.
        depth_m: Shape (h, w), metres; 0 is no reading.
        intrinsics: The camera.

    Returns:
        Shape (n, 3), metres; NaN where there is no depth between 0.2 and 10 m.
    """
    height, width = depth_m.shape
    places = np.clip(np.rint(features.pixels).astype(int), 0, [width - 1, height - 1])
    depth = depth_m[places[:, 1], places[:, 0]].astype(np.float64)
    depth = np.where((depth > _DEPTH_M[0]) & (depth < _DEPTH_M[1]), depth, np.nan)
    return np.asarray(intrinsics.rays(features.pixels) * depth[:, None])


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Visual words: centres (w, 128), inverse document frequencies (w,), mean vector (w,)."""

    centres: FloatArray
    idf: FloatArray
    mean: FloatArray

    def counts(self, features: Features) -> FloatArray:
        """How often each word occurs in a frame, shape (w,)."""
        rows = features.descriptors.astype(np.float32) / _SCALE
        half = 0.5 * (self.centres**2).sum(axis=1)
        words = (rows @ self.centres.T - half).argmax(axis=1) if len(rows) else []
        return np.bincount(words, minlength=len(self.centres)).astype(np.float32)

    def encode(self, features: Features) -> FloatArray:
        """The place vector of a frame, unit length, shape (w,); zero without features."""
        if not len(features.descriptors):
            return np.zeros(len(self.idf), np.float32)
        vector = _unit(np.sqrt(self.counts(features)) * self.idf) - self.mean
        return np.asarray(_unit(vector), np.float32)


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def train_vocabulary(
    frames: Sequence[Features], *, words: int = WORDS, seed: int = 0
) -> Vocabulary:
    """Cluster the features of a recording into words; poses and order play no part.

    Args:
        frames: Frames spread over the recording.
        words: How many words; fewer where there are fewer features.
        seed: Of the sample and the clustering.

    Raises:
        EmptyMemory: No frame has a feature.
        NotInstalled: scikit-learn is missing.
    """
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise NotInstalled.part("scikit-learn", "perception") from error
    random = np.random.default_rng(seed)
    each = max(1, _TRAINING_FEATURES // max(1, len(frames)))
    parts = [f.descriptors[random.permutation(len(f.descriptors))[:each]] for f in frames]
    sample = np.concatenate(parts).astype(np.float32) / _SCALE if parts else np.empty((0, 128))
    if not len(sample):
        raise EmptyMemory("no picture has features to learn places from")
    count = min(words, len(sample))
    clusters = KMeans(count, init="random", n_init=1, max_iter=10, random_state=seed).fit(sample)
    centres = np.asarray(clusters.cluster_centers_, np.float32)
    plain = Vocabulary(centres, np.ones(count, np.float32), np.zeros(count, np.float32))
    counts = np.stack([plain.counts(frame) for frame in frames])
    idf = np.log((1 + len(frames)) / (1 + (counts > 0).sum(axis=0))).astype(np.float32) + 0.01
    vectors = np.stack([_unit(np.sqrt(row) * idf) for row in counts])
    return Vocabulary(centres, idf, np.asarray(vectors.mean(axis=0), np.float32))


@cache
def _waves() -> tuple[FloatArray, FloatArray]:
    """Frequencies, shape (128, d), and phases, shape (d,): drawn once, the same everywhere."""
    random = np.random.default_rng(0)
    dimension = PLACE_VECTORS.dimension
    frequencies = random.standard_normal((128, dimension)) / _KERNEL_WIDTH
    return frequencies.astype(np.float32), random.uniform(0, 2 * np.pi, dimension).astype(
        np.float32
    )


def describe_small(image: FloatArray) -> Features:
    """The strongest features of a picture whose longer side is made 320 pixels at most.

    Args:
        image: Shape (h, w, 3) RGB or (h, w) grey, uint8.
    """
    image = np.asarray(image)
    if not image.size:
        return _none()
    height, width = image.shape[:2]
    share = PLACE_SIDE / max(height, width)
    if share < 1:
        size = max(1, round(width * share)), max(1, round(height * share))
        image = _cv2().resize(image, size, interpolation=_cv2().INTER_AREA)
    return describe(image)


def _none() -> Features:
    """The features of a picture without texture."""
    return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))


def place_vector(features: Features) -> FloatArray | None:
    """The place vector of a picture, comparable with that of any other.

    Args:
        features: Of the picture, as `describe_small` finds them.

    Returns:
        Unit length, shape (256,), float32; None for a picture without texture.
    """
    if not len(features.descriptors):
        return None
    frequencies, phases = _waves()
    rows = features.descriptors.astype(np.float32) / _SCALE
    summed = np.cos(rows @ frequencies + phases).sum(axis=0)
    return _unit(np.sign(summed) * np.sqrt(np.abs(summed))).astype(np.float32)


def place_embedding(image: FloatArray) -> dict[str, FloatArray]:
    """The place vector of a picture as an observation carries it; empty without texture."""
    vector = place_vector(describe_small(image))
    return {} if vector is None else {PLACE_SPACE: vector}


def agreement(first: Features, second: Features) -> Agreement:
    """Compare two pictures feature by feature; neither needs depth or a pose."""
    mine, theirs = match(first, second)
    here, there = first.pixels[mine], second.pixels[theirs]
    agreeing = epipolar_mask(here, there)
    here, there = here[agreeing], there[agreeing]
    if len(here) < 2:
        return Agreement(len(here), 1.0)
    spreads = [np.linalg.norm(p - np.median(p, axis=0), axis=1).mean() for p in (here, there)]
    return Agreement(len(here), float(spreads[0] / max(spreads[1], 1e-6)))


def match(first: Features, second: Features, *, ratio: float = RATIO) -> tuple[IntArray, IntArray]:
    """Mutual nearest neighbours that pass Lowe's ratio test: indices into both frames."""
    if len(first.descriptors) < 2 or len(second.descriptors) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    a = first.descriptors.astype(np.float32)
    b = second.descriptors.astype(np.float32)
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * (a @ b.T)
    rows = np.arange(len(a))
    nearest = squares.argmin(axis=1)
    best = squares[rows, nearest]
    mutual = squares.argmin(axis=0)[nearest] == rows
    squares[rows, nearest] = np.inf
    chosen = np.flatnonzero(mutual & (best < ratio**2 * squares.min(axis=1)))
    return chosen, nearest[chosen]


def epipolar_mask(query: FloatArray, stored: FloatArray) -> BoolArray:
    """Which matches agree on one fundamental matrix (MAGSAC++, Barath et al. 2020).

    Args:
        query: Positions in one picture, shape (n, 2), pixels.
        stored: The same features in the other, shape (n, 2).

    Returns:
        Shape (n,); none of fewer than 8.
    """
    cv2 = _cv2()
    if len(query) < 8:
        return np.zeros(len(query), bool)
    cv2.setRNGSeed(0)
    _, mask = cv2.findFundamentalMat(stored, query, cv2.USAC_MAGSAC, 2.0, 0.999, 1000)
    return np.zeros(len(query), bool) if mask is None else mask.ravel().astype(bool)


def epipolar_inliers(query: FloatArray, stored: FloatArray) -> int:
    """How many matches agree on one fundamental matrix; see `epipolar_mask`."""
    return int(epipolar_mask(query, stored).sum())


def solve_pose(
    points: FloatArray, pixels: FloatArray, intrinsics: Intrinsics
) -> tuple[FloatArray | None, int]:
    """The camera's pose from points in the world and where they appear.

    Args:
        points: Shape (n, 3), metres.
        pixels: Shape (n, 2).
        intrinsics: The camera.

    Returns:
        Camera-to-world, shape (4, 4) (optical frame), and how many distinct pixels agree;
        (None, 0) without one.
    """
    cv2 = _cv2()
    if len(points) < 6:
        return None, 0
    settings = cv2.UsacParams()
    settings.threshold, settings.confidence, settings.maxIterations = PNP_PIXELS, 0.999, 2000
    settings.score, settings.sampler = cv2.SCORE_METHOD_MSAC, cv2.SAMPLING_UNIFORM
    settings.loMethod, settings.loIterations = cv2.LOCAL_OPTIM_INNER_LO, 10
    settings.loSampleSize, settings.randomGeneratorState, settings.isParallel = 20, 0, False
    camera = np.array(
        [[intrinsics.fx, 0, intrinsics.cx], [0, intrinsics.fy, intrinsics.cy], [0, 0, 1.0]]
    )
    origin = points.mean(axis=0)  # keeps numbers small far from the map's origin
    try:
        found, _, rotation, translation, inliers = cv2.solvePnPRansac(
            (points - origin).astype(np.float64)[:, None], pixels.astype(np.float64)[:, None],
            camera, np.zeros(4), params=settings,
        )  # fmt: skip
    except cv2.error:
        return None, 0
    if not found or inliers is None or not np.isfinite([rotation, translation]).all():
        return None, 0
    turn = cv2.Rodrigues(rotation)[0]
    pose = np.eye(4)
    pose[:3, :3] = turn.T
    pose[:3, 3] = -(turn.T @ translation).ravel() + origin
    return pose, len(np.unique(pixels[inliers.ravel()], axis=0))


def nearness(poses: FloatArray, pose: FloatArray) -> FloatArray:
    """How far stored poses are from one: 0.5 m weighs like 30 degrees, the worse counts most.

    Args:
        poses: Shape (n, 4, 4).
        pose: Shape (4, 4).

    Returns:
        Shape (n,); below 1 is the same place.
    """
    apart = np.linalg.norm(poses[:, :3, 3] - pose[:3, 3], axis=1) / 0.5
    traces = np.einsum("nab,ab->n", poses[:, :3, :3], pose[:3, :3])
    turned = np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1))) / 30
    return np.asarray(np.maximum(apart, turned) + 0.1 * (apart + turned))


@dataclass(frozen=True, slots=True)
class Recognition:
    """Where a picture was taken.

    Attributes:
        frame: Index of the stored frame that is nearest; -1 where nothing is alike.
        pose: The query camera's pose in the map (optical frame, 4x4); None without geometry.
        inliers: Features that agree.
        sure: At least 50 features agree on the pose.
    """

    frame: int
    pose: FloatArray | None
    inliers: int
    sure: bool


class VisualPlaces:
    """Stored frames that pictures are recognised against."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: Sequence[Features],
        points: Sequence[FloatArray | None],
        poses: FloatArray,
        intrinsics: Intrinsics | None,
    ) -> None:
        """Take over frames.

        Args:
            vocabulary: Trained on (some of) them.
            features: Their features, n frames.
            points: For each frame its features' points in the map, (k, 3), NaN where unknown;
                None without depth.
            poses: Camera-to-map (optical frames), shape (n, 4, 4).
            intrinsics: The querying camera; None rules out poses.
        """
        self.vocabulary = vocabulary
        self._features = list(features)
        self._points = list(points)
        self._poses = np.asarray(poses, np.float64)
        self._intrinsics = intrinsics
        self.vectors = np.stack([vocabulary.encode(f) for f in features]).astype(np.float16)
        self._vectors = self.vectors.astype(np.float32)

    def shortlist(self, query: Features, allowed: BoolArray, k: int = SHORTLIST) -> IntArray:
        """Allowed frames nearest by place vector, best first."""
        scores = np.where(allowed, self._vectors @ self.vocabulary.encode(query), -np.inf)
        order = np.argsort(-scores, kind="stable")[:k]
        return order[np.isfinite(scores[order])]

    def recognise(self, query: Features, *, allowed: BoolArray | None = None) -> Recognition:
        """Find the stored frame from nearest to where a picture was taken.

        Args:
            query: Features of the picture; nothing else is used.
            allowed: Which stored frames may be returned, shape (n,); None for all.
        """
        if allowed is None:
            allowed = np.ones(len(self._features), bool)
        matches = {
            int(frame): match(query, self._features[frame])
            for frame in self.shortlist(query, allowed)
        }
        pose, inliers = self._pooled_pose(query, matches)
        if pose is not None:
            cost = np.where(allowed, nearness(self._poses, pose), np.inf)
            near = np.argsort(cost, kind="stable")[:SECOND_ROUND]
            fresh = [int(f) for f in near if allowed[f] and int(f) not in matches]
            if fresh:
                matches.update({frame: match(query, self._features[frame]) for frame in fresh})
                again, agreed = self._pooled_pose(query, matches)
                if agreed > inliers:
                    pose, inliers = again, agreed
        if pose is not None and inliers >= MIN_INLIERS:
            cost = np.where(allowed, nearness(self._poses, pose), np.inf)
            return Recognition(int(cost.argmin()), pose, inliers, inliers >= SURE_INLIERS)
        return self._by_epipolar(query, matches)

    def _pooled_pose(
        self, query: Features, matches: Mapping[int, tuple[IntArray, IntArray]]
    ) -> tuple[FloatArray | None, int]:
        points, pixels = [], []
        for frame, (mine, theirs) in matches.items():
            world = self._points[frame]
            if world is None:
                continue
            found = world[theirs]
            known = np.isfinite(found[:, 0])
            points.append(found[known])
            pixels.append(query.pixels[mine[known]])
        if not points or self._intrinsics is None:
            return None, 0
        return solve_pose(np.concatenate(points), np.concatenate(pixels), self._intrinsics)

    def _by_epipolar(
        self, query: Features, matches: Mapping[int, tuple[IntArray, IntArray]]
    ) -> Recognition:
        best, most = -1, -1
        for frame, (mine, theirs) in matches.items():
            agreed = epipolar_inliers(query.pixels[mine], self._features[frame].pixels[theirs])
            if agreed > most:
                best, most = frame, agreed
        return Recognition(best, None, max(0, most), sure=False)
