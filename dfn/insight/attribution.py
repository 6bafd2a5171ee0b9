"""Where an answer came from: attribution to the image or to any map of a net, with Captum as the engine.

Captum's hooks are not thread-safe and pages are served by many threads: every call works on a copy of the net of its
own and only one is at work at a time. A map is explained by running the net with that map put in by hand, so that each
method is the same code at the image, at a block and at a join.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from torch.nn.functional import interpolate, one_hot

from dfn.insight.methods import METHODS, MOST_STEPS, STEPS, Method, cell_side, misfit, windows
from dfn.insight.subject import (
    Place,
    Target,
    Unit,
    checked_images,
    checked_target,
    gradients_allowed,
    mark,
    own_copy,
    refusal,
)
from dfn.models.build import FusedNet

BATCH = 16  # images at a time: more only costs memory
TOLERANCE = 0.01  # the completeness gap at which integration stops to take more steps
LARGEST = {"steps": MOST_STEPS, "samples": 1000, "window": 4096, "stride": 4096, "cell": 4096}

Progress = Callable[[int, int], bool | None]

_one_at_a_time = threading.RLock()


class Cancelled(Exception):
    """An attribution that was stopped by its `on_progress`."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method says about N images.

    `values` has the shape of what is explained: (N, C, H, W) of the image, or of the map `at` (grad_cam: one channel).
    `gap` (N,) is the completeness gap |sum of values - change| / |change|, where `change` (N,) is by how much the
    logit differs from that of the baseline; both are None where the method has no such axiom. `target` are the
    classes (N,), or the unit that was explained; `steps` (N,) the integration steps that were taken, if any.
    """

    values: Tensor
    method: str
    at: str
    target: Tensor | Unit
    options: dict[str, Any]
    gap: Tensor | None = None
    change: Tensor | None = None
    steps: Tensor | None = None


def attribute(
    net: FusedNet,
    x: Tensor,
    target: Target | Unit,
    method: str = "integrated_gradients",
    at: str = "input",
    *,
    on_progress: Progress | None = None,
    **options: Any,
) -> Attribution:
    """Share the logit of `target` out over the image, or over the map `at` of the net's trace.

    `x` is (N, C, H, W), normalised; `target` one class for all or one for each image, or a `Unit` of a map, which is
    then explained in terms of the image. `METHODS` says which methods there are, at which places, with which options.
    A `baseline` is an image (C, H, W) or images like x; it is zero, the mean colour, when it is not given, and at a map
    it is that image's map. Integration takes 50 steps and doubles them, up to 1600, for images whose gap is above 1 %,
    or just `steps`. `on_progress(done, total)` is told about passes and stops all with Cancelled if it returns False.
    The net is neither changed nor used. Raises ValueError.
    """
    if method not in METHODS:
        raise refusal("method", method, f"one of {', '.join(METHODS)}")
    facts = METHODS[method]
    settings = _checked_options(method, facts, options)
    with _one_at_a_time, gradients_allowed(), _captum_told():
        copy = own_copy(net)
        bend = misfit(facts, copy.design)
        if bend:
            raise refusal("method", method, f"a method whose rules hold through {bend}, which this net has")
        x = checked_images(copy, x)
        explained: Tensor | Unit = target if isinstance(target, Unit) else checked_target(copy, target, len(x))
        task = _Task(copy, x, explained, facts, at, settings, on_progress)
        values, steps = _ENGINES[method](task)
        gap, change = task.judge(values) if task.complete else (None, None)
        return Attribution(values.detach(), method, at, explained, settings, gap, change, steps)


class _Explained(nn.Module):
    """What Captum sees: from the image, or from a map put in at `place`, to the logits or the unit. Counts its passes
    and asks after every one whether to go on."""

    def __init__(self, net: FusedNet, place: Place | None, unit: Unit | None):
        super().__init__()
        self.net, self.place, self.unit = net, place, unit
        self.done = 0
        self.tell: Callable[[int], None] = lambda done: None

    def forward(self, shown: Tensor, x: Tensor | None = None) -> Tensor:
        if self.place is not None and x is not None:
            self.place.value = shown
        logits, trace = self.net.trace(shown if x is None else x)
        if self.place is not None:
            self.place.value = None
        self.done += len(shown)
        self.tell(self.done)
        if self.unit is None:
            return logits
        unit = self.unit
        return trace[unit.at][:, unit.channel, unit.row, unit.column][:, None]


class _Task:
    """One attribution at work: what is explained, from which baseline, by which function."""

    def __init__(
        self,
        net: FusedNet,
        x: Tensor,
        target: Tensor | Unit,
        method: Method,
        at: str,
        options: dict[str, Any],
        on_progress: Progress | None,
    ):
        self.method, self.options, self.x = method, options, x
        self.target = torch.zeros(len(x), dtype=torch.long, device=x.device) if isinstance(target, Unit) else target
        with torch.no_grad():
            _, trace = net.trace(x[:1])
        kind = "input" if at == "input" else "map"
        maps = [name for name, map_ in trace.items() if map_.dim() == 4]
        known = [place for place in ("input", *maps) if ("input" if place == "input" else "map") in method.places]
        if at not in known:
            raise refusal("at", at, f"one of {', '.join(known)}")
        unit = target if isinstance(target, Unit) else None
        if unit:
            _check_unit(unit, at, {name: trace[name] for name in maps})
        self.place = mark(net, at) if kind == "map" else None
        self.function = _Explained(net, self.place, unit)
        self.shown, self.start = self._map_of(x), self._map_of(_checked_baseline(net, x, options))
        self.extra = (x,) if self.place else None
        # What flows beside one block is not in its values: only a place that everything passes sums to the change.
        through = self.place is None or at.count("/") + at.endswith("/joined") == 2 * at.endswith("/joined")
        layer_wise = method.places == ("map",)
        self.complete = method.completeness and (through or not layer_wise)
        self._layer_wise = layer_wise
        if on_progress is not None:
            self._report(on_progress, method.cost(options, tuple(self.shown.shape[1:])).forward * len(x))

    @property
    def inputs(self) -> Tensor:
        """What Captum is to explain: it wants a leaf that asks for gradients."""
        return (self.x if self._layer_wise else self.shown).clone().requires_grad_()

    def judge(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The completeness gap and the change of the logit, (N,) each."""
        with torch.no_grad():
            if self._layer_wise:
                ends = self.function(self.x), self.function(_checked_baseline(self.function.net, self.x, self.options))
            else:
                extra = self.extra or ()
                ends = self.function(self.shown, *extra), self.function(self.start, *extra)
        change = (ends[0].double() - ends[1].double()).gather(1, self.target[:, None])[:, 0]
        missing = (values.detach().double().flatten(1).sum(1) - change).abs()
        return torch.where(missing == 0, 0.0, missing / change.abs()), change

    def _map_of(self, x: Tensor) -> Tensor:
        if self.place is None:
            return x
        with torch.no_grad():
            return self.function.net.trace(x)[1][self.place.name].clone()

    def _report(self, on_progress: Progress, expected: int) -> None:
        def tell(done: int) -> None:
            if on_progress(done, max(done, expected)) is False:
                raise Cancelled

        self.function.tell = tell
