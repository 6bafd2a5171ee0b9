"""What lesions do to a net's answers, as plain numbers for the Lesions page. No drawing and no cache.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow_data import MOST_JUDGED, some_images
from lesion_plan import How, Lesion, numbered
from picked import Picked

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.insight.effects import Kept
    from dfn.insight.maps import Stack
    from dfn.models.build import FusedNet

LEAST_JUDGED = 100
MOST_KEPT_BYTES = 96_000_000
REFERENCES = 200
DRAWS = 10
GAINS = tuple(step / 10 for step in range(11))


Answers = tuple[tuple[int, float], tuple[int, float]]  # before and after: the called class and its probability


@dataclass(frozen=True)
class Flip:
    """A test image that is called otherwise after the lesion: its number, its class, and what it is called."""

    image: int
    true: int
    before: int
    after: int


@dataclass(frozen=True)
class Outcome:
    """What a lesion does: accuracy before and after and the share of images still called the same, all from 0 to 1,
    the images that flip, and the seconds that the answer took."""

    before: float
    after: float
    same: float
    flips: tuple[Flip, ...]
    seconds: float


def judged(shapes: Mapping[str, Sequence[int]], count: int) -> int:
    """How many test images are judged: their maps at every station of the net are kept in memory."""
    stations = [shape for name, shape in shapes.items() if "/" not in name or name.endswith("/joined")]
    numbers = sum(math.prod(shape) for shape in stations)
    return min(count, max(LEAST_JUDGED, min(MOST_JUDGED, MOST_KEPT_BYTES // max(1, 4 * numbers))))


def keep(net: "FusedNet", images: "Dataset", count: int) -> "Kept":
    """The maps of the first `count` test images at every station of the net."""
    from dfn.insight.effects import Kept

    return Kept(net, *some_images(images, range(count)))


def lesioned(net: "FusedNet", lesion: Lesion, reference: "Tensor") -> "FusedNet":
    """A copy of the net with everything done to it. `reference` are normalised images. Raises ValueError."""
    from dfn.insight.lesions import bypass, cut_feedback, dial, plain_blocks, swap_blocks
    from dfn.insight.lesions import lesion as cut
    from dfn.insight.subject import top_fusions

    changed = net
    if lesion.swap:
        changed = swap_blocks(changed, *lesion.swap)
    for name in lesion.edges:
        changed = cut_feedback(changed, *numbered(name))
    taps = plain_blocks(net)
    if taps:
        for name in lesion.cut:
            changed = bypass(changed, taps.index(name) + 1)
        return changed
    cuts = sorted(map(numbered, lesion.cut))
    for lane in {lane for _, lane in cuts}:
        whole = sum(own == lane for _, own in cuts) == len(top_fusions(net))
        if whole and lesion.how == "zero":  # at once: every cut copies the net
            changed = cut(changed, None, lane)
            cuts = [(number, own) for number, own in cuts if own != lane]
    for number, lane in reversed(cuts):  # the maps before a cut, from which a mean is taken, are still as they were
        changed = cut(changed, number, lane, lesion.how, reference=reference)
    if lesion.dial < 1:
        changed = dial(changed, lesion.dial, lesion.dialled, lesion.dial_at)
    return changed


def outcome(kept: "Kept", lesion: Lesion, images: "Dataset") -> Outcome:
    """What the lesion does to the judged images. Raises ValueError."""
    start = time.perf_counter()
    called = kept.answers(lesioned(kept.net, lesion, reference(kept, images))).argmax(1)
    seconds = time.perf_counter() - start
    labels, before = kept.labels, kept.logits.argmax(1)
    numbers = (before != called).nonzero()[:, 0].tolist()
    flips = tuple(Flip(n, int(labels[n]), int(before[n]), int(called[n])) for n in numbers)
    return Outcome(kept.effect.accuracy, _share(called == labels), _share(before == called), flips, seconds)


def answers(kept: "Kept", lesion: Lesion, images: "Dataset", picked: Picked) -> Answers:
    """What the net calls an image, whole and with the lesion. Raises ValueError."""
    import torch

    x = picked.seen(images)
    found = []
    with torch.inference_mode():
        for net in (kept.net, lesioned(kept.net, lesion, reference(kept, images))):
            sure, called = net(x)[0].softmax(0).max(0)
            found.append((int(called), float(sure)))
    return found[0], found[1]


def maps_beside(kept: "Kept", lesion: Lesion, images: "Dataset", picked: Picked, name: str) -> "tuple[Stack, Stack]":
    """The map of this name (1, channels, rows, columns) for one image, in the whole net and with the lesion."""
    import torch

    x = picked.seen(images)
    with torch.no_grad():
        before, after = (
            net.trace(x)[1][name].numpy() for net in (kept.net, lesioned(kept.net, lesion, reference(kept, images)))
        )
    return before, after


def reference(kept: "Kept", images: "Dataset") -> "Tensor":
    """The test images from which means and replacements are taken."""
    return some_images(images, range(min(REFERENCES, len(kept.labels))))[0]


def gains(kept: "Kept", lanes: Sequence[str], at: int | None) -> dict[str, list[float]]:
    """Accuracy at every gain of `GAINS` for each base network turned down, at one fusion or at all."""
    from dfn.insight.lesions import dial

    return {lane: [kept.judge(dial(kept.net, gain, lane, at)).accuracy for gain in GAINS] for lane in lanes}


def importance(kept: "Kept", how: How, images: "Dataset") -> dict[str, float]:
    """Accuracy when one block at a time is cut, by the block's name."""
    from dfn.insight.effects import PLAIN, importance
    from dfn.insight.lesions import plain_blocks

    taps = plain_blocks(kept.net)
    found = importance(kept, how, reference(kept, images))
    return {
        taps[number - 1] if lane == PLAIN else f"fusion{number}/{lane}": effect.accuracy
        for (number, lane), effect in found.items()
    }


def random_accuracies(kept: "Kept", count: int, how: How, images: "Dataset") -> list[float]:
    """Accuracy when `count` random blocks are cut at once, for each of `DRAWS` draws."""
    from dfn.insight.effects import random_lesions

    found = random_lesions(kept, count, DRAWS, how, reference(kept, images))
    return [effect.accuracy for effect in found]


def _share(hits: "Tensor") -> float:
    return hits.double().mean().item()
