"""Settings that make no net: one line names the field, the value and what would be accepted."""

import pytest
from refusals import refusal

from dfn.design.catalogue import fractal, fused, highway, inception, plain, resnet
from dfn.design.cost import cost
from dfn.design.paths import exchange

WHOLE = "is not accepted; accepted: a whole number from 1 to 4096"
SHARE = "is not accepted; accepted: a number from 0 to less than 1"


class TestSettings:
    @pytest.mark.parametrize(
        ("make", "line"),
        [
            (lambda: fused(deep=1), "deep: 1 is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(deep=True), "deep: True is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(deep=20.0), "deep: 20.0 is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(deep="20"), "deep: '20' is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(deep=float("nan")), "deep: nan is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(deep=10**5000), "deep: a number of over 20 digits is not accepted"),
            (lambda: fused(shallow=None), "shallow: None is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(fusions=-1), "fusions: -1 is not accepted; accepted: a whole number from 0 to 1024"),
            (lambda: fused(width=0), "width: 0 is not accepted; accepted: a whole number from 1 to 1024"),
            (lambda: fused(width=1025), "width: 1025 is not accepted; accepted: a whole number from 1 to 1024"),
            (
                lambda: fused(join="plus"),
                "join: plus is not accepted; accepted: sum, mean, max, concat, gate, weighted, adaptive or",
            ),
            (
                lambda: fused(join=[]),
                "join: [] is not accepted; accepted: sum, mean, max, concat, gate, weighted, adaptive or",
            ),
            (
                lambda: fused(fusions=0, join="gate"),
                "join: gate is not accepted; accepted: sum, mean, weighted, adaptive, inverse-variance where fusions",
            ),
            (lambda: fused(join="concat", width=1), "width: 1 is not accepted; accepted: at least 2, one channel for"),
            (lambda: fused(norm="x"), "norm: x is not accepted; accepted: batch, group or none"),
            (lambda: fused(relu="x"), "relu: x is not accepted; accepted: after or before"),
            (lambda: fused(drop_path=1.5), f"drop_path: 1.5 {SHARE}"),
            (lambda: fused(fusions=0, drop_path=-1), f"drop_path: -1 {SHARE}"),
            (lambda: fused(dropout="much"), f"dropout: much {SHARE}"),
            (lambda: fused(classes=1), "classes: 1 is not accepted; accepted: a whole number from 2 to 100000"),
            (lambda: fused(in_channels=0), f"in_channels: 0 {WHOLE}"),
            (lambda: fused(bases=[26]), "bases: [26] is not accepted; accepted: from 2 to 64 depths"),
            (lambda: fused(bases=5), "bases: 5 is not accepted; accepted: from 2 to 64 depths"),
            (lambda: fused(bases="ab"), "bases[0]: a is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(bases=[26, 1]), "bases[1]: 1 is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: fused(bases=[2] * 65), "bases: [2, 2, 2, 2, 2, 2, ...] is not accepted; accepted: from 2 to 64"),
            (lambda: fused(bases=[4096] * 64), "bases: [4096, 4096, 4096, 4096, 4096, 4096, ...] is not accepted"),
            (
                lambda: fused(bases=[2] * 64, fusions=1024),
                "bases: [2, 2, 2, 2, 2, 2, ...] is not accepted; accepted: at",
            ),
            (lambda: fused(deep=4096, width=1024), "body: a net of 2"),
            (lambda: plain(width=0), "width: 0 is not accepted; accepted: a whole number from 1 to 1024"),
            (lambda: plain(depth=1), "depth: 1 is not accepted; accepted: a whole number from 2 to 4096"),
            (lambda: resnet(depth=4096), "depth: 4096 is not accepted; accepted: a whole number from 2 to 2051"),
            (lambda: highway(depth=2), "depth: 2 is not accepted; accepted: a whole number from 3 to 1026"),
            (lambda: inception(width=3), "width: 3 is not accepted; accepted: a whole number from 4 to 1024"),
            (lambda: inception(modules=0), "modules: 0 is not accepted; accepted: a whole number from 1 to 1024"),
            (lambda: fractal(columns=9), "columns: 9 is not accepted; accepted: a whole number from 1 to 8"),
            (lambda: fractal(width=513), "width: 513 is not accepted; accepted: a whole number from 1 to 512"),
            (lambda: fractal(drop_path=1), f"drop_path: 1 {SHARE}"),
            (lambda: exchange(fused(), 0), "fusion: 0 is not accepted; accepted: a whole number from 1 to 6"),
            (lambda: cost(fused(), (3, 32)), "input_shape: (3, 32) is not accepted; accepted: three whole numbers"),  # pyright: ignore
            (lambda: cost(fused(), (1, 32, 32)), "input_shape[0]: 1 is not accepted; accepted: only 3"),
            (lambda: cost(fused(), (3, 0, 32)), "input_shape[1]: 0 is not accepted; accepted: a whole number from 1"),
            (lambda: cost(fused(), (3, 32, 1e9)), "input_shape[2]: 1000000000.0 is not accepted"),  # pyright: ignore
        ],
        ids=range(43),
    )
    def test_that_make_no_net(self, make, line):
        assert refusal(make).startswith(line)
