"""What the view `maps` is told: the maps of one place at all epochs, the image, what the net said of it, and what every
place can see."""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dfn.design.nodes import Join
from dfn.insight.maps import Place, Stack, lane_words
from dfn.words import N_, _, ngettext

if TYPE_CHECKING:
    from dfn.insight.fields import Fields

LARGEST_HALF = 65504.0
_BETWEEN: dict[Join, str] = {"max": N_("or"), "concat": ","}
_RESULT: dict[Join, str] = {
    "sum": N_("joined"),
    "mean": N_("mean"),
    "max": N_("maximum"),
    "concat": N_("side by side"),
    "gate": N_("weighted sum"),
    "weighted": N_("weighted sum"),
    "adaptive": N_("weighted sum"),
    "inverse-variance": N_("weighted sum"),
}


def view_data(
    place: Place,
    stacks: Mapping[str, Stack],
    epochs: Sequence[int],
    epoch: int,
    fields: "Mapping[str, Fields] | None" = None,
    **more: Any,
) -> dict[str, Any]:
    """The data of the view `maps`: the maps of one place at all these epochs, side by side.

    `fields` are the receptive fields of these maps by name. `more` are the view's settings: `scale`, `range`,
    `scrubber`, `image` (see `photo`), `answers` (see `answers`), `fusions` (how many places the keys 1 to 9 may ask
    for), and `pins`: `{"places": [{"channel", "row", "col"}, ...], "a": epoch, "b": epoch, "compare": bool}`, all of
    them optional. What the reader pins comes back in the same form as the event `pin`.
    """
    largest = max((stacks[name] for name in place.names), key=lambda stack: stack.shape[1])
    channels, height, width = largest.shape[1:]
    shown = dict(stacks)
    if place.join == "concat":
        shown |= _spread([stacks[name] for name in place.blocks], place.blocks, channels)

    def panel(name: str, id: str, title: str, role: str) -> dict[str, Any]:
        seen = {"fields": _plain(fields[name])} if fields else {}
        return {"id": id, "title": title, "role": role, "data": encode(shown[name]), **seen}

    panels = [
        panel(name, lane, _block_title(place, lane, depth), lane)
        for name, lane, depth in zip(place.blocks, place.lanes, place.depths, strict=True)
    ]
    arithmetic, operators = None, [""] * (len(panels) - 1)
    if place.joined and place.join:
        terms = list(place.lanes)
        arithmetic = {"terms": terms, "result": "joined", "join": place.join, "relu": place.relu}
        operators = [_(_BETWEEN.get(place.join, "+"))] * (len(terms) - 1) + ["="]
        title = _(_RESULT[place.join])
        title = _("{result}, then ReLU").format(result=title) if place.relu else title
        panels.append(panel(place.joined, "joined", title, "fused"))
    elif place.joined:
        panels.append(panel(place.joined, "map", place.title, "plain"))
    grid = {"height": height, "width": width, "channels": channels, "epochs": list(epochs), "epoch": epoch}
    return {**grid, "panels": panels, "operators": operators, "arithmetic": arithmetic, **more}


def encode(stack: Stack) -> str:
    """Maps (epochs, channels, rows, columns) as the view reads them: little-endian float16 in base64."""
    halves = np.clip(stack, -LARGEST_HALF, LARGEST_HALF).astype("<f2")
    return base64.b64encode(halves.tobytes()).decode()


def photo(pixels: NDArray[np.uint8], alt: str) -> dict[str, Any]:
    """An image (H, W, C) of bytes as the view reads it; `alt` says what it shows."""
    height, width = pixels.shape[:2]
    return {"pixels": base64.b64encode(pixels.tobytes()).decode(), "height": height, "width": width, "alt": alt}


def answers(classes: Sequence[str], label: int | None, probabilities: NDArray[Any]) -> dict[str, Any]:
    """What the net said of an image at every epoch, from its probabilities (epochs, classes): that of the class
    `label`, the greatest of all others, and the class that it called with its probability. An image without a label is
    followed by the class that is called last."""
    called = probabilities.argmax(1)
    followed = int(called[-1]) if label is None else label
    others = np.delete(probabilities, followed, axis=1)
    return {
        "followed": classes[followed],
        "labelled": label is not None,
        "of_followed": probabilities[:, followed].tolist(),
        "other": others.max(1).tolist() if others.size else [0.0] * len(called),
        "called": [classes[number] for number in called],
        "sure": probabilities.max(1).tolist(),
    }


def _plain(fields: "Fields") -> dict[str, Any]:
    """Counts as text: they may be more than a double can hold."""
    paths = [[before, behind, str(count)] for (before, behind), count in fields.paths.items()]
    return {"step": fields.step, "paths": paths}


def _block_title(place: Place, lane: str, depth: int) -> str:
    name = lane_words(lane)
    if not place.joined:
        return _("{name} net").format(name=name)
    if depth == 0:
        return _("{lane} block, identity").format(lane=name)
    words = ngettext("{lane} block, {count} conv", "{lane} block, {count} convs", depth)
    return words.format(lane=name, count=depth)


def _spread(stacks: Sequence[Stack], names: Sequence[str], channels: int) -> dict[str, Stack]:
    """The branches of a concat, each at the channels that it becomes, with nothing (NaN) at the others'."""
    spread, start = {}, 0
    for name, stack in zip(names, stacks, strict=True):
        count, *size = stack.shape[1:]
        spread[name] = np.full((len(stack), channels, *size), np.nan, dtype=np.float32)
        spread[name][:, start : start + count] = stack
        start += count
    return spread
