"""What runs reached, claims, and the depth map's cells and estimates; no net is trained."""

import json
from dataclasses import replace

import pytest

from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.referee.budget import on_equal_terms
from dfn.referee.claims import Check, Claim, claims
from dfn.referee.contenders import from_methods
from dfn.referee.grid import MOST_CELLS, Cell, Reached, cells, estimated_seconds, first_gradient, reached
from dfn.referee.report import claim_report
from dfn.referee.results import from_data, machine, pace, result, sentences, to_data
from dfn.runs.files import to_line
from dfn.runs.store import Status, Store
from dfn.training.comparisons import Frame

SHAPE = (1, 8, 8)
FRAME = Frame((8, 5), 3, 8, classes=10, in_channels=1)
SETTINGS = {"data": "digits", "epochs": 2}


@pytest.fixture
def entries():
    return on_equal_terms(from_methods(FRAME, ("fused", "plain-deep")), 8, SETTINGS, SHAPE)


def _left(recipe, **status):
    """A run as a worker would have left it."""
    run = Store().create(recipe)
    run.write_status(Status(**status))
    return run


def test_results_follow_the_states_of_the_runs(runs_dir, entries) -> None:
    fused, plain = entries
    done = [_left(fused.recipe(s), state="done", test_accuracy=0.9 + s / 100, seconds=4.0 + 2 * s) for s in (0, 1)]
    _left(plain.recipe(0), state="done", test_accuracy=0.5, seconds=1.0)
    _left(plain.recipe(1), state="paused", test_accuracy=0.3)
    failed = _left(plain.recipe(2), state="failed", message="The disk is full.")
    one, other = (result(entry, range(3), Store()) for entry in entries)
    assert (one.seeds, one.accuracies, one.runs) == ((0, 1), (0.9, 0.91), tuple(run.id for run in done))
    assert (one.mean, one.spread, one.seconds) == (pytest.approx(0.905), pytest.approx(0.01), 5.0)
    assert (other.seeds, other.so_far, other.failed, other.spread) == ((0,), {1: 0.3}, (failed.id,), None)
    assert "40.0 points ahead" in sentences([one, other])[0]
    written = json.loads(to_line(to_data([one, other])))
    assert from_data(written) == [one, other], "what is recorded is read again as it was"
    assert written[1]["difference"]["by_seed"] == {"0": pytest.approx(0.4)}


def test_nothing_is_written_by_looking(runs_dir, entries) -> None:
    found = result(entries[0], range(3), Store())
    assert (found.seeds, found.mean, found.seconds) == ((), None, None) and not list(runs_dir.iterdir())
    assert machine([]) is None


def test_the_machine_is_that_of_the_newest_run(runs_dir, entries) -> None:
    runs = [_left(entry.recipe(0), state="done") for entry in entries]
    runs[1].write_environment({"device": "abacus", "threads": 2, "torch": "1", "python": "3", "dfn": "0"})
    said = str(machine(runs))
    assert "abacus, 2 threads, torch 1, Python 3, dfn 0" in said


def test_the_pace_is_that_of_the_last_epoch(runs_dir, entries) -> None:
    run = Store().create(entries[0].recipe(0))
    assert pace(run) is None
    run.append_records([{"event": "epoch", "epoch": 0, "seconds": 0.5}, {"event": "epoch", "epoch": 1, "seconds": 3.0}])
    assert pace(run) == 2.5
    run.append_records([{"event": "epoch", "epoch": 2, "seconds": 4.0}])
    assert pace(run) == 1.0


# Claims


@pytest.mark.parametrize("claim", claims().values(), ids=lambda claim: claim.name)
def test_claims_are_complete(claim: Claim) -> None:
    names = [contender.name for contender in claim.contenders]
    assert len(set(names)) == len(names) and claim.seeds >= 3
    assert bool(claim.checks) != claim.says.startswith("An open question")
    assert all({check.one, check.other} <= set(names) for check in claim.checks)
    recipes = [contender.make(claim.width, claim.settings | {"seed": 0}) for contender in claim.contenders]
    assert len({recipe.id for recipe in recipes}) == len(recipes), "every row is another net"
    assert not any(contender.first(claim.width, claim.settings) for contender in claim.contenders)


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        (Check("a", "b", 0.09, "every seed"), True),
        (Check("a", "b", 0.15, "every seed"), False),
        (Check("a", "b", 0.15, "mean"), True),
        (Check("a", "b", 0.21, "mean"), False),
        (Check("a", "b", 0.0, "interval"), False),  # 20 +- 24.8 points
        (Check("a", "b", -0.1, "interval"), True),
        (Check("a", "c", 0.0, "mean"), False),  # no seed in common
    ],
)
def test_a_check_holds_or_not(check: Check, holds: bool) -> None:
    nets = {"a": {0: 0.5, 1: 0.6, 2: 0.7}, "b": {0: 0.4, 1: 0.4, 2: 0.4}, "c": {}}
    assert check.holds(nets) is holds


def test_checks_in_words() -> None:
    labels = {"a": "A", "b": "B"}
    assert Check("a", "b", 0.4, "every seed").words(labels) == "A is at least 40 points above B, with every seed"
    assert Check("a", "b", -0.01, "mean").words(labels) == "B is at most 1 point above A, in the mean"
    assert Check("a", "b", 0.0, "interval").words(labels) == "A is above B, with 95 % confidence"


def test_a_report_without_runs_is_a_report(runs_dir) -> None:
    claim = claims()["trainability-digits"]
    found = [
        result(entry, range(3), Store())
        for entry in on_equal_terms(claim.contenders, claim.width, claim.settings, SHAPE)
    ]
    text = claim_report(claim, found, None)
    assert "nothing trained yet" in text and "FAILS" in text and "| fused 52 + 14 | – | – | – | – | – |" in text


def test_an_open_question_is_reported_as_one(runs_dir) -> None:
    short, group = (claims()[f"cifar10-{name}"] for name in ("short", "group"))
    assert (short.settings["epochs"], group.settings["epochs"], group.settings["schedule"]) == (30, 400, "step")
    entries = on_equal_terms(short.contenders, short.width, short.settings, (3, 32, 32))
    text = claim_report(short, [result(entry, range(3), Store()) for entry in entries], None)
    assert "fused 34 + 14" in text and "nothing is claimed" in text and "holds" not in text and "FAILS" not in text


# The depth map


def test_cells_leave_out_what_is_counted_already_and_are_bounded() -> None:
    assert cells([8, 5], [5, 8, 2], [3]) == [Cell(5, 2, 3), Cell(5, 5, 3), Cell(8, 2, 3), Cell(8, 5, 3), Cell(8, 8, 3)]
    assert Cell(26, 8, 6).name == "26-8-6"
    for wrong in (([2], [8], [3]), (range(2, 20), range(2, 20), [3])):
        with pytest.raises(DesignError, match=f"from 1 to {MOST_CELLS}"):
            cells(*wrong)


def test_a_cell_is_the_fused_net_of_its_depths_or_decision_fusion() -> None:
    recipe = Cell(8, 5, 3).recipe(8, 10, 1, SETTINGS)
    assert recipe.id == from_methods(FRAME, ["fused"])[0].make(8, SETTINGS).id
    apart = Cell(8, 5, 0).recipe(8, 10, 1, SETTINGS)
    assert apart.id == from_methods(FRAME, ["decision"])[0].make(8, SETTINGS).id


def test_what_a_cell_reached(runs_dir) -> None:
    cell = Cell(8, 5, 3)
    recipe = cell.recipe(8, 10, 1, SETTINGS)
    nothing = reached(cell, recipe, SHAPE, None, None)
    assert nothing == Reached(cell, recipe.id, "new", macs=cost(recipe.design, SHAPE).macs)
    run = _left(recipe, state="done", test_accuracy=0.8, train_loss=0.4, seconds=3.0)
    run.append_records([{"event": "norms", "gradient": {"stem": 0.25, "fusion1/deep": 1.0}}])
    run.append_records([{"event": "norms", "gradient": {"stem": 9.0}}])
    found = reached(cell, recipe, SHAPE, (run, run.status()), first_gradient(run.metrics()))
    assert (found.accuracy, found.loss, found.stem_gradient, found.seconds) == (0.8, 0.4, 0.25, 3.0)
    assert first_gradient([]) is None
    assert reached(cell, recipe, SHAPE, (run, run.status()), {"branch1/stem": 1.0}).stem_gradient is None


def test_the_estimate_follows_the_runs_that_are_done() -> None:
    row = Reached(Cell(8, 5, 3), "", "done", seconds=3.0, macs=1000)
    other = replace(row, seconds=5.0, macs=2000)
    assert estimated_seconds([1000, 4000], [row, other]) == pytest.approx(3.0 + 9.0), "one second and 2 per thousand"
    assert estimated_seconds([2000], [row]) == pytest.approx(6.0), "one run alone says only its own pace"
    assert estimated_seconds([2000], [row, replace(row, seconds=5.0)]) == pytest.approx(8.0)
    assert estimated_seconds([10], [row, replace(other, seconds=1.0)]) == pytest.approx(2.0), "never a negative pace"
    assert estimated_seconds([10], [replace(row, state="running")]) is None
