"""What a click on the Attribution, Flow and Lesions pages asks for, on a net of 50 + 14 layers and digits.

Aims: a lesion over 360 test images from kept maps in 100 ms, gradients by path length in 100 ms, integrated gradients
and DeepLIFT of one image in the time of 60 plain forward passes, saliency in that of 20.
"""

from collections.abc import Iterator

import torch

from benchmarks.measure import Row, milliseconds
from dfn.data import load_data
from dfn.design.catalogue import fused
from dfn.insight.attribution import attribute
from dfn.insight.effects import Kept
from dfn.insight.gradients import gradient_by_length
from dfn.insight.lesions import lesion
from dfn.models.build import build


def rows() -> Iterator[Row]:
    data = load_data("digits")
    net = build(fused(50, 14, 6, width=16, in_channels=1)).eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images = data.normalise(data.test.images)
    kept = Kept(net, images, data.test.labels)
    for fusion, branch in ((1, "deep"), (1, "shallow"), (6, "shallow")):
        yield milliseconds(
            f"lesion of fusion {fusion}, {branch}, 360 images",
            100,
            lambda fusion=fusion, branch=branch: kept.judge(lesion(net, fusion=fusion, branch=branch)),
        )
    one = images[:1]
    yield milliseconds("gradient by path length, one image", 100, lambda: gradient_by_length(net, one, 0))
    with torch.no_grad():
        plain = milliseconds("plain forward pass, one image", 50, lambda: net(one))
    yield plain
    for method, passes in (("integrated_gradients", 60), ("deep_lift", 60), ("saliency", 20)):
        timed = milliseconds(method, 0, lambda method=method: attribute(net, one, 0, method=method))
        ratio = timed.value / plain.value
        yield Row(f"{method} / plain forward, one image", ratio, "x", f"<= {passes}", ratio <= passes)
