"""Which branches drop-path keeps, read off from the joins: against the draws that the joins made."""

import pytest
import torch

from dfn.design.catalogue import fractal, fused
from dfn.figures.drop_path import kept_branches as figure
from dfn.figures.drop_path import kept_branches_alt
from dfn.insight.drop_path import kept_branches
from dfn.models.build import build
from dfn.models.joins import Join

X = torch.randn(12, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("join", ["sum", "mean"])
def test_what_stays_is_what_the_joins_drew(join, monkeypatch: pytest.MonkeyPatch):
    drawn = []
    keep = Join.keep

    def noting(self: Join, branches):
        drawn.append(keep(self, branches))
        return drawn[-1]

    monkeypatch.setattr(Join, "keep", noting)
    net = build(fused(8, 5, 3, 4, join, in_channels=1, drop_path=0.4), seed=0)
    before = torch.get_rng_state()
    found = kept_branches(net, X, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    stays = [torch.tensor(list(row.values())) for row in found.values()]
    assert [row.flatten(1).bool().tolist() for row in drawn] == [row.tolist() for row in stays]
    assert list(found) == ["fusion1", "fusion2", "fusion3"] and not all(row.all() for row in stays)
    assert all(bool(row.any(0).all()) for row in stays), "one branch always stays"
    assert found == kept_branches(net, X, seed=3) != kept_branches(net, X, seed=4)


def test_nested_fusions_are_read_too_and_nets_that_drop_nothing_are_not():
    assert len(kept_branches(build(fractal(3, 1, 4, in_channels=1, drop_path=0.3)), X)) > 1
    assert kept_branches(build(fused(8, 5, 3, 4, in_channels=1)), X) == {}


@pytest.mark.parametrize("dark", [False, True])
def test_the_figure_has_a_row_a_branch_and_a_square_an_image(dark: bool):
    kept = {"fusion1": {"deep": [True, False, True, True], "shallow": [True, True, False, True]}}
    drawn = figure(kept, 2, dark)
    assert [trace.marker.symbol for trace in drawn.data] == [
        ("square", "square-open", "square", "square"),
        ("square", "square", "square-open", "square"),
    ]
    assert list(drawn.data[0].x) == [0, 1, 3, 4], "a gap between two steps"
    assert drawn.layout.yaxis.categoryarray == ("fusion1/shallow", "fusion1/deep"), "the first row stands on top"
    said = kept_branches_alt(kept, 2)
    assert said.startswith("2 branches in 2 steps of training with 2 images each: 6 of 8 squares are kept")
    assert "2 times an image sees the whole net" in said
