"""Several seeds of one recipe in one loop: their weights are stacked, and every layer runs once for all of them.

Each seed has its own first weights and its own order of images, as alone; a batched conv is a grouped one, so sums are
rounded otherwise and the figures of a seed are those of its own run within tolerance, not in bits. What is measured
after an epoch is measured net by net, by the same code as alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.functional import cross_entropy

from dfn.data import Dataset
from dfn.training.capture import can_be_captured
from dfn.training.descent import Descent
from dfn.training.evaluate import calibration_images
from dfn.training.fit import Training, load_recipe_data, weights_sha256
from dfn.training.precision import autocast, choose_precision
from dfn.training.recipe import Recipe, RecipeError, learning_rate
from dfn.training.records import Done, Record, Step


def fit_seeds(
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    data: Dataset | None = None,
    device: str | torch.device | None = None,
) -> Iterator[tuple[int, Record]]:
    """Train a recipe with each of these seeds, side by side, and yield (seed, record): the steps of an epoch once it is
    over, then its report, and last Done for each. Without norms and maps. Raises RecipeError for a recipe whose steps
    are not all alike (dropout, drop-path, an objective of its own), which a seed trains alone."""
    if not seeds or not can_be_captured(recipe):
        raise RecipeError("recipe: seeds are trained together with plain cross-entropy and one seed or more only")
    data = data or load_recipe_data(recipe)
    each = [
        Training(recipe.model_copy(update={"seed": seed}), data=data, device=device, telemetry=False) for seed in seeds
    ]
    first = each[0]
    if first._draws:
        raise RecipeError("design: dropout and drop-path are drawn for one seed at a time; accepted: a net without")
    calibration = calibration_images(data, recipe.batch_size, first.device)
    x, y = next(iter(first.batches.epoch(0)))
    precision, _ = choose_precision(first.net, first.objective, recipe.precision, x, y)
    together = _Together(each, precision)
    for epoch in range(recipe.epochs + 1):
        start = perf_counter()
        steps = together.epoch(epoch - 1) if epoch else [[] for _ in each]
        share = (perf_counter() - start) / len(each)
        for training, own in zip(each, steps, strict=True):
            if training.diverged:
                continue
            training.seconds += share
            training._report(epoch, calibration)
            for record in [*own, *training.waiting]:
                yield training.recipe.seed, record
            training.waiting.clear()
    for t in each:
        if not t.diverged:
            yield t.recipe.seed, Done(t.step, t.test_accuracy, t.train_loss, t.seconds, weights_sha256(t.net))


class _Together:
    """The weights of several trainings, one tensor for all of them at every place of the net."""

    def __init__(self, each: Sequence[Training], precision: str):
        self.each, self.recipe, self.precision = each, each[0].recipe, precision
        self.net = deepcopy(each[0].net).train()
        for module in self.net.modules():
            if isinstance(module, nn.BatchNorm2d):  # training reads no running statistics; they are averaged anew
                module.track_running_stats = False
            if isinstance(module, nn.AdaptiveAvgPool2d):  # which cannot be batched
                module.forward = _mean_map
        own = [dict(training.net.named_parameters()) for training in each]
        self.weights = {name: nn.Parameter(torch.stack([w[name].detach() for w in own])) for name in own[0]}
        self.descent = Descent(self.weights, momentum=self.recipe.momentum, weight_decay=self.recipe.weight_decay)
        self.gradients = vmap(grad_and_value(self._loss, has_aux=True))

    def epoch(self, number: int) -> list[list[Step]]:
        """Train for an epoch; the steps of every training, whose nets have the new weights then."""
        figures, rates = [], []
        for batches in zip(*(training.batches.epoch(number) for training in self.each), strict=True):
            x, y = (torch.stack(parts) for parts in zip(*batches, strict=True))
            rates.append(learning_rate(self.recipe, self.each[0].step + len(rates), self.each[0].steps))
            figures.append(self._step(x, y, rates[-1]))
        done = self.each[0].step
        table = torch.stack(figures)
        for place, training in enumerate(self.each):
            training.sums += table[:, place].sum(0)
            training.step += len(rates)
        self._hand_back()
        rows = (table / self.each[0].batches.batch_size).tolist()
        return [
            [
                Step(done + i, row[place][0], row[place][1], lr)
                for i, (row, lr) in enumerate(zip(rows, rates, strict=True), start=1)
            ]
            for place in range(len(self.each))
        ]

    def _step(self, x: Tensor, y: Tensor, lr: float) -> Tensor:
        """One step of all; (seeds, 2) with loss and hits of each, times images."""
        with autocast(self.precision, x.device):
            gradients, (losses, logits) = self.gradients(self.weights, x, y)
        for name, weight in self.weights.items():
            weight.grad = gradients[name].detach()
        self.descent.step(lr)
        hits = (logits.argmax(2) == y).sum(1)
        return torch.stack((losses.detach().double() * y.shape[1], hits.double()), 1)

    def _loss(self, weights: Mapping[str, Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = functional_call(self.net, dict(weights), (x,))
        return cross_entropy(logits, y), logits

    @torch.no_grad()
    def _hand_back(self) -> None:
        for place, training in enumerate(self.each):
            for name, weight in training.net.named_parameters():
                weight.copy_(self.weights[name][place])


def _mean_map(input: Tensor) -> Tensor:
    return input.mean((-2, -1), keepdim=True)
