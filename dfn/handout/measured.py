"""What the views in the page of a run draw: its net, its curves, and its maps within a bound of bytes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dfn.data.errors import DataError
from dfn.data.info import data_sets
from dfn.design.cost import cost
from dfn.design.errors import whole
from dfn.design.picture import picture
from dfn.figures.theme import ROLES
from dfn.insight.maps import Place, SnapshotError, map_stacks, places
from dfn.insight.maps_view import answers, photo, view_data
from dfn.runs.progress import Progress
from dfn.runs.run import Run
from dfn.runs.store import kept_epochs
from dfn.views.learning import Learner, panels

if TYPE_CHECKING:
    from dfn.data import Dataset

MOST_BYTES = 16_000_000
MOST_IMAGES = 8
USUAL_IMAGES = 3
FOLDER_SIDE = 32  # of the images of a folder whose recipe says no size
BYTES_A_VALUE = 8 / 3  # float16 in base64


def net(run: Run, alt: str) -> dict[str, Any]:
    """What the net diagram draws; blocks are not exchanged in the page."""
    recipe = run.recipe
    known = data_sets().get(recipe.data)
    side = recipe.size or (known.shape[1] if known else FOLDER_SIDE)
    drawn = picture(recipe.design, (recipe.design.in_channels, side, side))
    elements = [{**element, "exchangeable": False} for element in drawn["elements"]]
    return {**drawn, "elements": elements, "alt": alt, "compact": False, "selected": None}


def curves(run: Run) -> dict[str, Any] | None:
    """Training loss and test accuracy; None where nothing was trained yet."""
    known = Progress()
    known.update(run)
    if known.begin is None or not known.steps:
        return None
    learner = Learner(run.id, run.name, run.recipe.net if run.recipe.net in ROLES else "plain", **known.curves)
    return {"panels": panels([learner]), "height": 300}


def maps(run: Run, images: Sequence[int] | None) -> tuple[dict[str, Any] | None, str]:
    """The maps of these test images at every place and kept epoch, and what had to be left out, in a sentence. There
    are none where the run kept no weights, or where its images cannot be had here."""
    from dfn.runs.weights import data_of

    kept = run.snapshots()
    if not kept:
        return None, "There are no maps: this run kept no weights."
    try:
        data = data_of(run)
    except DataError:
        return None, "There are no maps: the images of this run cannot be read on the machine that made this page."
    numbers = list(range(min(USUAL_IMAGES, len(data.test)))) if images is None else list(dict.fromkeys(images))
    for number in numbers:
        whole("image", number, 0, len(data.test) - 1)
    whole("images", len(numbers), 1, MOST_IMAGES)
    found, epochs, lacking = _within(run, list(kept), data.shape, len(numbers))
    try:
        shown = [_of_image(run, found, epochs, data, number) for number in numbers]
    except SnapshotError as error:
        return None, f"There are no maps: {error}."
    names = [f"{number}: {data.classes[int(data.test.labels[number])]}" for number in numbers]
    return {"images": names, "places": [place.title for place in found], "shown": shown}, lacking


def _within(run: Run, kept: list[int], shape: tuple[int, int, int], images: int) -> tuple[list[Place], list[int], str]:
    """The places and epochs whose maps fit into MOST_BYTES."""
    design = run.recipe.design
    shapes, found = cost(design, shape).shapes, places(design)
    values = {place: max(math.prod(shapes[name]) for name in place.names if name in shapes) for place in found}
    size = {place: BYTES_A_VALUE * images * len(place.names) * values[place] for place in found}
    fewest = min(2, len(kept))
    fitting: set[Place] = set()
    for place in sorted(found, key=size.__getitem__):
        if fewest * sum(size[other] for other in (*fitting, place)) <= MOST_BYTES:
            fitting.add(place)
    shown = [place for place in found if place in fitting]
    room = int(MOST_BYTES / max(1, sum(size[place] for place in shown)))
    epochs = [kept[at] for at in kept_epochs(len(kept) - 1, room)]
    left_out = [place.title for place in found if place not in fitting]
    lacking = [f"{len(epochs)} of {len(kept)} kept epochs"] if len(epochs) < len(kept) else []
    lacking += [f"no maps of {', '.join(left_out)}"] if left_out else []
    bound = f"so that the maps take no more than {MOST_BYTES // 10**6} MB"
    return shown, epochs, f"This page has {' and '.join(lacking)}, {bound}." if lacking else ""


def _of_image(
    run: Run, found: Sequence[Place], epochs: Sequence[int], data: "Dataset", number: int
) -> list[dict[str, Any]]:
    from dfn.insight.fields import theoretical_fields

    design, image, label = run.recipe.design, data.test.images[number], int(data.test.labels[number])
    names = [name for place in found for name in place.names]
    files = {epoch: run.snapshot_file(epoch) for epoch in epochs}
    stacks, probabilities = map_stacks(design, files, data.normalise(image[None])[0], names)
    fields = {name: theoretical_fields(design, name) for name in names}
    about = {
        "image": photo(image.permute(1, 2, 0).numpy(), f"Test image {number}, {data.classes[label]}"),
        "answers": answers(data.classes, label, probabilities),
        "fusions": len(found),
        "scale": "shared",
        "range": None,
    }
    return [view_data(place, stacks, epochs, epochs[-1], fields, names=place.names, **about) for place in found]
