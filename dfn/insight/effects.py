"""What lesions do to a net's answers, computed from maps that are kept: only what follows the cut runs again."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dfn.design.errors import whole
from dfn.insight.cuts import Streams
from dfn.insight.lesions import How, bypass, lesion, plain_blocks
from dfn.insight.subject import Target, checked_images, checked_target, own_copy, refusal, top_fusions
from dfn.models.build import Chain, FusedNet

BATCH = 500
PLAIN = "plain"

Block = tuple[int, str]


@dataclass(frozen=True)
class Effect:
    """Accuracy from 0 to 1, mean loss in nats, and the share of images (0 to 1) that are still called as before."""

    accuracy: float
    loss: float
    same: float


class Kept:
    """The maps of some images at every station of a net, kept so that a changed copy starts where it first differs.

    `x` is (N, C, H, W), normalised, and `labels` the true classes; in eval mode, in batches of 500. Keeps the inputs
    of all fusions, so give it hundreds of images and not a whole large data set. Raises ValueError.
    """

    def __init__(self, net: FusedNet, x: Tensor, labels: Target):
        self.net = own_copy(net)
        if isinstance(self.net.body, Streams):
            raise refusal("net", "a net with a way back cut", "the net before that, whose copies may have it cut")
        images = checked_images(net, x)
        self.labels = checked_target(net, labels, len(images))
        self._inputs: list[list[Tensor]] = []
        with torch.no_grad():
            batches = list(images.split(BATCH))
            for station in range(len(list(self.net.body.children()))):
                self._inputs.append(batches)
                part = _part(self.net.body, station, station + 1)
                batches = [part(batch) for batch in batches]
            self.logits = torch.cat(batches)
        self.effect = self._judge(self.logits)

    @torch.no_grad()
    def answers(self, changed: FusedNet) -> Tensor:
        """The logits (N, classes) of a changed copy of the net, as it would give them in eval mode."""
        if changed.training:  # a net in eval mode answers without being changed, and needs no copy
            changed = own_copy(changed)
        start = _first_difference(self.net, changed)
        if start is None:
            return self.logits
        rest = _part(changed.body, start)
        return torch.cat([rest(batch) for batch in self._inputs[start]])

    def judge(self, changed: FusedNet) -> Effect:
        """How well a changed copy of the net does."""
        return self._judge(self.answers(changed))

    def _judge(self, logits: Tensor) -> Effect:
        called = logits.argmax(1)
        return Effect(
            accuracy=(called == self.labels).double().mean().item(),
            loss=cross_entropy(logits.float(), self.labels).item(),
            same=(called == self.logits.argmax(1)).double().mean().item(),
        )


def importance(kept: Kept, how: How = "zero", reference: Tensor | None = None) -> dict[Block, Effect]:
    """What is left when one block at a time is cut: by fusion (counted from 1) and base network. The blocks of a plain
    net, called `plain`, are bypassed."""
    return {block: kept.judge(_cut(kept.net, block, how, reference)) for block in _blocks(kept.net)}


def random_lesions(
    kept: Kept, count: int, draws: int = 10, how: How = "zero", reference: Tensor | None = None, seed: int = 0
) -> list[Effect]:
    """What is left when `count` random blocks are cut at once, for each of several draws. At every fusion one block,
    drawn as well, stays; a plain net may lose all. Raises ValueError where there are not so many to cut."""
    blocks = list(_blocks(kept.net))
    whole("count", count, 0, len(blocks) - len(top_fusions(kept.net)))
    random = Random(seed)
    found = []
    for _ in range(draws):
        spared = {number: lane for number, lane in random.sample(blocks, len(blocks)) if lane != PLAIN}.items()
        changed = kept.net
        for block in random.sample([block for block in blocks if block not in spared], count):
            changed = _cut(changed, block, how, reference)
        found.append(kept.judge(changed))
    return found


def _blocks(net: FusedNet) -> Iterator[Block]:
    yield from ((number, PLAIN) for number in range(1, len(plain_blocks(net)) + 1))
    for number, fused in enumerate(top_fusions(net), start=1):
        yield from ((number, lane) for lane in fused.branches)


def _cut(net: FusedNet, block: Block, how: How, reference: Tensor | None) -> FusedNet:
    number, lane = block
    return bypass(net, number) if lane == PLAIN else lesion(net, number, lane, how, reference=reference)


def _part(body: Chain, start: int, stop: int | None = None) -> Chain:
    """Some of the stations of a net's body, the very modules and not copies."""
    return type(body)(body.name, OrderedDict(list(body.named_children())[start:stop]))


def _first_difference(one: FusedNet, other: FusedNet) -> int | None:
    """The first station of the body at which two nets are built or weighted in different ways."""
    pairs = list(zip(one.body.named_children(), other.body.named_children(), strict=False))
    for index, ((name, module), (other_name, changed)) in enumerate(pairs):
        if name != other_name or not _same(module, changed):
            return index
    return None if len(pairs) == len(list(one.body.children())) else len(pairs)


def _same(one: nn.Module, other: nn.Module) -> bool:
    if repr(one) != repr(other):
        return False
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(map(torch.equal, ours.values(), theirs.values()))
