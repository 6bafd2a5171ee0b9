"""Equal terms: widths and epochs against brute force, and what remains over."""

import pytest

from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.referee.budget import BUDGETS, PILOT_EPOCHS, WORDS, Entry, on_equal_terms, pilot
from dfn.referee.contenders import USUAL, Contender, from_methods
from dfn.training.comparisons import Frame, methods

SHAPE = (1, 8, 8)
FRAME = Frame((26, 8), 6, 8, classes=10, in_channels=1)
SETTINGS = {"data": "digits", "epochs": 5}


def _terms(budget, paces=None, names=USUAL, frame=FRAME) -> dict[str, Entry]:
    entries = on_equal_terms(from_methods(frame, names), frame.width, SETTINGS, SHAPE, budget, paces)
    return {entry.contender.name: entry for entry in entries}


def test_equal_epochs_are_the_recipes_of_the_methods() -> None:
    for name, entry in _terms("epochs").items():
        assert entry.recipe(3).id == methods()[name].make(FRAME, SETTINGS | {"seed": 3}).id
        figures = cost(entry.recipe(0).design, SHAPE)
        assert (entry.parameters, entry.macs) == (figures.parameters, figures.macs)
        assert entry.excess == 0 and entry.epochs == 5


@pytest.mark.parametrize("frame", [FRAME, Frame((50, 14), 3, 5, 10, 1, "concat"), Frame((9, 2), 1, 1, 10, 1)])
def test_no_width_comes_nearer_to_the_parameters(frame: Frame) -> None:
    entries = _terms("parameters", frame=frame)
    wanted = entries["fused"].parameters
    assert entries["fused"].width == frame.width and entries["fused"].excess == 0
    for contender in from_methods(frame, USUAL[1:]):
        off = {}
        for width in range(1, 6 * frame.width + 6):
            try:
                off[width] = abs(cost(contender.make(width, SETTINGS).design, SHAPE).parameters - wanted)
            except DesignError:
                continue
        found = entries[contender.name]
        assert abs(found.parameters - wanted) == min(off.values()), contender.name
        assert found.width in [width for width, amount in off.items() if amount == min(off.values())]
        assert found.excess == pytest.approx(found.parameters / wanted - 1)
        assert found.epochs == 5


def test_no_number_of_epochs_comes_nearer_to_the_multiply_adds() -> None:
    entries = _terms("macs")
    wanted = 5 * entries["fused"].macs
    for entry in entries.values():
        assert entry.width == FRAME.width
        best = min(range(1, 200), key=lambda epochs: abs(epochs * entry.macs - wanted))
        assert entry.epochs == best and entry.recipe(0).epochs == best
        assert entry.excess == pytest.approx(best * entry.macs / wanted - 1)


def test_equal_seconds_follow_the_measured_pace() -> None:
    entries = _terms("seconds", {"fused": 1.0, "plain-deep": 0.6, "plain-shallow": 0.1}, USUAL[:3])
    assert [entry.epochs for entry in entries.values()] == [5, 8, 50]
    assert entries["plain-deep"].excess == pytest.approx(8 * 0.6 / 5 - 1) and entries["plain-deep"].pace == 0.6
    slow = _terms("seconds", {"fused": 1.0, "resnet": 99.0}, ("fused", "resnet"))["resnet"]
    assert slow.epochs == 1 and slow.excess == pytest.approx(99 / 5 - 1), "what cannot be equal is said"


def test_a_pilot_is_a_short_training_of_the_same_net() -> None:
    (contender,) = from_methods(FRAME, ["resnet"])
    recipe, short = contender.make(8, SETTINGS), pilot(contender, 8, SETTINGS | {"seed": 4})
    assert short.design == recipe.design and (short.epochs, short.seed) == (PILOT_EPOCHS, 0)


def test_every_budget_has_its_words() -> None:
    assert set(BUDGETS) == set(WORDS)


def test_labels_and_names_tell_the_methods_apart() -> None:
    found = from_methods(FRAME, [*methods(), "fused"])
    assert [contender.name for contender in found] == list(methods()), "each once"
    assert len({contender.label for contender in found}) == len(found)


def test_a_method_brings_the_runs_it_starts_from() -> None:
    (teacher, student) = from_methods(FRAME, ("plain-shallow", "plain-deep"))
    taught = Contender("taught", "taught", "extra1", student.make, lambda width, s: (teacher.make(width, s),))
    (entry,) = on_equal_terms([taught], 8, SETTINGS, SHAPE)
    assert [recipe.id for recipe in entry.first(2)] == [teacher.make(8, SETTINGS | {"seed": 2}).id]
