"""Open-vocabulary detection with a pretrained model: OWLv2 or Grounding DINO through transformers.

OWLv2: Minderer et al. 2023; Grounding DINO: Liu et al. 2023. Both give boxes; the mask is what in
a box lies at the depth of its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from memory_core.errors import EncodingError, NotInstalled
from memory_core.types import BoolArray, FloatArray
from memory_sim.worlds.home.camera import Frame
from memory_sim.worlds.home.detectors import Detection

EDGE_M = 0.03
"""A surface is this much deeper than half the box is wide, at most."""


class TransformersDetector:
    """Finds what it is told the names of."""

    def __init__(self, path_or_name: str, labels: Sequence[str], *, threshold: float = 0.2) -> None:
        """Load a model.

        Args:
            path_or_name: Folder of a checkpoint, or its name on the Hugging Face hub.
            labels: What to look for, in words. OWLv2 reads 16 tokens of each, Grounding DINO 256 of
                all of them together; what is longer is cut off.
            threshold: Boxes less sure than this are left out.

        Raises:
            NotInstalled: torch or transformers is missing.
            EncodingError: The checkpoint cannot be loaded, or there are no labels.
        """
        try:
            import torch
            from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor
        except ImportError as error:
            raise NotInstalled.part("transformers", "perception") from error
        if not labels:
            raise EncodingError("an open-vocabulary detector needs at least one label")
        self._torch: Any = torch
        self._labels = list(labels)
        self._threshold = threshold
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._processor = AutoProcessor.from_pretrained(path_or_name, trust_remote_code=False)
            model = AutoModelForZeroShotObjectDetection.from_pretrained(
                path_or_name, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise EncodingError(
                f"no detector can be loaded from {path_or_name}: {error}"
            ) from error
        self._model = model.to(self._device).eval()

    def __call__(self, frame: Frame) -> list[Detection]:
        """The things in a picture, most certain first."""
        inputs = self._processor(
            images=frame.image,
            text=[self._labels],
            return_tensors="pt",
            padding=True,
            truncation=True,
        )
        with self._torch.inference_mode():
            outputs = self._model(**inputs.to(self._device))
        found = self._processor.post_process_grounded_object_detection(
            outputs, threshold=self._threshold, target_sizes=[frame.depth_m.shape],
            text_labels=[self._labels],
        )[0]  # fmt: skip
        detections = []
        for box, label, score in zip(
            found["boxes"].tolist(), found["text_labels"], found["scores"].tolist(), strict=True
        ):
            mask = mask_in_box(frame.depth_m, box, focal=frame.intrinsics.fx)
            if label in self._labels and mask.any():
                detections.append(Detection(label, mask, float(score)))
        return sorted(detections, key=lambda detection: -detection.score)


def mask_in_box(depth_m: FloatArray, box: Sequence[float], *, focal: float) -> BoolArray:
    """What in a box hangs together in depth with the surface at its middle.

    Args:
        depth_m: Shape (h, w), metres, 0 unknown.
        box: Left, top, right and bottom edge, pixels.
        focal: Of the camera, pixels.

    Returns:
        Shape (h, w); empty where the box holds no depth.
    """
    mask = np.zeros(depth_m.shape, dtype=bool)
    height, width = depth_m.shape
    left, top = (max(0, int(edge)) for edge in box[:2])
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    inside = depth_m[top:bottom, left:right]
    if not np.any(inside > 0):
        return mask
    rows, columns = inside.shape
    middle = inside[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    middle = middle[middle > 0] if np.any(middle > 0) else inside[inside > 0]
    surface = float(np.median(middle))
    reach = EDGE_M + min(rows, columns) / 2 * surface / focal
    near = (inside > 0) & (np.abs(inside - surface) < reach)
    regions, count = ndimage.label(near)
    if count:
        sizes = ndimage.sum_labels(near, regions, range(1, count + 1))
        mask[top:bottom, left:right] = regions == 1 + int(np.argmax(sizes))
    return mask
