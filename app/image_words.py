"""What a net calls an image, in two sentences made from its numbers."""

from collections.abc import Sequence

from widgets.words import percent


def verdict(classes: Sequence[str], true: int, probabilities: Sequence[float], epoch: int) -> str:
    """The image's true class, what the net calls it after this epoch, and how sure it is."""
    called = max(range(len(classes)), key=lambda number: probabilities[number])
    sure = percent(float(probabilities[called]))
    said = f"A test image of **{classes[true]}**. After epoch {epoch} the net calls it **{classes[called]}**"
    if called == true:
        return f"{said}, with probability **{sure}**."
    rest = percent(float(probabilities[true]))
    return f"{said} with probability **{sure}**, which is wrong; the true class gets {rest}."
