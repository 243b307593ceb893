"""Hierarchical chunk attention as a trainable layer (HCAM, Lampinen et al. 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

INVALID = -1e6
_MAX_TIMESCALE = 1e4
_TRUNCATED_STD = 0.87962566103423978
"""Standard deviation of a unit normal cut off at two: what VarianceScaling divides by."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerAttention:
    """What the layer gives back and where it looked.

    Attributes:
        output: Shape (batch, queries, features).
        chunks: Shape (batch, queries, k), numbers of the kept chunks, most relevant first.
        chunk_weights: Shape (batch, queries, k), sum 1; 0 for chunks that are not valid. With
            `joint`, shape (batch, queries, heads, k): every head weighs the chunks itself.
        inside: Shape (batch, queries, heads, k, chunk length), sum 1 in each valid chunk.
    """

    output: torch.Tensor
    chunks: torch.Tensor
    chunk_weights: torch.Tensor
    inside: torch.Tensor


def positions_from_end(valid: torch.Tensor, size: int) -> torch.Tensor:
    """Sinusoids of how many valid steps come after each step of its chunk.

    Args:
        valid: Shape (…, length), bool.
        size: Even number of features: half sines, half cosines.

    Returns:
        Shape (…, length, size), float64.
    """
    after = valid.flip(-1).cumsum(-1).flip(-1) - valid.long()
    rates = _MAX_TIMESCALE ** (
        -torch.arange(0, size, 2, dtype=torch.float64, device=valid.device) / size
    )
    angles = after[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class HierarchicalChunkAttention(nn.Module):  # type: ignore[misc]
    """Attends to whole chunks first, then inside the k most relevant ones.

    For a query q and chunks with contents x_ji and keys k_j, the mean of their contents:

        relevance_j = (W_q q) · (W_k stop_gradient(k_j)) / √features, not valid ones -1e6
        weight_j    = softmax over the k highest
        output      = Σ_j weight_j MultiHead(q, stop_gradient(x_j + positions))

    As in the authors' released code: the two coarse maps have one head and no bias; the inner ones
    have biases, heads of `features / heads` and a linear map of the result; sinusoids are added to
    the contents before keys *and* values are made of them, and count backwards from the end of the
    chunk; weights are drawn from a truncated normal of variance 2 / inputs. There, as here, no
    layer norm and no residual belongs to this layer: the block around it has them. W_k is trained;
    the gradient stops at the memory, before W_k.

    What differs: chunks may be partly filled (the mean, the positions and the softmax run over the
    valid steps only), k is cut to the number of chunks, a chunk that is not valid weighs exactly 0,
    and a query without any valid chunk gets 0 instead of the mean of what is not valid. `joint`
    is not in the paper.
    """

    def __init__(
        self,
        features: int,
        *,
        heads: int,
        top_chunks: int,
        query_size: int | None = None,
        memory_size: int | None = None,
        positions: bool = True,
        joint: bool = False,
    ) -> None:
        """Draw the weights.

        Args:
            features: Of the output; a multiple of `heads`.
            heads: Of the attention inside chunks.
            top_chunks: k.
            query_size: Features of queries; None for `features`.
            memory_size: Features of contents, even if `positions`; None for `features`.
            positions: Add sinusoids to the contents.
            joint: One softmax a head over the steps of all kept chunks instead of one in each, the
                coarse relevance only choosing; with every chunk kept this is full attention.

        Raises:
            ValueError: Sizes do not fit each other.
        """
        super().__init__()
        memory_size = memory_size or features
        if features % heads:
            raise ValueError(f"{features} features for {heads} heads; expected a multiple")
        if positions and memory_size % 2:
            raise ValueError(f"memory_size {memory_size} with positions; expected an even number")
        if top_chunks < 1:
            raise ValueError(f"top_chunks {top_chunks}; expected at least 1")
        self.heads, self.top_chunks = heads, top_chunks
        self.positions, self.joint = positions, joint
        query_size = query_size or features
        self.chunk_query = nn.Linear(query_size, features, bias=False)
        self.chunk_key = nn.Linear(memory_size, features, bias=False)
        self.query = nn.Linear(query_size, features)
        self.key = nn.Linear(memory_size, features)
        self.value = nn.Linear(memory_size, features)
        self.out = nn.Linear(features, features)
        for layer in self.children():
            _draw(layer)

    def forward(
        self,
        queries: torch.Tensor,
        contents: torch.Tensor,
        *,
        valid: torch.Tensor | None = None,
        may_see: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attend; arguments and errors as in `attend`.

        Returns:
            Shape (batch, queries, features).
        """
        return self.attend(queries, contents, valid=valid, may_see=may_see).output

    def attend(
        self,
        queries: torch.Tensor,
        contents: torch.Tensor,
        *,
        valid: torch.Tensor | None = None,
        may_see: torch.Tensor | None = None,
    ) -> LayerAttention:
        """Attend, and say where.

        Args:
            queries: Shape (batch, queries, query_size).
            contents: Shape (batch, chunks, length, memory_size).
            valid: Shape (batch, chunks, length), bool: steps that are filled. A batch whose members
                have different numbers of chunks is padded with chunks that are not valid at all.
            may_see: Shape (batch, queries, chunks), bool: chunks a query may look into, for example
                only earlier ones.

        Returns:
            Output, kept chunks and weights.
        """
        if valid is None:
            valid = contents.new_ones(contents.shape[:-1], dtype=torch.bool)
        contents = contents.detach().masked_fill(~valid[..., None], 0.0)
        seen = valid.any(-1)[:, None, :].expand(-1, queries.shape[1], -1)
        if may_see is not None:
            seen = seen & may_see
        chunks, relevance, kept = self._relevant(queries, contents, valid, seen)
        if self.positions:
            contents = contents + positions_from_end(valid, contents.shape[-1]).to(contents)
        logits, values, steps = self._inside(queries, contents, valid, chunks, kept)
        inside = _softmax(logits, steps, dims=(-1,))
        if self.joint:
            weights = _softmax(logits, steps, dims=(-2, -1))
            chunk_weights = weights.sum(-1)
        else:
            chunk_weights = _softmax(relevance, kept, dims=(-1,))
            weights = chunk_weights[:, :, None, :, None] * inside
        heads = torch.einsum("bqhkl,bqklhf->bqhf", weights, values)
        # A bias comes once per unit of weight: none where nothing may be seen.
        seen_any = kept.any(-1, keepdim=True).to(heads)
        output = self.out(heads.flatten(-2)) * seen_any
        return LayerAttention(output, chunks, chunk_weights, inside)

    def _relevant(
        self,
        queries: torch.Tensor,
        contents: torch.Tensor,
        valid: torch.Tensor,
        seen: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Numbers, relevance and validity of the kept chunks, each (batch, queries, k)."""
        filled = valid.sum(-1, keepdim=True).clamp(min=1)
        keys = self.chunk_key(contents.sum(-2) / filled)
        asked = self.chunk_query(queries)
        relevance = torch.einsum("bqf,bmf->bqm", asked, keys) / math.sqrt(keys.shape[-1])
        relevance = relevance.masked_fill(~seen, _invalid(relevance))
        best, chunks = relevance.topk(min(self.top_chunks, relevance.shape[-1]), dim=-1)
        return chunks, best, seen.gather(-1, chunks)

    def _inside(
        self,
        queries: torch.Tensor,
        contents: torch.Tensor,
        valid: torch.Tensor,
        chunks: torch.Tensor,
        kept: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (batch, queries, heads, k, length), values of the steps, and which may count."""
        size = self.out.in_features // self.heads
        batch = torch.arange(len(chunks), device=chunks.device)[:, None, None]
        asked = self.query(queries).unflatten(-1, (self.heads, size))
        # Keys and values of each chunk once, not once for every query that keeps it.
        keys = self.key(contents).unflatten(-1, (self.heads, size))[batch, chunks]
        values = self.value(contents).unflatten(-1, (self.heads, size))[batch, chunks]
        logits = torch.einsum("bqhf,bqklhf->bqhkl", asked, keys) / math.sqrt(size)
        steps = (valid[batch, chunks] & kept[..., None])[:, :, None].expand(logits.shape)
        return logits, values, steps


def _softmax(logits: torch.Tensor, valid: torch.Tensor, *, dims: tuple[int, ...]) -> torch.Tensor:
    """Softmax over the valid entries of some dimensions; all 0 where none is."""
    if not logits.numel():
        return logits
    low = logits.masked_fill(~valid, _invalid(logits))
    highest = low.detach().amax(dims, keepdim=True)
    raised = (low - highest).exp() * valid
    total = raised.sum(dims, keepdim=True)
    return raised / total.masked_fill(total == 0, 1.0)


def _invalid(like: torch.Tensor) -> float:
    """-1e6, or the lowest number there is where that does not fit."""
    return max(INVALID, float(torch.finfo(like.dtype).min))


def _draw(layer: Any) -> None:
    """Variance scaling with factor 2 over the inputs, biases 0."""
    deviation = math.sqrt(2.0 / layer.in_features) / _TRUNCATED_STD
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
