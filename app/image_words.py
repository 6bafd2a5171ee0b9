"""What a net calls an image, in two sentences made from its numbers."""

from collections.abc import Sequence

from picked import Picked
from widgets.words import percent

from dfn.words import _


def verdict(picked: Picked, classes: Sequence[str], probabilities: Sequence[float], epoch: int) -> str:
    """The image's true class where it has one, what the net calls it after this epoch, and how sure it is."""
    called, second, *_rest = sorted(range(len(classes)), key=lambda number: -probabilities[number])
    sure, true = percent(float(probabilities[called])), picked.label
    said = {"epoch": epoch, "called": classes[called], "sure": sure}
    if true is None:
        return _(
            "{name}, which has no label. After epoch {epoch} the net calls it **{called}**, with probability "
            "**{sure}**; next comes {next} with {rest}."
        ).format(name=picked.name, next=classes[second], rest=percent(float(probabilities[second])), **said)
    if called == true:
        return _(
            "A test image of **{true}**. After epoch {epoch} the net calls it **{called}**, with probability "
            "**{sure}**."
        ).format(true=classes[true], **said)
    return _(
        "A test image of **{true}**. After epoch {epoch} the net calls it **{called}** with probability **{sure}**, "
        "which is wrong; the true class gets {rest}."
    ).format(true=classes[true], rest=percent(float(probabilities[true])), **said)


def caption(picked: Picked, classes: Sequence[str]) -> str:
    """The image in a few words, for those who do not see it: `Test image 3, 7`."""
    return picked.name if picked.label is None else f"{picked.name}, {classes[picked.label]}"
