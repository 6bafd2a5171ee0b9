"""Maps, Attribution, Flow and Lesions follow a run that is being trained, and leave a chosen epoch alone."""

import shutil
from collections.abc import Iterator

import cached
import pytest
from pages import page_at, text_of

from dfn.runs.locks import holding
from dfn.runs.status import Status
from dfn.runs.store import Run, Store

pytestmark = pytest.mark.slow  # every case opens a whole page

WORDS = "This run is being trained: new epochs appear by themselves."


@pytest.fixture
def living(runs_dir) -> Iterator[Run]:
    """A run whose worker lives and has finished four epochs of five."""
    recorded = cached.recorded_race()[0][2]
    shutil.copytree(recorded.folder, runs_dir / recorded.id)
    run = Store().get(recorded.id)
    run.snapshot_file(5).rename(run.folder / "later")
    run.write_status(Status("running", epoch=4, epochs=5))
    with holding(run.lock_file) as mine:
        assert mine
        yield run


@pytest.mark.parametrize("name", ["maps", "attribution", "flow", "lesions"])
def test_a_page_follows_and_a_chosen_epoch_stays(living, name):
    app = page_at(name, run=living.id).run()
    chosen = page_at(name, run=living.id, epoch="2").run()
    assert WORDS in text_of(app) and WORDS in text_of(chosen)
    (living.folder / "later").rename(living.snapshot_file(5))
    living.write_status(Status("done", epoch=5, epochs=5))
    for page in (app, chosen):
        page.run()
        assert not page.exception and not page.error and not page.warning
        assert WORDS not in text_of(page)
    assert "epoch" not in app.query_params, "it shows the newest"
    assert chosen.query_params["epoch"] == ["2"] or chosen.query_params["epoch"] == "2"
