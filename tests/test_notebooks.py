"""The notebooks run from top to bottom without network, each once, define nothing that belongs into `dfn`, leave
figures for readers without a kernel, end in exercises that check themselves, and are kept without outputs.

`DFN_SHORT=0 pytest tests/test_notebooks.py` runs them in full, as a learner does.
"""

import ast
import os
import re
from pathlib import Path

import jupytext
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
ANSWER = re.compile(r"^(answer_\d+) = None$", flags=re.M)
WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = {"application/vnd.plotly.v1+json", "text/html"}
NO_NETWORK = """
import socket
connect = socket.socket.connect
def at_home(self, address):
    if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook looked for {address}")
    return connect(self, address)
socket.socket.connect = at_home
"""

each = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _checks(text: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) == "notebook.check"]


def test_the_notebooks_are_numbered_without_a_gap():
    assert [int(source.stem[:2]) for source in SOURCES] == list(range(1, len(SOURCES) + 1))


@each
def test_notebooks_define_nothing_and_have_words_around_the_code(source):
    notebook = jupytext.read(source)
    code = _code(notebook)
    assert not [c.source for c in code if re.search(r"^\s*(async def|def|class) ", c.source, flags=re.M)]
    assert sum(c.cell_type == "markdown" for c in notebook.cells) >= len(code) / 2
    assert all(not c.get("outputs") for c in notebook.cells)
    assert "SHORT = notebook.begin()" in code[0].source


@each
def test_notebooks_end_in_exercises_whose_answers_are_computed(source):
    notebook = jupytext.read(source)
    assert notebook.cells[-1].source.startswith("## What you know now")
    checked = [(cell, call) for cell in _code(notebook) for call in _checks(cell.source)]
    assert len(checked) >= 3
    answers = ANSWER.findall(source.read_text("utf-8"))
    assert [ast.unparse(call.args[0]) for _, call in checked] == answers
    for cell, call in checked:
        assert cell.metadata.jupyter.source_hidden, "the cell that knows the answer is folded"
        assert any(isinstance(node, ast.Name | ast.Attribute) for node in ast.walk(call.args[1])), "a typed answer"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # what the notebook server's own packages warn of is not ours
@each
def test_notebooks_run_and_leave_figures(source, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK, "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("DFN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DFN_SHORT", os.environ.get("DFN_SHORT", "1"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for a busy core cost more than they bring
    text, asked = ANSWER.subn(r'\1 = "show"', source.read_text("utf-8"))
    notebook = jupytext.reads(text, fmt="py:percent")
    client = NotebookClient(notebook, timeout=600, startup_timeout=180, store_widget_state=False)
    client.resources["metadata"] = {"path": str(tmp_path)}
    client.execute()
    seen = [[set(output.get("data", {})) for output in cell.outputs] for cell in _code(notebook)]
    assert any(kinds >= STILL for outputs in seen for kinds in outputs)
    for outputs in seen:
        for kinds, following in zip(outputs, [*outputs, set()][1:], strict=True):
            assert WIDGET not in kinds or following >= STILL, "a widget without a still figure below it"
    printed = "".join(output.get("text", "") for cell in _code(notebook) for output in cell.outputs)
    assert len(re.findall(r"^It is .+\.$", printed, flags=re.M)) == asked
