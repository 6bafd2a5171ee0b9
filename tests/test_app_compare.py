"""The Compare page without a browser: recorded first paint, a comparison that fills in, bad links, forged values."""

import csv
import io
import json
from dataclasses import replace

import cached
import compare_data
import pytest
from pages import page_at, text_of
from streamlit.testing.v1 import AppTest

from dfn.referee.budget import on_equal_terms
from dfn.referee.contenders import from_methods
from dfn.referee.results import from_data
from dfn.runs import launch
from dfn.runs.status import Status
from dfn.runs.store import Store
from dfn.runs.worker import work
from dfn.training.comparisons import Frame

TINY = {"deep": "8", "shallow": "5", "fusions": "3", "width": "8", "epochs": "1", "seeds": "2", "against": "plain deep"}
SHAPE = (1, 8, 8)


def _open(**query: str) -> AppTest:
    return page_at("compare", **query).run()


def _button(app: AppTest, key: str):
    return next(button for button in app.button if button.key == key)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No worker is started: what would have been asked for is noted instead."""
    asked: list[list[str]] = []

    def start(runs):
        asked.append([f"{run.recipe.label} seed {run.recipe.seed}" for run in runs])

    monkeypatch.setattr(launch, "start", start)
    return asked


@pytest.mark.slow
def test_first_paint_is_a_recorded_comparison_and_says_so(runs_dir):
    app = _open()
    assert not app.exception
    assert "recorded comparison" in app.info[0].value and "AMD" in app.info[0].value
    assert "0 of 18 runs done" in text_of(app) and "larger than the spread" in text_of(app)
    table = app.dataframe[0].value
    assert table["net"][0] == "fused 50 + 14" and set(table["seeds"]) == {3}
    assert not list(runs_dir.iterdir()), "looking at the page makes no run"


@pytest.mark.slow
def test_without_a_recorded_comparison_the_page_still_stands(runs_dir, monkeypatch, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    monkeypatch.setattr(cached, "RECORDED_COMPARISON", broken)
    app = _open()
    assert not app.exception and not app.dataframe and not _button(app, "compare-start").disabled


@pytest.mark.slow
def test_start_asks_for_a_worker_for_every_seed_and_the_page_fills_in(runs_dir, played):
    app = _open(**TINY)
    _button(app, "compare-start").click().run()
    assert not app.exception
    assert [sorted(group) for group in played] == [[f"fused 8 + 5 seed {s}", f"plain 8 seed {s}"] for s in (0, 1)]
    assert "0 of 4 runs done" in text_of(app) and _button(app, "compare-start").disabled
    runs = Store().runs()
    for run in runs:
        run.write_status(replace(run.status(), state="running", test_accuracy=0.5))
    one = next(run for run in runs if run.recipe.net == "fused" and run.recipe.seed == 0)
    one.write_status(Status("done", test_accuracy=0.9, seconds=2.0))
    app.run()
    assert not app.exception and "1 of 4 runs done" in text_of(app)
    assert app.dataframe[0].value["accuracy"][0] == pytest.approx(90)
    for run in runs:
        accuracy = 0.9 if run.recipe.net == "fused" else 0.4 + run.recipe.seed / 10
        run.write_status(Status("done", test_accuracy=accuracy, seconds=2.0))
    app.run()
    assert not app.exception and "4 of 4 runs done" in text_of(app)
    assert "fused 8 + 5 is 45.0 points ahead of plain 8, larger than the spread of 10.0 points" in text_of(app)
    assert _button(app, "compare-start").disabled and _button(app, "compare-stop").disabled
    assert app.page_link[0].value == "Open 4 runs"


@pytest.mark.slow
def test_stop_keeps_what_was_done_and_go_on_takes_it_up(runs_dir, played):
    app = _open(**TINY)
    _button(app, "compare-start").click().run()
    _button(app, "compare-stop").click().run()
    assert not app.exception
    assert {run.status().state for run in Store().runs()} == {"new"}
    assert len(played) == 2, "what was stopped is not begun again by itself"
    assert _button(app, "compare-start").label == "Go on"
    _button(app, "compare-start").click().run()
    assert len(played) == 4


@pytest.mark.slow
def test_equal_seconds_measure_first_and_then_begin(runs_dir, played):
    app = _open(**TINY, equal="seconds")
    _button(app, "compare-start").click().run()
    assert not app.exception and played == [["fused 8 + 5 seed 0", "plain 8 seed 0"]]
    assert any("pace of every net is measured" in info.value for info in app.info)
    for run in Store().runs():
        seconds = 1.0 if run.recipe.net == "fused" else 0.25
        run.append_records([{"event": "epoch", "epoch": e, "seconds": e * seconds} for e in (0, 1, 2)])
        run.write_status(Status("done", test_accuracy=0.1, seconds=2 * seconds))
    app.run()
    assert not app.exception
    assert len(played) == 3, "the comparison began by itself once the pace was known"
    table = app.dataframe[0].value
    assert list(table["epochs"]) == [1, 4] and "excess" in table
    assert "Measured for one epoch: fused 8 + 5 1.00 s, plain 8 0.25 s" in text_of(app)


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        {"against": "<script>", "seeds": "999999", "equal": "money"},
        {"against": "", "seeds": "-1", "data": "../../etc"},
        {"deep": "2", "shallow": "2", "fusions": "0", "join": "gate"},
        {"epochs": "99999999", "preset": "nonsense", "equal": "parameters"},
    ],
)
def test_bad_links_are_no_errors(runs_dir, query):
    app = _open(**query)
    assert not app.exception


@pytest.mark.slow
def test_forged_values_stay_within_bounds(runs_dir, played):
    app = _open(**TINY)
    app.session_state["seeds"] = 10_000
    app.run()
    assert not app.exception or "range" in str(app.exception[0].message)
    assert len(list(runs_dir.iterdir())) == 0


# ---- without the page ------------------------------------------------------------------------------------------------


def _lines(seeds: int = 2, first: bool = False) -> list[compare_data.Line]:
    settings = {"data": "digits", "epochs": 1, "train_limit": 128, "test_limit": 60}
    contenders = from_methods(Frame((8, 5), 3, 8, 10, 1), ("fused", "plain-shallow"))
    if first:
        make = contenders[1].make
        contenders[0] = replace(contenders[0], first=lambda width, settings: (make(width, settings | {"seed": 99}),))
    entries = on_equal_terms(contenders, 8, settings, SHAPE)
    return [
        compare_data.Line(entry, tuple(map(entry.recipe, range(seeds))), tuple(map(entry.first, range(seeds))))
        for entry in entries
    ]


def test_what_others_start_from_comes_first(runs_dir, played):
    store, lines = Store(), _lines(first=True)
    recipes = compare_data.every_recipe(lines)
    assert [recipe.seed for recipe in recipes] == [99, 0, 1, 0, 1]
    groups = compare_data.ready(lines, compare_data.statuses(recipes, store))
    assert [[recipe.seed for recipe in group] for group in groups] == [[99], [0], [1]], "the taught nets wait"
    store.create(recipes[0]).write_status(Status("done"))
    groups = compare_data.ready(lines, compare_data.statuses(recipes, store))
    assert [[recipe.net for recipe in group] for group in groups] == [["fused", "plain"], ["fused", "plain"]]


def test_what_failed_is_begun_again_only_when_asked(runs_dir, played):
    store, lines = Store(), _lines()
    recipes = compare_data.every_recipe(lines)
    store.create(recipes[0]).write_status(Status("failed"))
    assert compare_data.begin([recipes], store, again=False) == 3
    assert compare_data.begin([recipes], store, again=False) == 0
    assert compare_data.begin([recipes], store, again=True) == 1


def test_trained_runs_become_figures_and_a_table(runs_dir):
    store, lines = Store(), _lines(seeds=1)
    recipes = compare_data.every_recipe(lines)
    work([store.create(recipe) for recipe in recipes])
    found = compare_data.results(lines, compare_data.statuses(recipes, store))
    rows = list(csv.DictReader(io.StringIO(compare_data.table(found))))
    accuracies = [store.get(recipe.id).status().test_accuracy for recipe in recipes]
    assert [float(row["test_accuracy"]) for row in rows] == accuracies
    assert [row["run"] for row in rows] == [recipe.id for recipe in recipes]
    assert compare_data.gaps_of(found)[0].mean == pytest.approx(accuracies[0] - accuracies[1])


def test_the_recorded_comparison_is_what_the_command_printed():
    example = compare_data.recorded(cached.RECORDED_COMPARISON)
    assert example and len(example.results) == 6 and example.machine.device
    value = json.loads(cached.RECORDED_COMPARISON.read_bytes())
    assert from_data(value["results"]) == example.results and value["event"] == "compared"
    assert cached.RECORDED_COMPARISON.stat().st_size < 20_000
