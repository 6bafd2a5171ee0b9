"""Each join against one line of torch, and what drop-path may and may not do to it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dfn.models.joins import Adaptive, Concat, Gate, InverseVariance, Join, Max, Mean, Sum, Weighted

SHAPE = (6, 4, 3, 3)


def branches(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(count)
    return [torch.randn(SHAPE, generator=generator, dtype=torch.float64) for _ in range(count)]


def gate(count: int, stride: int = 1, drop_path: float = 0.0) -> Gate:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Gate(3, SHAPE[1], count, stride, drop_path).double()


SOURCE = torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(9), dtype=torch.float64)

PLAIN: dict[type[Join], Callable[[list[Tensor]], Tensor]] = {
    Sum: lambda maps: torch.stack(maps).sum(0),
    Mean: lambda maps: torch.stack(maps).mean(0),
    Max: lambda maps: torch.stack(maps).max(0).values,
    Concat: lambda maps: torch.cat(maps, 1),
}


def simple(kind: type[Join], drop_path: float = 0.0) -> Join:
    return kind(drop_path)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("kind", PLAIN)
def test_join_is_one_line(kind: type[Join], count: int):
    maps = branches(count)
    torch.testing.assert_close(simple(kind)(SOURCE, *maps), PLAIN[kind](maps))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_gate_is_a_softmax_with_a_zero_behind(count: int):
    maps, join = branches(count), gate(count)
    logits = join.conv(SOURCE).unflatten(1, (count - 1, SHAPE[1]))
    weights = torch.softmax(torch.cat([logits, torch.zeros(6, 1, *SHAPE[1:])], 1), 1)
    torch.testing.assert_close(join.weights(SOURCE), weights)
    torch.testing.assert_close(weights.sum(1), torch.ones(SHAPE, dtype=torch.float64))
    torch.testing.assert_close(join(SOURCE, *maps), (weights * torch.stack(maps, 1)).sum(1))


def test_gate_of_two_is_the_highway_gate():
    (h, x), join = branches(2), gate(2)
    t = torch.sigmoid(join.conv(SOURCE))
    torch.testing.assert_close(join(SOURCE, h, x), h * t + x * (1 - t))


@pytest.mark.parametrize("scales", [(0.2, 1.0), (0.5**0.5, 0.5**0.5), (-1.0, 3.0)])
def test_scales_are_factors_of_a_sum(scales: tuple[float, float]):
    a, b = branches(2)
    join = Sum(scales=scales)
    torch.testing.assert_close(join(SOURCE, a, b), scales[0] * a + scales[1] * b)
    join.rotate()
    torch.testing.assert_close(join(SOURCE, a, b), scales[1] * a + scales[0] * b)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_weighted_begins_as_a_sum_and_learns_a_number_a_branch(count: int):
    maps, join = branches(count), Weighted(count).double()
    torch.testing.assert_close(join(SOURCE, *maps), torch.stack(maps).sum(0))
    join(SOURCE, *maps).sum().backward()
    assert join.weight.grad is not None
    torch.testing.assert_close(join.weight.grad, torch.stack([b.sum() for b in maps]))
    weights = torch.arange(1.0, count + 1).double()
    with torch.no_grad():
        join.weight.copy_(weights)
    torch.testing.assert_close(join(SOURCE, *maps), torch.einsum("k,knchw->nchw", weights, torch.stack(maps)))


def adaptive(count: int, drop_path: float = 0.0) -> Adaptive:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Adaptive(SHAPE[1], count, drop_path).double()


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("logits", [False, True], ids=["maps", "logits"])
def test_adaptive_is_a_softmax_over_a_small_net_of_pooled_maps(count: int, logits: bool):
    maps, join = branches(count), adaptive(count)
    pooled = [b.mean((2, 3)) for b in maps]
    given = pooled if logits else maps
    hidden = torch.relu(torch.cat(pooled, 1) @ join.first.weight.T + join.first.bias)
    weights = torch.softmax(hidden @ join.second.weight.T + join.second.bias, 1)
    torch.testing.assert_close(join.weights(*given), weights)
    assert (weights >= 0).all() and weights.std(0).min() > 0, "they depend on the image"
    torch.testing.assert_close(weights.sum(1), torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(join(SOURCE, *given), torch.einsum("nk,kn...->n...", weights, torch.stack(given)))


def settled(count: int, drop_path: float = 0.0) -> InverseVariance:
    """Statistics of these very branches, as many passes leave them."""
    join = InverseVariance(SHAPE[1], count, drop_path).double()
    for _ in range(300):
        join.train()(SOURCE, *branches(count))
    return join.eval()


@pytest.mark.parametrize("count", [2, 3, 4])
def test_inverse_variance_weighs_by_precision(count: int):
    maps = [b * (k + 1) for k, b in enumerate(branches(count))]
    join = InverseVariance(SHAPE[1], count).double()
    torch.testing.assert_close(join.eval()(SOURCE, *maps), torch.stack(maps).mean(0))  # nothing seen yet
    for _ in range(300):
        join.train()(SOURCE, *maps)
    precision = 1 / torch.stack([b.var((0, 2, 3)) for b in maps])
    weights = precision / precision.sum(0)
    torch.testing.assert_close(join.weights(), weights, rtol=1e-4, atol=0)
    expected = torch.einsum("kc,knchw->nchw", weights, torch.stack(maps))
    torch.testing.assert_close(join.eval()(SOURCE, *maps), expected, rtol=1e-4, atol=1e-4)
    join.rotate()
    rotated = [*maps[1:], maps[0]]
    torch.testing.assert_close(join(SOURCE, *rotated), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.medium
def test_inverse_variance_is_the_best_average_of_independent_measurements():
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(20_000, 1, 1, 1, generator=generator, dtype=torch.float64) * 0.01
    errors = [torch.randn(truth.shape, generator=generator, dtype=torch.float64) * size for size in (1.0, 0.5, 2.0)]
    maps = [truth + error for error in errors]
    join = InverseVariance(1, 3).double()
    for _ in range(200):
        join.train()(SOURCE, *maps)
    fused = join.eval()(SOURCE, *maps)
    found = (fused - truth).square().mean().item()
    assert found == pytest.approx(1 / (1 + 4 + 0.25), rel=0.03)
    assert found < (torch.stack(maps).mean(0) - truth).square().mean().item()


def every_join(count: int, drop_path: float) -> list[Join]:
    learned = [Weighted(count, drop_path), adaptive(count, drop_path), settled(count, drop_path)]
    return [*(simple(kind, drop_path) for kind in PLAIN), gate(count, drop_path=drop_path), *learned]


def test_drop_path_is_off_in_eval():
    maps = branches(3)
    for never, sometimes in zip(every_join(3, 0.0), every_join(3, 0.9), strict=True):
        assert torch.equal(never.eval()(SOURCE, *maps), sometimes.eval()(SOURCE, *maps))
        if not isinstance(never, InverseVariance):  # which goes on seeing in training
            assert torch.equal(never.eval()(SOURCE, *maps), never.train()(SOURCE, *maps))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kept", ["first", "all but first", "all"])
def test_what_stays_counts_as_much_as_all(count: int, kept: str, monkeypatch: pytest.MonkeyPatch):
    stays = {"first": [0], "all but first": list(range(1, count)), "all": list(range(count))}[kept]
    keep = torch.tensor([float(k in stays) for k in range(count)], dtype=torch.float64)
    monkeypatch.setattr(Join, "keep", lambda *_: keep.view(-1, 1, 1, 1, 1).expand(-1, SHAPE[0], 1, 1, 1))
    maps, join = branches(count), gate(count)
    left = [maps[k] for k in stays]
    torch.testing.assert_close(Sum()(SOURCE, *maps), count * torch.stack(left).mean(0))
    torch.testing.assert_close(Mean()(SOURCE, *maps), torch.stack(left).mean(0))
    torch.testing.assert_close(Max()(SOURCE, *maps), torch.stack(left).amax(0))
    scaled = [b * (k in stays) * count / len(stays) for k, b in enumerate(maps)]
    torch.testing.assert_close(Concat()(SOURCE, *maps), torch.cat(scaled, 1))
    weights = join.weights(SOURCE)[:, stays]
    expected = (weights / weights.sum(1, keepdim=True) * torch.stack(left, 1)).sum(1)
    torch.testing.assert_close(join(SOURCE, *maps), expected)
    torch.testing.assert_close(Weighted(count)(SOURCE, *maps), count * torch.stack(left).mean(0))
    chosen = adaptive(count).weights(*maps)[:, stays, None, None, None]
    expected = (chosen / chosen.sum(1, keepdim=True) * torch.stack(left, 1)).sum(1)
    torch.testing.assert_close(adaptive(count)(SOURCE, *maps), expected)
    weights = settled(count).weights()[stays, None, :, None, None]
    expected = (weights / weights.sum(0) * torch.stack(left)).sum(0)
    torch.testing.assert_close(settled(count)(SOURCE, *maps), expected)


@pytest.mark.parametrize("chance", [0.15, 0.5, 0.9])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_one_branch_stays_and_as_many_as_expected(count: int, chance: float):
    images = 20_000
    maps = tuple(torch.zeros(images, 1) for _ in range(count))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        keep = simple(Sum, chance).train().keep(maps)
        torch.manual_seed(0)
        again = simple(Sum, chance).train().keep(maps)
    assert keep is not None and again is not None
    assert torch.equal(keep, again)
    assert keep.shape == (count, images, 1)
    assert keep.sum(0).min() >= 1
    expected = count * (1 - chance) + chance**count  # where all would go, one stays
    assert keep.sum(0).mean().item() == pytest.approx(expected, abs=0.03)
    assert keep.mean((1, 2)).tolist() == pytest.approx([expected / count] * count, abs=0.02)
    assert simple(Sum, chance).eval().keep(maps) is None


def test_images_are_dropped_one_by_one():
    maps = tuple(torch.full((64, 1, 1, 1), float(k)) for k in (1, 2))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        joined = simple(Mean, 0.5).train()(SOURCE, *maps)
    assert set(joined.flatten().tolist()) == {1.0, 1.5, 2.0}


def test_a_concat_is_a_sum_of_branches_padded_with_zero_channels():
    maps = [branches(2)[0], *(b[:, :2] for b in branches(3)[1:])]  # branches narrower than what follows
    width = sum(b.shape[1] for b in maps)
    padded, start = [], 0
    for b in maps:
        padded.append(torch.nn.functional.pad(b, (0, 0, 0, 0, start, width - start - b.shape[1])))
        start += b.shape[1]
    assert torch.equal(Concat()(SOURCE, *maps), Sum()(SOURCE, *padded))
    # and so a conv behind it is a sum of convs, each with its own slice of the weights
    weight = torch.randn(5, width, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    slices = weight.split([b.shape[1] for b in maps], 1)
    parts = [torch.nn.functional.conv2d(b, w, padding=1) for b, w in zip(maps, slices, strict=True)]
    whole = torch.nn.functional.conv2d(Concat()(SOURCE, *maps), weight, padding=1)
    torch.testing.assert_close(whole, torch.stack(parts).sum(0))
