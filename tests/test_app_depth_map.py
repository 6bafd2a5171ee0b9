"""The Depth map page without a browser: recorded first paint, bounds and cost, a map that fills in, bad links."""

from types import SimpleNamespace

import cached
import depth_map_data
import pytest
from pages import page_at, text_of
from streamlit.testing.v1 import AppTest

from dfn.referee.grid import Cell, Reached
from dfn.runs import launch
from dfn.runs.progress import Progress
from dfn.runs.status import Status
from dfn.runs.store import Store

TINY = {"deeps": ["8"], "shallows": ["2", "5"], "joins": ["3"], "epochs": "1"}
SHAPE = (1, 8, 8)


def _open(**query) -> AppTest:
    return page_at("depth_map", **query).run()


def _button(app: AppTest, key: str):
    return next(button for button in app.button if button.key == key)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No worker is started: what would have been asked for is noted instead."""
    asked: list[list[str]] = []
    monkeypatch.setattr(launch, "start", lambda runs: asked.append([run.recipe.label for run in runs]))
    return asked


@pytest.mark.slow
def test_first_paint_is_a_recorded_map_and_says_what_the_own_one_costs(runs_dir):
    app = _open()
    assert not app.exception
    assert "recorded map" in app.info[0].value
    assert "15 nets of 15 to train, about" in text_of(app) and "recorded map" in text_of(app)
    assert app.selectbox(key="cell-choice").value == "50-14-6"
    assert not list(runs_dir.iterdir())


@pytest.mark.slow
def test_without_a_recorded_map_the_squares_are_empty(runs_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED_MAP", tmp_path / "nothing.json")
    app = _open()
    assert not app.exception and "15 nets of 15 to train" in text_of(app)


@pytest.mark.slow
def test_start_fills_the_map_in_and_a_square_opens_its_run(runs_dir, played):
    app = _open(**TINY)
    assert "2 nets of 2 to train" in text_of(app)
    _button(app, "map-start").click().run()
    assert not app.exception
    assert [sorted(group) for group in played] == [["fused 8", "fused 8 + 5"]], "one worker for a column"
    small, large = sorted(Store().runs(), key=lambda run: len(run.recipe.label))
    large.append_records([{"event": "norms", "step": 1, "gradient": {"stem": 0.125}}])
    large.write_status(Status("done", step=22, steps=22, test_accuracy=0.7, train_loss=1.5, seconds=3.0))
    app.run()
    assert not app.exception and "1 net of 2 to train, about" in text_of(app)
    text = text_of(app)
    assert "test accuracy: **70 %**" in text and "stem gradient: **0.12**" in text and "loss: **1.50 nats**" in text
    assert {link.value for link in app.page_link} == {"Open its run", "Its maps"}
    app.selectbox(key="cell-choice").set_value("8-2-3").run()
    assert not app.exception and "test accuracy: **–**" in text_of(app)
    small.write_status(Status("done", step=22, steps=22, test_accuracy=0.8, seconds=3.0))
    app.run()
    assert "All 2 nets are trained" in text_of(app) and _button(app, "map-start").disabled


@pytest.mark.slow
@pytest.mark.parametrize("show", ["accuracy", "loss", "stem_gradient"])
def test_every_quantity_can_be_shown(runs_dir, show):
    app = _open(show=show, cell="26-8-6")
    assert not app.exception and not app.warning
    assert app.selectbox(key="cell-choice").value == "26-8-6"


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        {"deeps": ["999999"], "cell": "<b>", "show": "money"},
        {"deeps": ["2"], "shallows": ["50"]},
        {"mapwidth": "100000", "seed": "-5", "joins": ["nonsense"]},
    ],
)
def test_bad_links_are_no_errors(runs_dir, query):
    app = _open(**query)
    assert not app.exception


@pytest.mark.slow
def test_too_large_a_grid_is_refused_in_words(runs_dir, played):
    every = [str(depth) for depth in (2, 5, 8, 14, 20, 26, 38, 50)]
    app = _open(deeps=every, shallows=every, joins=["3", "6"])
    assert not app.exception and "from 1 to 64 nets" in app.error[0].value
    assert not [button for button in app.button if button.key == "map-start"]


# ---- without the page ------------------------------------------------------------------------------------------------


def test_cells_of_one_deep_depth_share_a_worker():
    grid = (Cell(5, 2, 3), Cell(8, 2, 3), Cell(8, 5, 3), Cell(8, 5, 6))
    found = depth_map_data.recipes(grid, 8, 10, {"data": "digits"}, SHAPE)
    groups = depth_map_data.columns(found)
    assert [len(group) for group in groups] == [1, 2, 1]


def test_values_and_bounds_of_a_map(runs_dir):
    grid = (Cell(8, 2, 3), Cell(8, 5, 3))
    found = depth_map_data.recipes(grid, 8, 10, {"data": "digits"}, SHAPE)
    run = Store().create(found[grid[0]])
    status = Status("running", test_accuracy=0.6, train_loss=1.0)
    read = {run.id: SimpleNamespace(first_norms={"gradient": {"stem": 2.0}})}
    rows = depth_map_data.measured(found, {run.id: (run, status)}, read, SHAPE)  # pyright: ignore
    assert depth_map_data.values(rows, "accuracy", 3) == {(8, 2): 0.6, (8, 5): None}
    assert depth_map_data.values(rows, "stem_gradient", 3) == {(8, 2): 2.0, (8, 5): None}
    assert depth_map_data.bounds(rows, "loss") == (1.0, 1.0) and depth_map_data.bounds([], "loss") is None
    assert Progress().first_norms is None


def test_what_is_left_is_reckoned_by_own_runs_or_by_the_recorded_map():
    row = Reached(Cell(8, 2, 3), "", "done", seconds=4.0, macs=1000)
    left = Reached(Cell(8, 5, 3), "", "new", macs=1000)
    example = depth_map_data.recorded(cached.RECORDED_MAP)
    assert example and len(example.cells) == 15 and example.steps == 110
    assert depth_map_data.seconds_left([row, left], 110, example) == (4.0, "at the pace of the cells that are done")
    one, ten = (depth_map_data.seconds_left([left], steps, example) for steps in (110, 1100))
    assert one and ten and ten[0] == pytest.approx(10 * one[0])
    assert depth_map_data.seconds_left([left], 110, None) is None
    assert cached.RECORDED_MAP.stat().st_size < 10_000
