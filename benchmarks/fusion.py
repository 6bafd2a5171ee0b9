"""What fusing costs: a step of the fused net against a step of each of its base networks, trained apart. Aim: at most
1.07 of their time.
"""

from collections.abc import Iterator

import torch

from benchmarks.measure import Bare, Row, Work, at_most, lesson_net, noise, shuffled
from dfn.design.catalogue import plain


def rows() -> Iterator[Row]:
    for side, channels, batch, steps in ((8, 1, 64, 16), (32, 3, 32, 3)):
        data = noise(side, channels, 8 * batch)
        designs = (lesson_net(channels), plain(34, 6, in_channels=channels), plain(14, 6, in_channels=channels))
        fused, deep, shallow = (Bare(d, shuffled(data, batch), torch.channels_last).steps(steps) for d in designs)
        yield at_most(
            f"fused 34 + 14 / its bases apart, {side}x{side}, batch {batch}", 1.07, fused, both(deep, shallow)
        )


def both(first: Work, second: Work) -> Work:
    return lambda: (first(), second())
