"""What the loop reports, as plain frozen dataclasses; no torch here, so that readers of a run stay light.

A record becomes one line of JSON with its kind under `event`.
"""

from dataclasses import asdict, dataclass
from typing import Any, get_args

Named = dict[str, float]


@dataclass(frozen=True)
class Begin:
    """Once, before the first step. `note` says why this precision was taken."""

    steps: int
    steps_per_epoch: int
    parameters: int
    train_images: int
    test_images: int
    device: str
    precision: str
    note: str


@dataclass(frozen=True)
class Step:
    """After every step (counted from 1): loss in nats and accuracy on the batch before the update."""

    step: int
    loss: float
    accuracy: float
    lr: float


@dataclass(frozen=True)
class Norms:
    """Every few steps, by place from stem to head: Euclidean norms of the gradient, the weights and the update."""

    step: int
    gradient: Named
    weight: Named
    update: Named


@dataclass(frozen=True)
class Epoch:
    """After every epoch, and once before training as epoch 0 (without train figures): loss in nats, accuracies from
    0 to 1, measured with recalibrated batch-norm statistics. `confusion[t][p]` counts test images of class t that
    were called p (after the last epoch only, where there are over 20 classes). `maps` are, for the probe images,
    mean, standard deviation and share of zeros of every named map. `held_out_loss` is in nats, where training images
    are held out for early stopping."""

    epoch: int
    step: int
    train_loss: float | None
    train_accuracy: float | None
    test_loss: float
    test_accuracy: float
    seconds: float
    confusion: tuple[tuple[int, ...], ...] | None
    maps: dict[str, tuple[float, float, float]]
    held_out_loss: float | None = None


@dataclass(frozen=True)
class Stopped:
    """Before Done, where training images are held out: the weights are those of epoch `best` again, which had the
    lowest loss on them. `reason` says in a sentence when and why training stopped."""

    step: int
    epoch: int
    best: int
    held_out_loss: float
    reason: str


@dataclass(frozen=True)
class Done:
    """After the last epoch. `weights_sha256` is a hash over all weights and statistics in a fixed order."""

    step: int
    test_accuracy: float
    train_loss: float | None
    seconds: float
    weights_sha256: str


@dataclass(frozen=True)
class Diverged:
    """The loss is not a number any more: training stops here, with what to try."""

    step: int
    loss: str
    advice: str


Record = Begin | Step | Norms | Epoch | Stopped | Done | Diverged


_KINDS = {kind.__name__.lower(): kind for kind in get_args(Record)}


def to_line(record: Record) -> dict[str, Any]:
    """The record as plain data; `event` is its kind in lower case."""
    return {"event": type(record).__name__.lower(), **asdict(record)}


def from_line(line: dict[str, Any]) -> Record:
    """The record that `to_line` wrote down; what JSON made of its tuples are lists."""
    return _KINDS[line["event"]](**{name: value for name, value in line.items() if name != "event"})
