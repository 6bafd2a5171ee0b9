"""Global drop-path: mini-batches that train one column of a net alone."""

from collections import Counter

import pytest
import torch

from dfn.design.catalogue import catalogue, fused, plain
from dfn.design.spec import Design
from dfn.models.build import FusedNet, build
from dfn.models.joins import Join


@pytest.mark.medium
def test_a_mini_batch_keeps_one_column_in_the_whole_net_or_none_in_particular():
    """Frequencies over many mini-batches: half of them global, each column a third of those."""
    net = build(fused(bases=[8, 5, 3], fusions=3, width=2, global_drop_path=0.5, drop_path=0.5)).train()
    joins = [module for module in net.modules() if isinstance(module, Join)]
    seen: Counter[int | None] = Counter()
    maps = tuple(torch.zeros(8, 1) for _ in range(3))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(4000):
            net.draw_column()
            (only,) = {join.only for join in joins}  # the same one at every fusion
            seen[only] += 1
            kept = [join.keep(maps) for join in joins]
            assert all(keep is not None and keep.sum(0).min() >= 1 for keep in kept), "one input survives"
            if only is not None:
                assert all(keep is not None and keep[only].all() and keep.sum() == 8 for keep in kept)
    assert seen[None] / 4000 == pytest.approx(0.5, abs=0.03)
    assert [seen[k] / 4000 for k in range(3)] == pytest.approx([1 / 6] * 3, abs=0.03)


@pytest.mark.parametrize("column", [0, 1])
def test_the_column_that_is_kept_is_the_base_network(column: int, monkeypatch: pytest.MonkeyPatch):
    """With the mean as its join a column alone is that base network as a plain net with the same weights."""
    net = build(fused(8, 5, 3, 2, "mean", global_drop_path=0.9, drop_path=0.3)).train()
    alone = build(plain((8, 5)[column], 3, 2)).train()
    blocks = [value for name, value in net.state_dict().items() if ("deep", "shallow")[1 - column] not in name]
    for target, value in zip(alone.state_dict().values(), blocks, strict=True):
        target.copy_(value)
    monkeypatch.setattr(torch, "rand", lambda *_: torch.tensor([0.0, (column + 0.5) / 2]))
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(net(x), alone(x))
    monkeypatch.undo()
    torch.testing.assert_close(net.eval()(x), build_like(net, global_drop_path=0.0).eval()(x), msg="at test unchanged")


def build_like(net: FusedNet, **changes: float) -> FusedNet:
    """The same weights in a design with these changes."""
    other = build(Design(**{**dict(net.design), **changes}))
    other.load_state_dict(net.state_dict())
    return other


def test_a_fractal_net_has_a_column_for_every_depth():
    net = build(catalogue()["fractal"].make(columns=3, blocks=1, width=2, global_drop_path=0.5))
    assert net.body.columns() == 3
    kept = []
    for column in range(3):
        for join in (joins := [module for module in net.modules() if isinstance(module, Join)]):
            join.only = None
        net.body.keep_column(column)
        kept.append(sorted((join.only for join in joins if join.only is not None), reverse=True))
    # of three nested levels: the deepest column goes through both joins of the middle level, the last one through none
    assert kept == [[0, 0, 0], [1, 1, 0], [1]]
