"""What may stand beside a picture, and the question that it answers. No drawing and no cache of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cached
from attribution_data import INPUT, Asked, fitting
from maps_data import run_with_maps, trained_apart
from picked import numbered_image
from widgets.method_choice import UNIT, Beside, class_of

from dfn.design.spec import to_json
from dfn.insight.methods import METHODS, Unit
from dfn.runs.run import Run
from dfn.words import _


@dataclass(frozen=True)
class Other:
    """A picture to compare with: its question, the run that answers it, and what is different about it."""

    run: Run
    asked: Asked
    title: str


def offered(run: Run, asked: Asked, images: int, alone: Other | None) -> dict[str, list[str]]:
    """The kinds of pictures that may stand beside, and what there is to choose from; the first is taken at first."""
    epochs = list(run.snapshots())
    methods, _refused = fitting(asked.at, run.recipe.design)
    found = {"method": sorted(methods, key=lambda name: name == asked.method)}
    if len(epochs) > 1:
        found["epoch"] = [str(kept) for kept in sorted(epochs, key=lambda kept: (kept == asked.epoch, kept))]
    after = 0 if asked.image.number is None else asked.image.number + 1
    found["image"] = [str((after + step) % images) for step in range(images)]
    if epochs[0] == 0:
        found["untrained"] = []
    if alone:
        found["apart"] = []
    return found


def trained_alone(run: Run, asked: Asked, number: int, shape: Sequence[int]) -> Other | None:
    """The deep base of this net trained alone, at the same place or with the same unit (of a map of this shape), at its
    last kept epoch up to this one; None where there is none."""
    runners = [runner for runner in trained_apart(run.recipe) if runner.role == "plain"]
    shown = run_with_maps(runners[0].recipe.id, cached.RECORDED) if runners else None
    if shown is None:
        return None
    map_ = f"block{number}"
    at = INPUT if asked.at == INPUT else map_
    target = replace(asked.target, at=map_) if isinstance(asked.target, Unit) else asked.target
    recipe = shown.run.recipe
    shapes = cached.costs(to_json(recipe.design), cached.image_shape(recipe)).shapes
    if (at == map_ or target != asked.target) and shapes.get(map_) != tuple(shape):
        return None
    kept = list(shown.run.snapshots())
    epoch = max((one for one in kept if one <= asked.epoch), default=kept[0])
    there = replace(asked, folder=str(shown.run.folder), epoch=epoch, at=at, target=target)
    return Other(shown.run, there, _("{label}, trained apart").format(label=runners[0].label))


def other(run: Run, asked: Asked, beside: Beside, target: str, alone: Other | None) -> Other | None:
    """The picture that was chosen; None where nothing stands beside. Another image is asked for its own class where the
    class is the called or the true one."""
    match beside.kind:
        case "method":
            return Other(run, replace(asked, method=beside.what), _(METHODS[beside.what].title))
        case "epoch":
            title = _("After epoch {epoch}").format(epoch=beside.what)
            return Other(run, replace(asked, epoch=int(beside.what)), title)
        case "untrained":
            return Other(run, replace(asked, epoch=0), _("Before training"))
        case "image":
            image = numbered_image(cached.images_of(run), int(beside.what))
            called = cached.called_class(asked.folder, asked.epoch, image)
            same = asked.target if target == UNIT else class_of(target, called, image.label)
            return Other(run, replace(asked, image=image, target=same), image.name)
        case "apart":
            return alone
    return None
