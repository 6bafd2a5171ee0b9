"""The Train page without a browser: an empty store shows the recorded example, a filled one its own runs."""

from dataclasses import replace

import pytest
from pages import page_at
from race import line_up
from streamlit.testing.v1 import AppTest

import dfn
from dfn.runs import launch
from dfn.runs.store import RunError, Store
from dfn.runs.worker import work
from dfn.training.recipe import PRESETS

TINY = {"deep": "8", "shallow": "5", "fusions": "3", "width": "4", "epochs": "2"}


def _open(**query: str) -> AppTest:
    return page_at("train", **query).run()


def _button(app: AppTest, key: str):
    return next(b for b in app.button if b.key == key)


def _metrics(app: AppTest) -> list[str]:
    return [m.value for m in app.metric if m.label == "test accuracy"]


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No worker is started: what would have been asked for is noted instead."""
    asked: list[list[str]] = []
    monkeypatch.setattr(launch, "start", lambda runs: asked.append([run.recipe.label for run in runs]))
    return asked


@pytest.mark.medium
def test_first_paint_shows_the_recorded_example_and_says_so(runs_dir):
    app = _open()
    assert not app.exception
    assert any("recorded example" in info.value for info in app.info)
    assert len(_metrics(app)) == 4
    assert not _button(app, "play").disabled and _button(app, "rewind").disabled


@pytest.mark.medium
def test_play_enters_every_net_of_the_race_and_asks_for_one_worker(runs_dir, spawned):
    app = _open(**TINY, rivals="late fusion")
    _button(app, "play").click().run()
    assert not app.exception
    assert spawned == [["fused 8 + 5", "late 8 + 5"]] or spawned == [["late 8 + 5", "fused 8 + 5"]]
    assert len(Store().runs()) == 2


@pytest.mark.medium
def test_further_methods_enter_the_race_and_their_teacher_first(runs_dir, spawned):
    app = _open(
        **TINY,
        rivals="plain deep",
        methods=["transfer: FitNets", "supervision: companion losses"],
        patience="2",
        decay="false",
    )
    _button(app, "play").click().run()
    assert not app.exception and not app.error
    labels = [
        "fused 8 + 5",
        "plain 8",
        "plain 8, companions",
        "plain 5",
        "plain 8, hinted",
    ]
    assert sorted(spawned[0]) == sorted(f"{label}, no weight decay, early stopping" for label in labels)
    assert any("learns from it" in c.value for c in app.caption)


@pytest.mark.medium
def test_a_finished_race_shows_its_figures_and_the_honest_sentence(runs_dir):
    app = _open(**TINY, rivals="plain deep")
    store = Store()
    design = dfn.fused(8, 5, 3, 4, in_channels=1)
    settings = dict(PRESETS["classroom"].settings) | {"epochs": 2, "data": "digits", "seed": 0}
    runs = [store.create(r.recipe) for r in line_up(design, (8, 5), 3, 4, ["plain deep"], settings)]
    work(runs)
    app.run()
    assert not app.exception
    reached = [f"{100 * run.status().test_accuracy:.1f} %" for run in runs]
    assert _metrics(app) == reached
    assert any(reached[0] in m.value and "After 2 epochs" in m.value for m in app.markdown)
    assert not app.get("plotly_chart"), "drawn when it is asked for"
    app.session_state["confusion"] = True
    app.run()
    charts = [chart.proto for chart in app.get("plotly_chart")]
    assert [f"{share} on the diagonal" in chart.alt for share, chart in zip(reached, charts, strict=True)] == [True] * 2
    assert _button(app, "play").disabled and not _button(app, "rewind").disabled
    _button(app, "rewind").click().run()
    assert not app.exception and not _button(app, "play").disabled
    assert all(run.status().step == 0 for run in runs)


@pytest.mark.medium
def test_a_run_that_failed_can_be_gone_on_with(runs_dir, spawned):
    app = _open(**TINY, rivals="late fusion")
    _button(app, "play").click().run()
    for run in Store().runs():
        run.write_status(replace(run.status(), state="failed", message="The disk is full. Press Play."))
    spawned.clear()
    app = _open(**TINY, rivals="late fusion")
    assert not app.exception and any("disk is full" in w.value for w in app.warning)
    play = _button(app, "play")
    assert not play.disabled
    play.click().run()
    assert [len(asked) for asked in spawned] == [2]


@pytest.mark.medium
@pytest.mark.parametrize("key", ["play", "step", "epoch-step", "rewind"])
def test_what_cannot_be_done_is_said_in_a_sentence(runs_dir, monkeypatch, key):
    def refuse(*_):
        raise RunError("no worker could be started (no space left on device)")

    app = _open(**TINY, rivals="late fusion")
    monkeypatch.setattr(launch, "start", lambda runs: None)
    _button(app, "play").click().run()
    for run in Store().runs():
        run.rest()
    app = _open(**TINY, rivals="late fusion")
    monkeypatch.setattr(launch, "start", refuse)
    monkeypatch.setattr(launch, "rewind", refuse)
    _button(app, key).click().run()
    assert not app.exception and any("no space left" in e.value for e in app.error)


@pytest.mark.medium
def test_a_data_set_that_is_not_here_says_how_to_get_it(runs_dir, monkeypatch):
    monkeypatch.delenv("DFN_DATA", raising=False)
    app = _open(data="cifar100")
    assert not app.exception
    assert any("dfn data fetch cifar100" in w.value for w in app.warning)
    assert _button(app, "play").disabled


@pytest.mark.medium
@pytest.mark.parametrize(
    "query",
    [
        {"seed": "-1"},
        {"seed": "999999999999999999999"},
        {"epochs": "0"},
        {"epochs": "1e99"},
        {"preset": "../../x"},
        {"rivals": "everyone"},
        {"methods": "everyone"},
        {"patience": "-7", "path-sgd": "perhaps", "decay": "1e9"},
        {"path-sgd": "true", "fusions": "0"},
        {"data": "fashion-mnist", "images": "-3", "pixels": "1"},
        {"fusions": "0", "rivals": "decision fusion"},
        {"bases": "3", "base3": "9"},
        {"deep": "100000000", "width": "x"},
    ],
)
def test_hostile_links_never_show_a_traceback(runs_dir, query):
    app = _open(**query)
    assert not app.exception and not app.error
