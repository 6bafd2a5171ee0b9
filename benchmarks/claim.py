"""What the first lesson costs: the fused net of depths 52 and 14 and both its base networks, each trained on the
digits with the classroom preset. Aim: under 30 seconds for all three on one core.
"""

from collections.abc import Iterator
from time import process_time

from benchmarks.measure import Row
from dfn.data import load_data
from dfn.design.catalogue import fused, plain
from dfn.training.fit import Training
from dfn.training.recipe import PRESETS, Recipe


def rows() -> Iterator[Row]:
    data = load_data("digits")
    start = process_time()
    for design in (fused(52, 14, 6, in_channels=1), plain(52, 6, in_channels=1), plain(14, 6, in_channels=1)):
        for _ in Training(Recipe(design=design, **PRESETS["classroom"].settings), data=data, device="cpu").records():
            pass
    seconds = process_time() - start
    yield Row("fused 52 + 14, plain 52, plain 14 on digits", seconds, " s", "<= 30 s", seconds <= 30)
