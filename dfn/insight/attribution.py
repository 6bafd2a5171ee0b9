"""Where an answer came from: attribution to the image or to any map of a net, with Captum as the engine.

Captum's hooks are not thread-safe and pages are served by many threads, so every call works on a copy of the net of
its own and one call is at work at a time.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dfn.design.errors import whole
from dfn.insight.engines import ENGINES, Explained, Task
from dfn.insight.methods import METHODS, MOST_STEPS, Method, Unit, misfit
from dfn.insight.subject import (
    Target,
    checked_images,
    checked_target,
    gradients_allowed,
    mark,
    own_copy,
    refusal,
)
from dfn.models.build import FusedNet

Progress = Callable[[int, int], bool | None]

MOST_SAMPLES = 1000
LARGEST_SIDE = 4096

_one_at_a_time = threading.RLock()


class Cancelled(Exception):
    """An attribution that was stopped by its `on_progress`."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method says about N images.

    `values` has the shape of what is explained: (N, C, H, W) of the image or of the map `at` (grad_cam: one channel).
    `gap` (N,) is the completeness gap |sum of values - change| / |change|, where `change` (N,) is by how much the
    logit differs from that of the baseline; both are None where the method has no such axiom. `target` is what was
    explained, the classes (N,) or a unit; `steps` (N,) are the steps of integration, if any.
    """

    values: Tensor
    method: str
    at: str
    target: Tensor | Unit
    options: dict[str, Any]
    gap: Tensor | None
    change: Tensor | None
    steps: Tensor | None


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
    A `baseline` is one image (C, H, W) or images like x; it is zero, the mean colour, when it is not given, and at a
    map it is that image's map. Integration takes 50 steps and doubles them, up to 1600, for images whose gap is above
    1 %, or takes just `steps`. `on_progress(done, expected)` counts images passed through the net; where it returns
    False the call ends with Cancelled. The net stays as it was, and untouched. Raises ValueError.
    """
    if method not in METHODS:
        raise refusal("method", method, f"one of {', '.join(METHODS)}")
    facts = METHODS[method]
    settings = _checked_options(method, facts, options)
    with _one_at_a_time, gradients_allowed(), _captum_quiet():
        copy = own_copy(net)
        if bend := misfit(facts, copy.design):
            raise refusal("method", method, f"a method whose rules hold through {bend}, which this net has")
        x = checked_images(copy, x)
        wanted = target if isinstance(target, Unit) else checked_target(copy, target, len(x))
        task = _task(copy, x, wanted, facts, at, settings, on_progress)
        values, steps = ENGINES[method](task)
        values = values.detach()
        gap, change = task.judge(values) if task.complete else (None, None)
    return Attribution(values, method, at, wanted, settings, gap, change, steps)


def _task(
    net: FusedNet,
    x: Tensor,
    target: Tensor | Unit,
    facts: Method,
    at: str,
    options: dict[str, Any],
    on_progress: Progress | None,
) -> Task:
    baseline = baseline_of(net, x, options.get("baseline"))
    with torch.no_grad():
        maps = {name: map_[0] for name, map_ in net.trace(x[:1])[1].items() if map_.dim() == 4}
    unit = _checked_unit(target, maps) if isinstance(target, Unit) else None
    known = (["input"] if "input" in facts.places else []) + (list(maps) if "map" in facts.places and not unit else [])
    if at not in known:
        raise refusal("at", at, f"{', '.join(known) or 'a method of the image'}, with this method and target")
    place = None if at == "input" else mark(net, at)
    follows = "input" not in facts.places
    by_hand = place is not None and not follows
    shown, start = x, baseline
    if by_hand:
        with torch.no_grad():
            shown, start = (net.trace(image)[1][at].clone() for image in (x, baseline))
    passes = facts.cost(options, tuple(shown.shape[1:])).forward * len(x)
    return Task(
        Explained(net, place, unit, _counter(on_progress, passes)),
        shown,
        start,
        torch.zeros(len(x), dtype=torch.long, device=x.device) if isinstance(target, Unit) else target,
        images=x if by_hand else None,
        layer=place if follows else None,
        complete=facts.completeness and (not follows or _everything_passes(at)),
        options=options,
    )


def _everything_passes(at: str) -> bool:
    """Whether all paths lead through a map: not where it belongs to a block, beside which the others flow."""
    return "/" not in at or (at.count("/") == 1 and at.endswith("/joined"))


def _counter(on_progress: Progress | None, expected: int) -> Callable[[int], None]:
    done = 0

    def tell(images: int) -> None:
        nonlocal done
        done += images
        if on_progress is not None and on_progress(done, max(done, expected)) is False:
            raise Cancelled

    return tell


def baseline_of(net: FusedNet, x: Tensor, baseline: Any) -> Tensor:
    """The baseline images, shaped like x, for what was given as the option `baseline`; raises ValueError."""
    if baseline is None:
        return torch.zeros_like(x)
    if isinstance(baseline, Tensor) and baseline.dim() == 3:
        baseline = baseline[None]
    images = checked_images(net, baseline, "baseline")
    if images.shape[1:] != x.shape[1:] or len(images) not in (1, len(x)):
        raise refusal("baseline", tuple(images.shape), f"one image {tuple(x.shape[1:])} or {len(x)} of them")
    return images.expand_as(x)


def _checked_unit(unit: Unit, maps: dict[str, Tensor]) -> Unit:
    if unit.at not in maps:
        raise refusal("target.at", unit.at, f"one of {', '.join(maps)}")
    for name, size in zip(("channel", "row", "column"), maps[unit.at].shape, strict=True):
        whole(f"target.{name}", getattr(unit, name), 0, size - 1)
    return unit


def _checked_options(name: str, facts: Method, given: dict[str, Any]) -> dict[str, Any]:
    for option in given:
        if option not in facts.options:
            raise refusal(option, given[option], f"with {name} only {', '.join(facts.options) or 'no options'}")
    settings = {**facts.options, **given}
    for option, value in settings.items():
        if value is None and facts.options[option] is None:
            continue
        match option:
            case "steps":
                whole(option, value, 2, MOST_STEPS)
            case "samples":
                whole(option, value, 1, MOST_SAMPLES)
            case "window" | "stride":
                whole(option, value, 1, LARGEST_SIDE)
            case "cell":
                whole(option, value, 0, LARGEST_SIDE)
            case "seed":
                whole(option, value, 0, 2**63 - 1)
            case "noise":
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
                    raise refusal(option, value, "a number from 0 to 10, in units of the range of values")
            case "relu" | "upsample":
                if not isinstance(value, bool):
                    raise refusal(option, value, "True or False")
    return settings


@contextmanager
def _captum_quiet() -> Iterator[None]:
    """Captum warns that it sets hooks and removes them afterwards, which is what we ask of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting (forward, )?backward hooks", UserWarning)
        yield
