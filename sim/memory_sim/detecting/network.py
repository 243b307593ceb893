"""The network: what each pixel shows and where the middle of its thing is; then the thing's name.

`Segmenter` is an encoder and decoder with two outputs after Panoptic-DeepLab (Cheng et al. 2020):
classes of pixels, heat at the middles of things, and the way from each pixel to its middle. Depth
is given as inverse depth and as height above the floor (after Gupta et al. 2014). Plain 3 x 3
convolutions are used: at these widths they take no longer than separable ones on a processor.

`Namer` looks at one small thing at a time, in a square as wide as `WINDOW_M` at its depth, so that
near and far things are of one size (regions as in Fast R-CNN, Girshick 2015).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from memory_core.errors import EncodingError, NotInstalled
from memory_sim.detecting.classes import COLOUR_NAMES, FRONTS, FURNITURES, KINDS, PARTS

try:
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise NotInstalled.part("torch and safetensors", "perception") from error

CHANNELS = 6
"""Of a picture: red, green, blue, inverse depth, height above the floor, whether there is depth."""
WIDTHS = (24, 48, 96, 128)
"""Channels of features at a half, a quarter, an eighth and a sixteenth of the picture's size."""
PARTS_STRIDE, FURNITURE_STRIDE = 2, 4
"""Pixels of the picture to one of the output."""
GROUPS = 3
"""Middles are told apart by what they are of: things, handles, fronts."""
WINDOW_M = 0.4
WINDOW_PIXELS = 48
LOOK_CHANNELS = 5
"""Of a thing's window: red, green, blue, depth from the thing's own, and its mask."""
WEIGHTS = "home.safetensors"

_VOCABULARY = {
    "furniture": ",".join(FURNITURES),
    "parts": ",".join(PARTS),
    "kinds": ",".join(KINDS),
    "colours": ",".join(COLOUR_NAMES),
}


def _convolution(inputs: int, outputs: int, *, stride: int = 1, spread: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, spread, spread, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class _Residual(nn.Module):  # type: ignore[misc]
    """A convolution whose result is added to what came in (He et al. 2016)."""

    def __init__(self, width: int, *, spread: int = 1) -> None:
        super().__init__()
        self.change = _convolution(width, width, spread=spread)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.change(features)


@dataclass(frozen=True, slots=True)
class Told:
    """What the segmenter says of pictures, each of shape (n, channels, rows, columns).

    Attributes:
        parts: Scores of `PARTS`, before softmax, at half size.
        part_heat: High at middles of things, handles and fronts, at half size.
        part_way: Rows and columns to the middle, in tens of output pixels, at half size.
        furniture: Scores of `FURNITURES`, before softmax, at quarter size.
        furniture_heat: High at middles of furniture, at quarter size.
        furniture_way: As `part_way`, at quarter size.
    """

    parts: torch.Tensor
    part_heat: torch.Tensor
    part_way: torch.Tensor
    furniture: torch.Tensor
    furniture_heat: torch.Tensor
    furniture_way: torch.Tensor


class Segmenter(nn.Module):  # type: ignore[misc]
    """Says of each pixel what it shows, and where the middle of that is."""

    def __init__(self) -> None:
        """Draw weights from torch's generator."""
        super().__init__()
        half, quarter, eighth, sixteenth = WIDTHS
        self.encode_half = nn.Sequential(_convolution(CHANNELS, half, stride=2), _Residual(half))
        self.encode_quarter = nn.Sequential(
            _convolution(half, quarter, stride=2), _Residual(quarter)
        )
        self.encode_eighth = nn.Sequential(
            _convolution(quarter, eighth, stride=2), _Residual(eighth), _Residual(eighth)
        )
        self.encode_sixteenth = nn.Sequential(
            _convolution(eighth, sixteenth, stride=2),
            _Residual(sixteenth), _Residual(sixteenth, spread=2), _Residual(sixteenth, spread=4),
        )  # fmt: skip
        self.whole = nn.Linear(sixteenth, sixteenth)
        self.to_eighth = nn.Conv2d(sixteenth, eighth, 1)
        self.to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.to_half = nn.Conv2d(quarter, half, 1)
        self.at_eighth, self.at_quarter = _Residual(eighth), _Residual(quarter)
        self.at_half = nn.Sequential(_Residual(half), _Residual(half))
        self.tell_parts = nn.Conv2d(half, len(PARTS) + GROUPS + 2, 1)
        self.tell_furniture = nn.Sequential(
            _Residual(quarter), nn.Conv2d(quarter, len(FURNITURES) + 1 + 2, 1)
        )

    def forward(self, pictures: torch.Tensor) -> Told:
        """Look at pictures.

        Args:
            pictures: Shape (n, `CHANNELS`, h, w), as `pictures.channels` makes them.
        """
        half = self.encode_half(pictures)
        quarter = self.encode_quarter(half)
        eighth = self.encode_eighth(quarter)
        deep = self.encode_sixteenth(eighth)
        deep = deep + self.whole(deep.mean((2, 3)))[:, :, None, None]
        eighth = self.at_eighth(eighth + _as_large(self.to_eighth(deep), eighth))
        quarter = self.at_quarter(quarter + _as_large(self.to_quarter(eighth), quarter))
        half = self.at_half(half + _as_large(self.to_half(quarter), half))
        parts = self.tell_parts(half).split([len(PARTS), GROUPS, 2], dim=1)
        furniture = self.tell_furniture(quarter).split([len(FURNITURES), 1, 2], dim=1)
        return Told(*parts, *furniture)


def _as_large(features: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(features, size=other.shape[2:], mode="nearest")


class Namer(nn.Module):  # type: ignore[misc]
    """Names the kind and the colour of a small thing, or says that it is none."""

    def __init__(self) -> None:
        """Draw weights from torch's generator."""
        super().__init__()
        self.look = nn.Sequential(
            _convolution(LOOK_CHANNELS, 32, stride=2), _Residual(32),
            _convolution(32, 64, stride=2), _Residual(64),
            _convolution(64, 128, stride=2), _Residual(128), _Residual(128),
        )  # fmt: skip
        self.kind = nn.Linear(256, len(KINDS) + 1)
        self.colour = nn.Linear(256, len(COLOUR_NAMES))

    def forward(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Look at things.

        Args:
            windows: Shape (n, `LOOK_CHANNELS`, `WINDOW_PIXELS`, `WINDOW_PIXELS`).

        Returns:
            Scores before softmax of `KINDS` and then of none, shape (n, kinds + 1), and of
            `COLOUR_NAMES`, shape (n, colours).
        """
        seen = self.look(windows)
        features = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], dim=1)
        return self.kind(features), self.colour(features)


@dataclass(frozen=True, slots=True)
class Network:
    """Both parts together."""

    segmenter: Segmenter
    namer: Namer


def save(network: Network, path: Path, *, about: Mapping[str, str]) -> None:
    """Write a network's weights as float16.

    Args:
        network: Whose.
        path: `.safetensors`; written whole or not at all.
        about: How it was made, kept with the weights.
    """
    weights = {
        f"{part}.{name}": value.half().contiguous() if value.is_floating_point() else value
        for part in ("segmenter", "namer")
        for name, value in getattr(network, part).state_dict().items()
    }
    unfinished = path.with_suffix(".part")
    # one entry: several are written in no particular order, and the same weights are the same file
    save_file(weights, unfinished, metadata={"about": json.dumps({**_VOCABULARY, **about})})
    unfinished.replace(path)


def load(path: Path | None = None) -> Network:
    """A network, ready to look.

    Args:
        path: What `save` wrote; None takes the weights that come with this package.

    Raises:
        EncodingError: They cannot be read, or are of a network with other words.
    """
    if path is None:
        with as_file(files("memory_sim.detecting") / "weights" / WEIGHTS) as kept:
            return load(kept)
    weights: dict[str, dict[str, Any]] = {"segmenter": {}, "namer": {}}
    try:
        with safe_open(path, "pt") as kept:
            told = json.loads((kept.metadata() or {}).get("about", "{}"))
            for name in kept.keys():  # noqa: SIM118 - no mapping
                part, _, rest = name.partition(".")
                weights[part][rest] = kept.get_tensor(name)
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise EncodingError(f"no detector's weights can be read from {path}: {error}") from error
    if {key: told.get(key) for key in _VOCABULARY} != _VOCABULARY:
        raise EncodingError(
            f"{path} is of a network with other words than this version's; train it anew with "
            "robot-memory train detector"
        )
    network = Network(Segmenter(), Namer())
    try:
        network.segmenter.load_state_dict(weights["segmenter"])
        network.namer.load_state_dict(weights["namer"])
    except RuntimeError as error:
        raise EncodingError(f"{path} is of a network of another build: {error}") from error
    for part in (network.segmenter, network.namer):
        part.to(memory_format=torch.channels_last).eval()
    return network


def group_of(part: int) -> int:
    """Which heat tells the middles of a class of `PARTS`: 0 things, 1 handles, 2 fronts."""
    return min(part - 1, GROUPS - 1)


assert len(FRONTS) == len(PARTS) - GROUPS  # nothing, things and handles come first
