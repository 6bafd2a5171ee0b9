"""The figure of a loss over the training: a line a term, and the same in words."""

import pytest

from dfn.figures.loss_weights import loss_weights, loss_weights_alt
from dfn.figures.theme import palette

TERMS = {
    "the classes": ("plain", [0.0, 0.5, 1.0], [1.0, 1.0, 1.0]),
    "hints": ("extra2", [0.0, 0.5, 1.0], [4.0, 2.5, 1]),
}


@pytest.mark.parametrize("dark", [False, True])
def test_every_term_is_a_line_in_percent_of_the_steps(dark: bool) -> None:
    classes, hints = loss_weights(TERMS, dark).data
    assert (classes.name, hints.name) == ("the classes", "hints")
    assert list(hints.x) == [0, 50, 100] and list(hints.y) == [4, 2.5, 1]
    assert hints.line.color == palette(dark)["extra2"]
    assert "hints from 4 at the first step over 2.5 half way to 1" in loss_weights_alt(TERMS)
