"""Feature maps of one image over the kept epochs of a run, and what a fusion makes of them in numbers.

A join works channel by channel and position by position, so channel c of the deep block, of the shallow block and of
the joined map belong together: they can be laid side by side and compared number by number. Torch is loaded only
where a net runs, so that a page can say what there is to see before it pays for that.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dfn.design.cost import named_branches, named_children, named_steps
from dfn.design.nodes import Fusion, Head, Join, MergeRun, Tap
from dfn.design.paths import depth_of
from dfn.design.spec import Design
from dfn.words import N_, _

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.models.build import FusedNet

Stack = NDArray[np.float32]

BATCH = 250

_TITLES = {"fusion": N_("fusion {number}"), "block": N_("block {number}"), "merge": N_("merge {number}")}
_LANES = {"deep": N_("deep"), "shallow": N_("shallow")}


class SnapshotError(ValueError):
    """Kept weights that cannot be read, or that are not those of this design; the message names the file."""


@dataclass(frozen=True)
class Place:
    """A place of a net whose maps can be looked at, by their names in `FusedNet.trace`.

    `blocks` are the maps that meet there and `depths` how many layers made each of them; at a tap there are none.
    `joined` is what the join makes of them, or the map at a tap, and None where nets meet only in their logits.
    `relu` says whether a ReLU follows the join.
    """

    title: str
    blocks: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()
    joined: str | None = None
    join: Join | None = None
    relu: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names of this place, the blocks first."""
        return self.blocks + ((self.joined,) if self.joined else ())

    @property
    def lanes(self) -> tuple[str, ...]:
        """What the base network of each block is called, such as `deep`."""
        return tuple(name.split("/")[1] for name in self.blocks)


def places(design: Design) -> list[Place]:
    """The fusions and taps of a design on its way from the image to the classifier, its stem where it has neither.
    Where whole nets are joined, the taps that these have in common."""
    found: list[Place] = []
    children = list(named_children(design.body, ""))
    for name, node in children:
        match node:
            case Fusion() if _joins_logits(node):
                found += _side_by_side(name, node)
            case Fusion():
                lanes = tuple(lane for lane, _branch in named_branches(node, name))
                depths = tuple(depth_of(branch) for branch in node.branches)
                join: Join = "weighted" if node.scales else node.join
                found.append(Place(_words(name), lanes, depths, f"{name}/joined", join, node.relu == "after"))
            case MergeRun():
                found += [
                    Place(_of_stream(name, number, k), joined=f"{step}/stream{k}")
                    for number, (step, blocks) in enumerate(named_steps(node, name), start=1)
                    for k in range(1, len(blocks) + 1)
                    if number < len(node.steps) or node.end == "concat"
                ]
                found.append(Place(_words(name), joined=f"{name}/joined"))
            case Tap():
                found.append(Place(_words(name), joined=name))
            case _:
                continue
    return found or [Place(_words(name), joined=name) for name, _child in children if name == "stem"]


def lane_words(lane: str) -> str:
    """What people call a base network, put before what belongs to it: `deep` of `deep block`."""
    return _(_LANES.get(lane, lane))


def map_stacks(
    design: Design, snapshots: Mapping[int, Path], image: "Tensor", names: Sequence[str]
) -> tuple[dict[str, Stack], Stack]:
    """The named maps of one image at every snapshot, and the class probabilities.

    `snapshots` are weights by epoch (safetensors), `image` is normalised float32 (C, H, W). Returns a stack
    (epochs, channels, rows, columns) for each name, and probabilities (epochs, classes). Raises SnapshotError, and
    KeyError for a name that the net does not have.
    """
    import torch

    found: dict[str, list[Tensor]] = {name: [] for name in names}
    probabilities = []
    with torch.inference_mode():
        for net in _nets(design, snapshots):
            logits, trace = net.trace(image[None])
            for name in names:
                found[name].append(trace[name][0])
            probabilities.append(logits[0].softmax(0))
        stacks = {name: torch.stack(maps).numpy() for name, maps in found.items()}
        return stacks, torch.stack(probabilities).numpy()


def predictions(design: Design, snapshot: Path, images: "Tensor") -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For normalised images (N, C, H, W) the class that the net with these weights calls, and its probability, each
    (N,). Raises SnapshotError."""
    import torch

    with torch.inference_mode():
        net = next(_nets(design, {0: snapshot}))
        sure, called = torch.cat([net(batch).softmax(1) for batch in images.split(BATCH)]).max(1)
        return called.numpy(), sure.numpy()


def shares(blocks: Sequence[NDArray[Any]]) -> tuple[float, ...]:
    """How much of a join each block brings: its sum of |values| over that of all blocks; NaN where all are zero."""
    sizes = [float(np.abs(block, dtype=np.float64).sum()) for block in blocks]
    total = sum(sizes)
    return tuple(size / total if total else math.nan for size in sizes)


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The cosine of the angle between two maps, each taken as one long vector: 1 same direction, 0 nothing in common,
    -1 opposite; NaN where one of them is zero."""
    x, y = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    lengths = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / lengths if lengths else math.nan


def opposite_signs(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The share of positions at which one map is positive and the other negative, so that they cancel in part."""
    return float(np.mean(np.sign(a) * np.sign(b) < 0))


def silent(a: NDArray[Any]) -> float:
    """The share of positions at which a map is exactly zero, as a ReLU leaves it."""
    return float(np.mean(a == 0))


def reach(stacks: Sequence[NDArray[Any]]) -> float:
    """Where one colour scale for all these maps should end: at their greatest |value|, or where 199 of 200 values that
    are not zero end, if the greatest lies far beyond (a few outliers would pale all the rest)."""
    sizes = np.concatenate([np.abs(stack[np.isfinite(stack) & (stack != 0)]).ravel() for stack in stacks])
    if not sizes.size:
        return 1.0
    most = float(sizes.max())
    usual = float(np.partition(sizes, at := min(sizes.size - 1, int(sizes.size * 0.995)))[at])
    return usual if usual * 1.3 < most else most


def _nets(design: Design, snapshots: Mapping[int, Path]) -> "Iterator[FusedNet]":
    """One net of our own, with the weights of one snapshot after another, in the order of their epochs."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from dfn.models.build import build

    net = build(design).eval()
    for epoch in sorted(snapshots):
        try:
            net.load_state_dict(load_file(snapshots[epoch]))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise SnapshotError(f"{snapshots[epoch].name} cannot be read as weights of this net") from error
        yield net


def _joins_logits(fusion: Fusion) -> bool:
    ends = [branch.nodes[-1] for branch in fusion.branches if branch.nodes]
    return any(isinstance(end, Head) or (isinstance(end, Fusion) and _joins_logits(end)) for end in ends)


def _side_by_side(name: str, fusion: Fusion) -> list[Place]:
    rows = [
        [f"{lane}/{node.name}" for node in branch.nodes if isinstance(node, Tap)]
        for lane, branch in named_branches(fusion, name)
    ]
    common = zip(*rows, strict=False)
    return [Place(_words(blocks[0].rpartition("/")[2]), blocks, (0,) * len(blocks)) for blocks in common]


def _words(name: str) -> str:
    kind = name.rstrip("0123456789")
    number = name.removeprefix(kind)
    if kind in _TITLES and number:
        return _(_TITLES[kind]).format(number=number)
    return _("stem") if name == "stem" else f"{kind} {number}".strip()


def _of_stream(name: str, step: int, stream: int) -> str:
    return _("{place}, step {step}, stream {stream}").format(place=_words(name), step=step, stream=stream)
