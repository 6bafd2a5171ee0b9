"""How Captum computes every method of `METHODS`, each engine a few lines from a task to its values.

A map is explained by putting it into the net by hand: to Captum it is the input, so the same engine serves image, block
and join. Methods that follow the image into a map (`layer`) use Captum's layer classes instead.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from captum.attr import (
    DeepLift,
    FeatureAblation,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    InternalInfluence,
    LayerConductance,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from torch import Tensor, nn
from torch.nn.functional import interpolate

from dfn.insight.methods import MOST_STEPS, STEPS, Unit, cell_side, windows
from dfn.insight.subject import Place
from dfn.models.build import FusedNet

BATCH = 16  # images at a time: more only costs memory
TOLERANCE = 0.01  # the completeness gap at which integration stops to take more steps

RULE = "riemann_middle"  # on nets of ReLUs as close as Gauss-Legendre, and its points cost nothing to find
"""The rule of integration."""


class Explained(nn.Module):
    """What Captum sees: from the image, or from a map put in at `place`, to the logits or the unit (N, 1). Tells how
    many images it has passed on."""

    def __init__(self, net: FusedNet, place: Place | None, unit: Unit | None, tell: Callable[[int], None]):
        super().__init__()
        self.net, self.place, self.unit, self.tell = net, place, unit, tell

    def forward(self, shown: Tensor, x: Tensor | None = None) -> Tensor:
        self.tell(len(shown))
        if self.unit is not None:
            unit = self.unit
            return self.net.trace(shown)[1][unit.at][:, unit.channel, unit.row, unit.column, None]
        if x is None:
            return self.net(shown)
        assert self.place is not None
        self.place.value = shown
        logits = self.net(x)
        self.place.value = None
        return logits


@dataclass(frozen=True, eq=False)
class Task:
    """One attribution at work: `shown` (N, ...) is explained against `start`; `images` stand behind a map that is put
    in by hand; `layer` is where methods look that follow the image into a map; `complete` says whether the values
    should sum to the change of the logit."""

    function: Explained
    shown: Tensor
    start: Tensor
    target: Tensor
    images: Tensor | None
    layer: Place | None
    complete: bool
    options: dict[str, Any]

    @property
    def hooked(self) -> Place:
        """The place of a method that follows the image into a map."""
        assert self.layer is not None
        return self.layer

    @property
    def common(self) -> dict[str, Any]:
        """What every attribution of Captum wants: a leaf that asks for gradients, the class, the images behind."""
        return {"inputs": self.shown.clone().requires_grad_(), "target": self.target} | (
            {} if self.images is None else {"additional_forward_args": (self.images,)}
        )

    def take(self, index: Tensor) -> "Task":
        """The same task for some of the images."""
        images = None if self.images is None else self.images[index]
        return replace(self, shown=self.shown[index], start=self.start[index], target=self.target[index], images=images)

    def judge(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The completeness gap and the change of the logit, (N,) each."""
        behind = () if self.images is None else (self.images,)
        with torch.no_grad():
            change = self.function(self.shown, *behind).double() - self.function(self.start, *behind).double()
        change = change.gather(1, self.target[:, None])[:, 0]
        missing = (values.double().flatten(1).sum(1) - change).abs()
        return torch.where(missing == 0, 0.0, missing / change.abs()), change


Answer = tuple[Tensor, Tensor | None]
"""The values and, for what integrates, the steps that were taken for every image (N,)."""


def _saliency(task: Task) -> Answer:
    return Saliency(task.function).attribute(**task.common), None


def _input_x_gradient(task: Task) -> Answer:
    return InputXGradient(task.function).attribute(**task.common), None


def _deep_lift(task: Task) -> Answer:
    return DeepLift(task.function).attribute(baselines=task.start, **_hookable(task).common), None


def _guided_backprop(task: Task) -> Answer:
    return GuidedBackprop(task.function).attribute(**_hookable(task).common), None


def _hookable(task: Task) -> Task:
    """Hooks at every ReLU, also before a map that is put in by hand, take only what asks for gradients."""
    return task if task.images is None else replace(task, images=task.images.clone().requires_grad_())


def _integrated_gradients(task: Task) -> Answer:
    return _integrated(task, lambda part, how: IntegratedGradients(part.function).attribute(**part.common, **how))


def _layer_conductance(task: Task) -> Answer:
    return _integrated(
        task, lambda part, how: LayerConductance(part.function, part.hooked).attribute(**part.common, **how)
    )


def _internal_influence(task: Task) -> Answer:
    return _integrated(
        task, lambda part, how: InternalInfluence(part.function, part.hooked).attribute(**part.common, **how)
    )


def _integrated(task: Task, explain: Callable[[Task, dict[str, Any]], Tensor | tuple[Tensor, ...]]) -> Answer:
    """Integrate with the steps that were asked for, or with more and more where the gap is too large."""
    wanted = task.options["steps"]

    def run(part: Task, steps: int) -> Tensor:
        batch = max(BATCH, len(part.shown))
        how = {"baselines": part.start, "n_steps": steps, "method": RULE, "internal_batch_size": batch}
        return cast(Tensor, explain(part, how)).detach()

    steps = torch.full((len(task.shown),), wanted or STEPS)
    values = run(task, wanted or STEPS)
    while wanted is None and task.complete:
        gap, _ = task.judge(values)
        rough = ((gap.cpu() > TOLERANCE) & (steps < MOST_STEPS)).nonzero()[:, 0]
        if not len(rough):
            break
        steps[rough] *= 2
        values[rough] = run(task.take(rough), int(steps[rough[0]]))
    return values, steps


def _smoothgrad(task: Task) -> Answer:
    count, shown = task.options["samples"], task.shown
    generator = torch.Generator().manual_seed(task.options["seed"])
    sigma = task.options["noise"] * (shown.amax((1, 2, 3)) - shown.amin((1, 2, 3))).view(-1, 1, 1, 1)
    total = torch.zeros_like(shown)
    at_once = max(1, BATCH // len(shown))
    for done in range(0, count, at_once):
        samples = min(at_once, count - done)
        noise = torch.randn((samples, *shown.shape), generator=generator).to(shown)
        repeated = task.take(torch.arange(len(shown)).repeat(samples))
        noisy = replace(repeated, shown=(shown + noise * sigma).flatten(0, 1))
        gradients = Saliency(task.function).attribute(abs=False, **noisy.common)
        total += gradients.view(samples, *shown.shape).sum(0)
    return total / count, None


def _occlusion(task: Task) -> Answer:
    channels = task.shown.shape[1]
    side, stride = windows(task.options, tuple(task.shown.shape[1:]))
    values = Occlusion(task.function).attribute(
        sliding_window_shapes=(channels, side, side),
        strides=(channels, stride, stride),
        baselines=task.start,
        perturbations_per_eval=max(1, BATCH // len(task.shown)),
        **task.common,
    )
    return values, None


def _feature_ablation(task: Task) -> Answer:
    channels, height, width = task.shown.shape[1:]
    side = cell_side(task.options, (channels, height, width))
    if side:
        rows, columns = (torch.arange(length) // side for length in (height, width))
        groups = (rows[:, None] * (int(columns[-1]) + 1) + columns).expand(1, channels, height, width)
    else:
        groups = torch.arange(channels).view(1, -1, 1, 1).expand(1, channels, height, width)
    values = FeatureAblation(task.function).attribute(
        baselines=task.start,
        feature_mask=groups.contiguous().to(task.shown.device),
        perturbations_per_eval=max(1, BATCH // len(task.shown)),
        **task.common,
    )
    return values, None


def _grad_cam(task: Task) -> Answer:
    cam = cast(Tensor, LayerGradCam(task.function, task.hooked).attribute(**task.common))
    cam = cam.relu() if task.options["relu"] else cam
    if task.options["upsample"]:
        cam = interpolate(cam, task.shown.shape[2:], mode="bilinear", align_corners=False)
    return cam, None


ENGINES: dict[str, Callable[[Task], Answer]] = {
    "saliency": _saliency,
    "input_x_gradient": _input_x_gradient,
    "integrated_gradients": _integrated_gradients,
    "smoothgrad": _smoothgrad,
    "deep_lift": _deep_lift,
    "guided_backprop": _guided_backprop,
    "occlusion": _occlusion,
    "feature_ablation": _feature_ablation,
    "grad_cam": _grad_cam,
    "layer_conductance": _layer_conductance,
    "internal_influence": _internal_influence,
}
