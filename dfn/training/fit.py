"""The training loop: a generator of records that can be left and taken up again after any step.

Everything that a step needs follows from the recipe, the step's number and the state (weights, momentum, sums of the
epoch): the order and the augmentation of an epoch come from (seed, epoch), the learning rate from the step, dropout
from (seed, step). So a run that is resumed from a state ends in the same bits as one that was never interrupted
(on CPU, with as many threads).
"""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dfn.data import Batches, Dataset, load_data
from dfn.design.errors import DesignError
from dfn.models.build import FusedNet, build
from dfn.models.initialise import initialise
from dfn.models.joins import Join
from dfn.models.net2net import grow
from dfn.training.capture import StaticStep, can_be_captured
from dfn.training.descent import Descent
from dfn.training.distributed import ranks
from dfn.training.evaluate import (
    PROBE_IMAGES,
    calibration_images,
    evaluate,
    map_statistics,
    measure_norms,
    recalibrate,
)
from dfn.training.objectives import check_teacher, objective_of
from dfn.training.path_sgd import PathScaling
from dfn.training.precision import autocast, choose_precision
from dfn.training.recipe import Recipe, RecipeError, learning_rate
from dfn.training.records import Begin, Diverged, Done, Epoch, Norms, Record, Step, from_line, to_line
from dfn.training.stopping import EarlyStopping

NORMS_EVERY = 10
CUDA_FLUSH_EVERY = 10
CONFUSION_CLASSES = 20

ADVICE = (
    "The loss left the numbers. Try a learning rate ten times smaller, a longer warm-up, or batch norm; a plain net "
    "this deep may not train at all, which is what fusion is about."
)


@dataclass(frozen=True)
class State:
    """Where a training stands: tensors by name, and numbers that JSON keeps exactly."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Part(Protocol):
    """What a training has to remember: the net, and whatever its objective and its regularisers keep."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state_dict: dict[str, Tensor], /) -> Any: ...


class Training:
    """A recipe at work. `records()` trains from where it stands to the end; `net` is the net that learns.

    `data` saves loading it again; `precision` repeats an earlier choice; `teacher` is the trained net of the recipe's
    teacher, and is left as it is; without `telemetry` norms and map statistics are left out. Raises RecipeError where
    recipe, data and teacher do not fit, DataError where the data cannot be had.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        data: Dataset | None = None,
        device: str | torch.device | None = None,
        precision: str | None = None,
        teacher: FusedNet | None = None,
        telemetry: bool = True,
    ):
        self.recipe = recipe
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.data = data or load_recipe_data(recipe)
        _check_fit(recipe, self.data)
        if recipe.teacher is not None:
            teacher = deepcopy(check_teacher(recipe, teacher)).to(self.device)
        self.net = _first_net(recipe, self.data, teacher).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.ranks = ranks()
        self.objective = objective_of(recipe, self.data.shape, teacher).to(self.device)
        self.parts: dict[str, Part] = {"net": self.net, "objective": self.objective}
        self.paths = PathScaling(self.net, self.data.shape) if recipe.path_sgd else None
        if self.paths:
            self.parts["paths"] = self.paths
        self.stopping = None
        if recipe.patience:
            self.stopping = self.parts["stopping"] = EarlyStopping(self.net, self.data, recipe.patience)
            self.data = self.stopping.data
        self.batches = Batches(
            self.data, recipe.batch_size, seed=recipe.seed, augment=recipe.augment, device=self.device
        )
        self.steps = recipe.epochs * self.batches.steps_per_epoch
        self.ranks.prepare(self.net, recipe)
        learned = dict(self.net.named_parameters())
        learned |= {f"objective.{name}": parameter for name, parameter in self.objective.named_parameters()}
        self.descent = Descent(learned, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
        self.precision, self.telemetry = precision, telemetry
        # reading a figure from a GPU waits for it, so there it is done for several steps at once
        self.flush_every = CUDA_FLUSH_EVERY if self.device.type == "cuda" else 1
        self.step = 0
        self.reported = -1  # the last epoch that has its record
        self.test_accuracy, self.train_loss = 0.0, None
        self.seconds = 0.0
        self.sums = torch.zeros(2, dtype=torch.float64, device=self.device)  # of this epoch: loss, hits
        self.waiting: list[Record] = []  # made and not yet handed out
        self.diverged = False
        self.captured: StaticStep | None = None

    def records(self) -> Iterator[Record]:
        """Train, and yield what happens: Begin, Step..., Norms..., Epoch..., and last Done (after Stopped, where images
        are held out) or Diverged."""
        note = "as before"
        if self.ranks.size > 1:
            self.ranks.go_on()
            state = self.state()
            self.restore(State(*self.ranks.agree(state.tensors, state.numbers)))
        if self.precision is None:
            x, y = next(iter(self.batches.epoch(0)))
            precision, note = choose_precision(self.net, self.objective, self.recipe.precision, x, y)
            self.precision = self.ranks.agree({}, {"precision": precision})[1]["precision"]
        yield self._begin(note + self._capture())
        yield from self._hand_out()
        calibration = calibration_images(self.data, self.recipe.batch_size, self.device)
        while not self.diverged:
            self.ranks.go_on()
            epoch, inside = divmod(self.step, self.batches.steps_per_epoch)
            if inside == 0 and self.reported < epoch:
                self._report(epoch, calibration)
                yield from self._hand_out()
            elif self.step < self.steps and not (self.stopping and self.stopping.over):
                yield from self._rest_of_epoch(epoch, inside)
            elif self.stopping and not self.stopping.settled:
                self.test_accuracy, stopped = self.stopping.settle(self.net, self.step)
                self.waiting.append(stopped)
                yield from self._hand_out()
            else:
                yield Done(self.step, self.test_accuracy, self.train_loss, self.seconds, weights_sha256(self.net))
                return

    def state(self) -> State:
        """A copy of all that `restore` needs, on the CPU."""
        parts = ((part, name, t) for part, holder in self.parts.items() for name, t in holder.state_dict().items())
        tensors = {f"{part}.{name}": t.detach().cpu().clone() for part, name, t in parts}
        tensors |= {f"momentum.{name}": v.cpu().clone() for name, v in self.descent.velocity.items()}
        tensors["sums"] = self.sums.cpu().clone()
        waiting = [to_line(record) for record in self.waiting]
        return State(tensors, {name: getattr(self, name) for name in _NUMBERS} | {"waiting": waiting})

    def restore(self, state: State) -> None:
        """Go on from a state of the same recipe."""

        def part(of: str) -> dict[str, Tensor]:
            return {name.removeprefix(of): t for name, t in state.tensors.items() if name.startswith(of)}

        for name, holder in self.parts.items():
            holder.load_state_dict(part(f"{name}."))
        self.descent.restore(part("momentum."))
        self.sums.copy_(state.tensors["sums"])
        for name in _NUMBERS:
            setattr(self, name, state.numbers[name])
        self.waiting = [from_line(line) for line in state.numbers["waiting"]]
        self.diverged = False

    def _begin(self, note: str) -> Begin:
        return Begin(
            steps=self.steps,
            steps_per_epoch=self.batches.steps_per_epoch,
            parameters=sum(p.numel() for p in self.net.parameters()),
            train_images=len(self.data.train),
            test_images=len(self.data.test),
            device=str(self.device),
            precision=self.precision or "",
            note=note,
        )

    def _hand_out(self) -> Iterator[Record]:
        """What waits, one after another; a state that is taken in between knows what is still to come."""
        while self.waiting:
            yield self.waiting.pop(0)

    def _rest_of_epoch(self, epoch: int, inside: int) -> Iterator[Record]:
        """The steps of an epoch from `inside` on."""
        unread: list[tuple[int, Tensor, float]] = []
        start = perf_counter()
        for x, y in self.batches.epoch(epoch, start=inside):
            self.ranks.go_on()
            lr = learning_rate(self.recipe, self.step, self.steps)
            figures, norms = self._step(x, y, lr)
            self.sums += figures
            self.step += 1
            inside += 1
            unread.append((self.step, figures, lr))
            over = inside == self.batches.steps_per_epoch
            if norms or over or len(unread) >= self.flush_every:
                self._read(unread, len(x))
                unread.clear()
                if norms and not self.diverged:
                    self.waiting.append(norms)
                self.seconds += perf_counter() - start
                yield from self._hand_out()
                if self.diverged:
                    return
                start = perf_counter()

    def _read(self, unread: list[tuple[int, Tensor, float]], images: int) -> None:
        """Make records of the figures of some steps, up to a loss that is no number."""
        figures = (torch.stack([figure for _, figure, _ in unread]) / images).tolist()
        for (step, _, lr), (loss, accuracy) in zip(unread, figures, strict=True):
            if not math.isfinite(loss):
                self._stop(step, loss)
                return
            self.waiting.append(Step(step, loss, accuracy, lr))

    def _stop(self, step: int, loss: float) -> None:
        self.diverged = True
        self.waiting.append(Diverged(step, str(loss), ADVICE))

    def _step(self, x: Tensor, y: Tensor, lr: float) -> tuple[Tensor, Norms | None]:
        """One step; returns (loss, hits) times images before the update, still on the device."""
        before = None
        if self.telemetry and self.step % NORMS_EVERY == 0:
            before = {p: p.detach().clone() for p in self.net.parameters()}
        figures = self.captured(x, y, lr) if self.captured else self._update(x, y, lr)
        return figures, measure_norms(self.net, before, self.step + 1) if before else None

    def _update(self, x: Tensor, y: Tensor, lr: float | Tensor) -> Tensor:
        x, y = self.ranks.share(x), self.ranks.share(y)
        if not self.net.training:  # the walk over all modules costs 2 % of a step on small images
            self.net.train()
        with self._seeded(), autocast(self.precision or "fp32", self.device):
            loss, logits = self.objective(self.net, x, y, self.step / self.steps)
        self.descent.forget_gradients()
        loss.backward()
        if self.paths:
            self.paths.scale_gradients(self.net)
        self.ranks.average_gradients(self.descent.parameters.values())
        self.descent.step(lr)
        hits = (logits.detach().argmax(1) == y).sum()
        return self.ranks.total(torch.stack((loss.detach().double() * len(y), hits.double())))

    def _capture(self) -> str:
        """Have all steps replayed from a CUDA graph where that can be; returns what to note about it."""
        if self.device.type != "cuda" or self.ranks.size > 1 or self._draws or not can_be_captured(self.recipe):
            return ""
        self.descent.prepare()
        x, y = next(iter(self.batches.epoch(0)))
        changed = [*self.net.state_dict().values(), *self.descent.velocity.values()]
        try:
            self.captured = StaticStep(self._update, x, y, changed)
        except RuntimeError as error:  # an operation that no graph can hold; step by step it runs all the same
            return f"; no CUDA graph ({str(error).splitlines()[0][:120]})"
        return "; every step is one CUDA graph"

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Dropout and drop-path draw from (seed, step), so that a resumed step draws the same."""
        if not self._draws:
            yield
            return
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.recipe.seed * 1_000_003 + self.step + self.ranks.rank * self.steps)
            yield

    @cached_property
    def _draws(self) -> bool:
        dropout = any(m.p > 0 for m in self.net.modules() if isinstance(m, nn.Dropout))
        drop_path = any(m.drop_path > 0 for m in self.net.modules() if isinstance(m, Join))
        return dropout or drop_path or self.recipe.design.global_drop_path > 0

    def _report(self, epoch: int, calibration: list[Tensor]) -> None:
        start = perf_counter()
        images = self.batches.steps_per_epoch * self.batches.batch_size
        loss, hits = (self.sums / images).tolist()
        if epoch or self.recipe.start != "net2net":  # which begins with the statistics of its teacher
            recalibrate(self.net, calibration)
        result = evaluate(self.net, self.data, self.device)
        if not math.isfinite(result.loss):
            self._stop(self.step, result.loss)
            return
        maps = {}
        if self.telemetry:
            probe = self.data.normalise(self.data.test.images[:PROBE_IMAGES].to(self.device))
            maps = map_statistics(self.net, probe)
        held_out_loss = self.stopping.look(self.net, epoch, result.accuracy) if self.stopping else None
        self.sums.zero_()
        self.seconds += perf_counter() - start
        self.reported, self.test_accuracy = epoch, result.accuracy
        self.train_loss = loss if epoch else None
        small = len(result.confusion) <= CONFUSION_CLASSES or epoch == self.recipe.epochs
        self.waiting.append(
            Epoch(
                epoch=epoch,
                step=self.step,
                train_loss=self.train_loss,
                train_accuracy=hits if epoch else None,
                test_loss=result.loss,
                test_accuracy=result.accuracy,
                seconds=self.seconds,
                confusion=tuple(map(tuple, result.confusion.tolist())) if small else None,
                maps=maps,
                held_out_loss=held_out_loss,
            )
        )


_NUMBERS = ("step", "reported", "test_accuracy", "train_loss", "seconds", "precision")


def fit(recipe: Recipe, **settings: Any) -> Iterator[Record]:
    """Train a recipe and yield records; `settings` are those of `Training`, whose `net` is at hand there."""
    yield from Training(recipe, **settings).records()


def load_recipe_data(recipe: Recipe) -> Dataset:
    """The data set of a recipe, resized and limited as it says."""
    return load_data(recipe.data, size=recipe.size, train_limit=recipe.train_limit, test_limit=recipe.test_limit)


def weights_sha256(net: nn.Module) -> str:
    """A hash over names, shapes and bytes of all weights and statistics, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _first_net(recipe: Recipe, data: Dataset, teacher: FusedNet | None) -> FusedNet:
    """The net as training finds it, drawn on the CPU, or grown where its teacher lies."""
    images = data.normalise(data.train.images[: recipe.batch_size])
    if teacher and recipe.start == "net2net":
        try:
            return grow(teacher, recipe.design, recipe.seed, images.to(next(teacher.parameters()).device))
        except DesignError as error:
            raise RecipeError(f"recipe.start: net2net from {recipe.teacher} is not accepted ({error})") from error
    net = build(recipe.design, recipe.seed)
    if recipe.start not in ("he", "net2net"):
        initialise(net, recipe.start, recipe.seed, images)
    return net


def _check_fit(recipe: Recipe, data: Dataset) -> None:
    channels, classes = data.shape[0], len(data.classes)
    if recipe.design.in_channels != channels:
        raise RecipeError(
            f"design.in_channels: {recipe.design.in_channels} is not accepted; accepted: {channels}, the channels of "
            f"the images of {data.name}"
        )
    if recipe.design.classes < classes:
        raise RecipeError(
            f"design.classes: {recipe.design.classes} is not accepted; accepted: {classes} or more, the classes of "
            f"{data.name}"
        )
