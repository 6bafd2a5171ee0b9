"""Coarse and fine evidence on the Maps page: for runs on `scales` the measured numbers, else the way to such a run."""

import shutil
from pathlib import Path

import cached
import pytest
from evidence_data import drawn, rows, stages
from pages import page_at, text_of

import dfn
from dfn.insight.evidence import Evidence
from dfn.runs.store import Run, Store
from dfn.runs.worker import work

pytestmark = pytest.mark.slow  # every case opens the whole page

FUSED = dfn.fused(8, 5, 3, width=4, classes=9, in_channels=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("scales-runs")
    small = {"data": "scales", "epochs": 1, "train_limit": 90, "test_limit": 45, "seed": 3}
    work([Store(root).create(dfn.Recipe(design=FUSED, **small))])
    return root


@pytest.fixture
def run(trained, runs_dir) -> Run:
    shutil.copytree(trained, runs_dir, dirs_exist_ok=True)
    return next(iter(Store().runs()))


def test_a_run_on_scales_shows_what_was_measured(run):
    app = page_at("maps", run=run.id)
    app.session_state["evidence"] = True
    app.run()
    assert not app.exception and not app.error
    found = cached.evidence(str(run.folder), 1)
    assert f"the shape makes **{100 * found['image'].coarse:.1f} %** of the variance" in text_of(app)
    assert f"**{100 * found['logits'].fine:.1f} %**" in text_of(app)


def test_other_runs_lead_to_one(runs_dir, run):
    app = page_at("maps", run=cached.recorded_race()[0][2].id).run()
    assert "Coarse or fine?" in text_of(app)
    assert "Coarse and fine evidence, place by place" not in [box.label for box in app.expander]
    Store().delete(run.id)
    app = page_at("maps").run()
    assert not app.exception and "Coarse or fine?" in text_of(app)


def test_every_place_of_a_net_is_drawn_once():
    found = {name: Evidence(0.1, 0.2, 0.3, 0.4) for name in ("image", "stem", "logits")}
    for fusion in (1, 2, 3):
        found |= {f"fusion{fusion}/{own}": Evidence(fusion / 10, 0, 0, 1) for own in ("deep", "shallow", "joined")}
    order, lines = drawn(FUSED, found)
    assert order == ["image", "stem", "1", "2", "3", "logits"]
    assert lines["deep block"] == (
        "deep",
        ["1", "2", "3"],
        {"coarse": [0.1, 0.2, 0.3], "fine": [0] * 3, "both": [0] * 3},
    )
    assert lines["joined"][:2] == ("fused", order)
    assert stages(FUSED, (3, 32, 32), order) == [("32 x 32", "image", "1"), ("16 x 16", "2", "2"), ("8 x 8", "3", "3")]
    assert len(rows(lines)) == 1 + 3 + 3 + 6
