"""What a net calls an image, in two sentences made from its numbers."""

from collections.abc import Sequence

from picked import Picked
from widgets.words import percent


def verdict(picked: Picked, classes: Sequence[str], probabilities: Sequence[float], epoch: int) -> str:
    """The image's true class where it has one, what the net calls it after this epoch, and how sure it is."""
    called, second, *_ = sorted(range(len(classes)), key=lambda number: -probabilities[number])
    sure, true = percent(float(probabilities[called])), picked.label
    says = f"After epoch {epoch} the net calls it **{classes[called]}**"
    if true is None:
        rest = percent(float(probabilities[second]))
        return (
            f"{picked.name}, which has no label. {says}, with probability **{sure}**; next comes "
            f"{classes[second]} with {rest}."
        )
    said = f"A test image of **{classes[true]}**. {says}"
    if called == true:
        return f"{said}, with probability **{sure}**."
    rest = percent(float(probabilities[true]))
    return f"{said} with probability **{sure}**, which is wrong; the true class gets {rest}."


def caption(picked: Picked, classes: Sequence[str]) -> str:
    """The image in a few words, for those who do not see it: `Test image 3, 7`."""
    return picked.name if picked.label is None else f"{picked.name}, {classes[picked.label]}"
