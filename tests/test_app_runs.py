"""The Runs page without a browser: what it lists, what its buttons do, and that nothing is lost by accident."""

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path

import cached
import pytest
from pages import page_at, text_of
from runs_data import Row, columns, labels, roles, train_link
from streamlit.testing.v1 import AppTest

import dfn
from dfn.runs import launch
from dfn.runs.index import SORTS, Entry, Facts
from dfn.runs.run import Run, Status
from dfn.runs.store import Store
from dfn.runs.worker import work
from dfn.training.recipe import Recipe

pytestmark = pytest.mark.slow  # every case opens the whole page

SMALL = {"data": "digits", "epochs": 2, "train_limit": 128, "test_limit": 60}
SHAPE = {"width": 4, "in_channels": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Two fused nets of different seeds, trained for two epochs."""
    root = tmp_path_factory.mktemp("runs")
    work([Store(root).create(Recipe(design=dfn.fused(8, 5, 3, **SHAPE), seed=seed, **SMALL)) for seed in (3, 4)])
    return root


@pytest.fixture
def filled(trained, runs_dir) -> list[Run]:
    """Those runs as this test's own, and one that was never started; the newest first."""
    shutil.copytree(trained, runs_dir, dirs_exist_ok=True)
    Store().create(Recipe(design=dfn.catalogue()["plain"].make(depth=5, fusions=3, **SHAPE), net="plain", **SMALL))
    return Store().runs()


@pytest.fixture
def nothing_recorded(monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED", tmp_path / "nothing")


def _open(**query: str) -> AppTest:
    return page_at("runs", **query).run()


def _table(app: AppTest):
    return app.dataframe[0].value


def _button(app: AppTest, words: str):
    return next(button for button in app.button if button.label == words)


def test_an_empty_store_lists_the_recorded_example_and_says_so(runs_dir):
    app = _open()
    assert not app.exception
    assert "recorded" in app.info[0].value and app.page_link[0].value == "Train it yourself"
    table = _table(app)
    assert set(table["name"]) == {"recorded"}
    assert {"fused 50 + 14", "plain 50", "plain 14"} <= set(table["net"])
    assert "Delete" not in [button.label for button in app.button]


def test_nothing_at_all_is_a_sentence(runs_dir, nothing_recorded):
    app = _open(picked="0123456789ab", find="fused")
    assert not app.exception and not app.dataframe
    assert app.info[0].value == "Nothing has been trained here yet."


def test_every_run_is_listed_with_what_it_reached(filled, nothing_recorded):
    app = _open()
    assert not app.exception
    table = _table(app)
    assert list(table["state"]) == [run.status().state.replace("new", "not started") for run in filled]
    for place, run in enumerate(filled):
        line, status = table.iloc[place], run.status()
        assert line["net"] == run.recipe.label and line["seed"] == run.recipe.seed
        assert line["parameters"] == dfn.cost(run.recipe.design, (1, 8, 8)).parameters
        if status.state == "done":
            assert line["accuracy"] == pytest.approx(100 * status.test_accuracy)
            assert line["loss"] == pytest.approx(status.train_loss)
            assert line["disk"] == pytest.approx(run.disk_bytes() / 1e6)
    disk = sum(run.disk_bytes() for run in filled) / 1e6
    assert f"3 runs of your own, {disk:,.0f} MB" in text_of(app)


@pytest.mark.parametrize(
    ("find", "found"),
    [("", 3), ("fused", 2), ("FUSED seed 4", 1), ("plain, digits", 1), ("done", 2), ("resnet", 0), ("%s" * 60, 0)],
)
def test_the_list_can_be_filtered(filled, nothing_recorded, find, found):
    app = _open(find=find)
    assert not app.exception
    assert (len(_table(app)) if app.dataframe else 0) == found


def test_a_list_in_korean_is_searched_in_korean_and_by_links_of_others(filled, nothing_recorded):
    app = _open(lang="ko", find="완료 시드 3")
    assert list(_table(app)["seed"]) == [3] and list(_table(app)["state"]) == ["완료"]
    assert len(_table(_open(lang="ko", find="done"))) == 2


def test_ticked_runs_are_part_of_the_link(filled):
    one, *_ = (run for run in filled if run.status().state == "done")
    app = _open(picked=one.id)
    assert not app.exception
    assert "**1 run**" in text_of(app)
    assert {"Maps", "Train", "Rename", "Delete"} <= {button.label for button in app.button}
    both = _open(picked="-".join(run.id for run in filled))
    assert "**3 runs**" in text_of(both) and "Rename" not in [button.label for button in both.button]


@pytest.mark.parametrize("picked", ["-", "zz-<b>", "../..", "f" * 5000])
def test_a_link_that_ticks_nothing_real_ticks_nothing(filled, picked):
    app = _open(picked=picked)
    assert not app.exception
    assert "as none is ticked" in text_of(app)


def test_ticks_are_taken_away(filled):
    app = _open(picked=filled[0].id)
    _button(app, "Untick all").click().run()
    assert not app.exception and "as none is ticked" in text_of(app)
    app.query_params["picked"] = filled[1].id  # the browser's back button
    assert "**1 run**" in text_of(app.run())


def test_delete_and_undo(filled):
    app = _open(picked=filled[0].id)
    _button(app, "Delete").click().run()
    assert not app.exception
    assert filled[0].id not in [run.id for run in Store().runs()]
    assert f"Deleted: {filled[0].name}." in text_of(app)
    _button(app, "Undo").click().run()
    assert not app.exception
    assert filled[0].id in [run.id for run in Store().runs()]
    assert "Undo" not in [button.label for button in app.button]


def test_a_run_at_work_is_not_deleted_but_stopped(filled, monkeypatch):
    stopped: list[list[str]] = []
    monkeypatch.setattr(launch, "stop", lambda runs: stopped.append([run.id for run in runs]))
    run = filled[0]
    run.write_status(replace(run.status(), state="waiting"))
    app = _open(picked=run.id)
    assert _table(app)["state"][0].startswith("waiting")
    _button(app, "Cancel").click().run()
    assert stopped == [[run.id]] and not app.exception
    monkeypatch.setattr(Store, "delete", _refuse)
    _button(app, "Delete").click().run()
    assert "stop it first" in app.warning[0].value and not app.exception


def _refuse(self: Store, id: str) -> None:
    raise dfn.runs.run.RunError(f"run {id} is at work: stop it first")


def test_rename(filled):
    app = _open(picked=filled[0].id)
    app.text_input(key=f"runs-name-{filled[0].id}").set_value("  my ![net](http://example.org) ").run()
    app.button(key="runs-rename").click().run()
    assert not app.exception
    assert filled[0].name == "my ![net](http://example.org)"
    assert _table(app)["name"][0] == filled[0].name


def test_the_download_holds_the_ticked_runs(filled):
    from dfn.runs.export import csv as table_of

    done = [run for run in filled if run.status().state == "done"]
    lines = list(csv.DictReader(io.StringIO(table_of(done))))
    assert {line["run"] for line in lines} == {run.id for run in done}
    app = _open(picked="-".join(run.id for run in done))
    assert [button.proto.label for button in app.get("download_button")] == ["CSV"]


# ---- without the page ------------------------------------------------------------------------------------------------


DONE = Status("done")


def _row(kind="fused", seed=0, data="digits", parameters=1000, name="", id="0123456789ab", status=DONE) -> Row:
    facts = Facts(kind, f"{kind} 8 + 5", f"{kind} 8 + 5", data, 5, seed, parameters)
    return Row(Entry(id, 0, name or facts.label, facts, status), Path("nowhere"), recorded=False)


def test_curves_are_named_by_what_tells_them_apart():
    assert labels([_row(), _row("plain")]) == ["fused 8 + 5", "plain 8 + 5"]
    assert labels([_row(seed=1), _row(seed=2)]) == ["fused 8 + 5, seed 1", "fused 8 + 5, seed 2"]
    assert labels([_row(), _row(data="scales"), _row(name="mine")]) == [
        "fused 8 + 5, digits",
        "fused 8 + 5, scales",
        "mine",
    ]
    assert labels([_row(id="aaaa00000000"), _row(id="bbbb00000000")]) == ["fused 8 + 5, aaaa", "fused 8 + 5, bbbb"]


def test_every_curve_has_a_colour_of_its_own():
    rows = [_row("fused"), _row("plain", parameters=10), _row("plain", parameters=20), _row("resnet"), _row("fused")]
    found = roles([row.facts for row in rows])
    assert found[:4] == ["fused", "shallow", "plain", "resnet"]
    assert len(set(roles([_row().facts] * 9))) == 9


def test_a_row_is_found_by_the_beginnings_of_its_words():
    row = _row(seed=77, name="my net", id="abcd56789012")
    assert row.says([]) and row.says(["fus", "77"]) and row.says(["my", "done"]) and row.says(["abcd"])
    assert not row.says(["abc"]) and not row.says(["7", "plain"])


def test_states_are_words():
    told = columns([_row(status=Status("running", epoch=2, epochs=5)), _row(status=Status("waiting", place=2))])
    assert told["state"] == ["running 3/5", "waiting, place 2"]
    assert told["when"] == [None, None] and told["accuracy"] == [None, None]


def test_the_link_to_train_sets_the_same_recipe():
    recipe = Recipe(design=dfn.fused(26, 5, 3, width=8, in_channels=1), epochs=7, seed=9)
    link = train_link(recipe)
    wanted = {"deep": "26", "shallow": "5", "fusions": "3", "width": "8", "join": "sum", "preset": "classroom"}
    assert link == wanted | {"data": "digits", "seed": "9", "epochs": "7"}
    decision = train_link(Recipe(design=dfn.fused(8, 5, 0, width=8), net="decision", objective="mean-of-losses"))
    assert (decision["fusions"], decision["width"]) == ("0", "8") and "join" not in decision
    three = train_link(Recipe(design=dfn.fused(bases=[9, 5, 7], fusions=3, width=4)))
    assert (three["deep"], three["shallow"], three["bases"], three["base3"]) == ("9", "5", "3", "7")
    resnet = train_link(Recipe(design=dfn.catalogue()["resnet"].make(depth=20), net="resnet"))
    assert resnet["deep"] == "20" and "shallow" not in resnet


def test_hundreds_of_runs_come_a_page_at_a_time(runs_dir, nothing_recorded):
    design = dfn.fused(8, 5, 3, **SHAPE)
    for seed in range(301):
        Store().create(Recipe(design=design, seed=seed, **SMALL))
    app = _open()
    assert len(_table(app)) == 100 and "1 to 100 of 301 runs that fit" in text_of(app)
    last = _open(part="4")
    assert list(_table(last)["seed"]) == [0] and "301 to 301 of 301" in text_of(last)
    for nonsense in ("0", "99", "x", "-1", "9" * 300):
        assert not (page := _open(part=nonsense)).exception and len(_table(page)) in (1, 100)
    found = _open(find="seed 300", part="4")
    assert list(_table(found)["seed"]) == [300] and "that fit" not in text_of(found)


def test_the_list_is_filtered_and_ordered_by_the_address(filled, nothing_recorded):
    done = sorted((run for run in filled if run.status().state == "done"), key=lambda run: -run.status().test_accuracy)
    app = _open(**{"of-state": "done", "of-images": "digits", "of-net": "fused", "order": "accuracy"})
    assert not app.exception
    assert list(_table(app)["seed"]) == [run.recipe.seed for run in done]
    app.selectbox(key="of-net-choice").set_value("plain").run()
    assert app.query_params["of-net"] == "plain" and "No run fits." in text_of(app)
    wrong = _open(order="<b>", **{"of-state": "asleep"})
    assert len(wrong.warning) == 2 and len(_table(wrong)) == 3


def test_every_order_of_the_list_has_a_name():
    page = (Path(__file__).parents[1] / "app" / "app_pages" / "runs.py").read_text()
    for name in SORTS:
        assert f'    "{name}": N_("' in page


def test_the_trash_is_emptied_for_good_after_a_second_word(filled):
    app = _open(picked=filled[0].id)
    assert "Delete for good" not in [button.label for button in app.button]
    _button(app, "Delete").click().run()
    assert "1 deleted run," in text_of(app) and f"{filled[0].name} ({filled[0].id[:4]})" in text_of(app)
    assert len(Store().trashed()) == 1
    _button(app, "Delete for good").click().run()
    assert not app.exception and Store().trashed() == []
    assert not {"Undo", "Delete for good"} & {button.label for button in app.button}
    assert len(Store().runs()) == 2
