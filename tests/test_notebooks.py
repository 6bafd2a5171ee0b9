"""The notebooks run from top to bottom, define nothing that belongs into `dfn`, and are kept without outputs."""

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
LONG = re.compile(r"^EPOCHS = \d+$", flags=re.M)


def _short(source: Path) -> str:
    text, found = LONG.subn("EPOCHS = 1", source.read_text("utf-8"))
    assert found == 1, f"{source.name} has no one place that says how long it trains"
    return text


def test_there_are_notebooks():
    assert SOURCES


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_notebooks_define_nothing_and_have_words_around_the_code(source):
    notebook = jupytext.read(source)
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert not [c for c in code if re.search(r"^(def|class) ", c, flags=re.M)]
    assert sum(c.cell_type == "markdown" for c in notebook.cells) >= len(code) / 2
    assert all(not c.get("outputs") for c in notebook.cells)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_notebooks_run_as_scripts(source, tmp_path):
    script = tmp_path / source.name
    script.write_text(_short(source), "utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the notebook server's own packages warn of is not ours
@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_notebooks_run_in_a_kernel_and_leave_figures(source, tmp_path):
    from nbclient import NotebookClient

    notebook = jupytext.reads(_short(source), fmt="py:percent")
    NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = {kind for c in notebook.cells for o in c.get("outputs", []) for kind in o.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds
    assert "application/vnd.jupyter.widget-view+json" in kinds
