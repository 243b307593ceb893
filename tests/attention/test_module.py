"""The trainable layer, number by number against loops, and against full attention in the limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from memory_core.attention.module import HierarchicalChunkAttention

FEATURES, HEADS, ASKED, STORED = 12, 3, 10, 8
BATCH, QUERIES, CHUNKS, LENGTH = 2, 3, 5, 4


def layer_of(**options):
    torch.manual_seed(0)
    options = {"top_chunks": 3, "query_size": ASKED, "memory_size": STORED, **options}
    layer = HierarchicalChunkAttention(FEATURES, heads=HEADS, **options).double()
    with torch.no_grad():
        for name, weights in layer.named_parameters():
            if name.endswith("bias"):
                weights.normal_()
    return layer


@pytest.fixture
def data():
    chance = torch.Generator().manual_seed(1)
    queries = torch.randn(BATCH, QUERIES, ASKED, generator=chance, dtype=torch.float64)
    contents = torch.randn(BATCH, CHUNKS, LENGTH, STORED, generator=chance, dtype=torch.float64)
    valid = torch.ones(BATCH, CHUNKS, LENGTH, dtype=torch.bool)
    valid[0, 1, 2:] = False
    valid[1, 3:] = False
    valid[1, 0, :1] = False
    may_see = torch.rand(BATCH, QUERIES, CHUNKS, generator=chance) < 0.8
    may_see[0, 0] = torch.tensor([False, True, False, False, True])
    may_see[1, 2] = False
    return queries, contents, valid, may_see


def by_hand(layer, queries, contents, valid, may_see):
    """The formulas of the paper, one query, chunk, head and step after the other."""
    weights = {name: value.detach().numpy() for name, value in layer.state_dict().items()}
    queries, contents = queries.detach().numpy(), contents.detach().numpy()
    size = FEATURES // HEADS
    outputs = np.zeros((BATCH, QUERIES, FEATURES))
    for b in range(BATCH):
        for q in range(QUERIES):
            query = queries[b, q]
            relevance = []
            for j in range(CHUNKS):
                filled = [contents[b, j, i] for i in range(LENGTH) if valid[b, j, i]]
                if not filled or not may_see[b, q, j]:
                    continue
                key = weights["chunk_key.weight"] @ (sum(filled) / len(filled))
                dot = float((weights["chunk_query.weight"] @ query) @ key)
                relevance.append((dot / math.sqrt(FEATURES), j))
            kept = sorted(relevance, reverse=True)[: layer.top_chunks]
            if not kept:
                continue
            total = sum(math.exp(value) for value, _ in kept)
            for value, j in kept:
                steps = [i for i in range(LENGTH) if valid[b, j, i]]
                rows = []
                for place, i in enumerate(steps):
                    back = len(steps) - 1 - place
                    rates = [10_000 ** (-n / STORED) for n in range(0, STORED, 2)]
                    sines = [math.sin(back * r) for r in rates] + [
                        math.cos(back * r) for r in rates
                    ]
                    rows.append(contents[b, j, i] + np.array(sines))
                heads = []
                for h in range(HEADS):
                    part = slice(h * size, (h + 1) * size)

                    def project(name, row, part=part):
                        return (weights[f"{name}.weight"] @ row + weights[f"{name}.bias"])[part]

                    raised = [
                        math.exp(project("query", query) @ project("key", row) / math.sqrt(size))
                        for row in rows
                    ]
                    heads.append(
                        sum(
                            e / sum(raised) * project("value", row)
                            for e, row in zip(raised, rows, strict=True)
                        )
                    )
                attended = weights["out.weight"] @ np.concatenate(heads) + weights["out.bias"]
                outputs[b, q] += math.exp(value) / total * attended
    return outputs


def test_the_layer_equals_the_papers_formulas_number_by_number(data):
    layer = layer_of()
    queries, contents, valid, may_see = data
    found = layer(queries, contents, valid=valid, may_see=may_see)
    expected = by_hand(layer, queries, contents, valid.numpy(), may_see.numpy())
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-12)


def test_a_query_that_may_see_nothing_gets_nothing(data):
    queries, contents, valid, may_see = data
    found = layer_of()(queries, contents, valid=valid, may_see=may_see)
    assert (found[1, 2] == 0).all()
    assert (found[0, 0] != 0).all()


@pytest.mark.parametrize("joint", [False, True])
def test_a_memory_without_chunks_gives_nothing(data, joint):
    queries, contents, _, _ = data
    found = layer_of(joint=joint)(queries, contents[:, :0])
    assert found.shape == (BATCH, QUERIES, FEATURES)
    assert (found == 0).all()


def test_with_every_chunk_and_one_softmax_it_is_full_attention(data):
    queries, contents, valid, _ = data
    layer = layer_of(joint=True, positions=False, top_chunks=CHUNKS)
    steps = contents.flatten(1, 2)

    def heads(name, rows):
        projected = getattr(layer, name)(rows)
        return projected.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    attended = functional.scaled_dot_product_attention(
        heads("query", queries),
        heads("key", steps),
        heads("value", steps),
        attn_mask=valid.flatten(1)[:, None, None, :],
    )
    expected = layer.out(attended.transpose(1, 2).flatten(-2))
    torch.testing.assert_close(layer(queries, contents, valid=valid), expected)


def test_gradients_of_weights_and_queries_are_right(data):
    queries, contents, valid, may_see = data
    layer = layer_of()
    names = [name for name, _ in layer.named_parameters()]
    values = [value.detach().clone().requires_grad_() for value in layer.parameters()]
    queries = queries[:, :1].clone().requires_grad_()

    def run(asked, *weights):
        named = dict(zip(names, weights, strict=True))
        masks = {"valid": valid, "may_see": may_see[:, :1]}
        return torch.func.functional_call(layer, named, (asked, contents), masks)

    assert torch.autograd.gradcheck(run, (queries, *values), fast_mode=True)


def test_every_weight_learns_and_the_memory_gets_no_gradient(data):
    queries, contents, valid, _ = data
    contents.requires_grad_()
    layer = layer_of()
    layer(queries, contents, valid=valid).square().sum().backward()
    assert contents.grad is None
    assert all(weights.grad is not None for weights in layer.parameters())
    assert layer.chunk_key.weight.grad.abs().max() > 0
    assert layer.chunk_query.weight.grad.abs().max() > 0


def test_weights_are_shares_and_multiply_to_the_output(data):
    queries, contents, valid, may_see = data
    layer = layer_of()
    found = layer.attend(queries, contents, valid=valid, may_see=may_see)
    sums = found.chunk_weights.sum(-1)
    torch.testing.assert_close(sums, may_see.logical_and(valid.any(-1)[:, None]).any(-1).double())
    kept = (found.chunk_weights > 0)[:, :, None].expand(-1, -1, HEADS, -1)
    torch.testing.assert_close(found.inside.sum(-1), kept.double())


def test_what_lies_in_invalid_steps_and_chunks_does_not_matter(data):
    queries, contents, valid, _ = data
    layer = layer_of()
    other = torch.where(valid[..., None], contents, torch.full_like(contents, math.nan))
    expected = layer(queries, contents, valid=valid)
    torch.testing.assert_close(layer(queries, other, valid=valid), expected)
    order = torch.tensor([3, 0, 4, 2, 1])
    shuffled = layer(queries, other[:, order], valid=valid[:, order])
    torch.testing.assert_close(shuffled, expected)


def test_a_member_of_a_padded_batch_is_answered_as_if_alone(data):
    queries, contents, valid, _ = data
    layer = layer_of()
    together = layer(queries, contents, valid=valid)
    alone = layer(queries[1:], contents[1:, :3], valid=valid[1:, :3])
    torch.testing.assert_close(together[1:], alone)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_it_keeps_the_type_and_device_of_its_weights(data, dtype):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    queries, contents, valid, may_see = (part.to(device) for part in data)
    layer = layer_of().to(device, dtype)
    found = layer(queries.to(dtype), contents.to(dtype), valid=valid, may_see=may_see)
    assert (found.dtype, found.device.type) == (dtype, device)
    assert found.isfinite().all()


@pytest.mark.parametrize(
    ("features", "options"),
    [(10, {}), (12, {"memory_size": 7}), (12, {"top_chunks": 0})],
)
def test_sizes_that_do_not_fit_are_refused(features, options):
    with pytest.raises(ValueError, match="expected"):
        HierarchicalChunkAttention(features, heads=3, **{"top_chunks": 2, **options})


@pytest.fixture
def one_thread():
    """Small products only wait for each other on more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_it_learns_to_recall_what_came_with_a_cue():
    """Each chunk holds steps of cue and answer; one cue is asked for; chance is 1 in 4."""
    torch.manual_seed(0)
    chance = torch.Generator().manual_seed(0)
    cues = 2 * functional.normalize(torch.randn(12, 16, generator=chance), dim=-1)
    answers = 2 * torch.eye(4)
    layer = HierarchicalChunkAttention(16, heads=2, top_chunks=2, query_size=16, memory_size=20)
    read = torch.nn.Linear(16, 4)
    optimiser = torch.optim.Adam([*layer.parameters(), *read.parameters()], lr=1e-2)

    def episode(count):
        order = torch.rand(count, 12, generator=chance).argsort(-1)
        said = torch.randint(0, 4, (count, 12), generator=chance)
        contents = torch.cat([cues[order], answers[said]], dim=-1).unflatten(1, (6, 2))
        asked = torch.randint(0, 12, (count,), generator=chance)
        rows = torch.arange(count)
        return cues[order[rows, asked]][:, None], contents, said[rows, asked]

    for _ in range(180):
        queries, contents, said = episode(64)
        loss = functional.cross_entropy(read(layer(queries, contents)[:, 0]), said)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    queries, contents, said = episode(500)
    right = (read(layer(queries, contents)[:, 0]).argmax(-1) == said).double().mean()
    assert right > 0.9
