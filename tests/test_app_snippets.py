"""The Python that a page offers runs by itself and gives the numbers that the page shows."""

import os
import subprocess
import sys
from pathlib import Path

import cached
import nbformat
import notebook_file
import pytest
import snippets
from lesion_plan import Lesion
from nbclient import NotebookClient
from pages import cards_of, page_at, text_of
from picked import numbered_image
from streamlit.testing.v1 import AppTest

from dfn.insight.attribution import attribute
from dfn.runs.store import Run, Store

pytestmark = pytest.mark.slow  # whole pages, and a process of its own for each snippet

ROOT = Path(__file__).parents[1]
EPOCH, IMAGE = 5, 3


@pytest.fixture
def fused(runs_dir) -> Run:
    return cached.recorded_race()[0][2]


def _snippet(name: str, **query: str) -> tuple[AppTest, list[str]]:
    """The page, and what its code prints where nobody else has imported anything."""
    app = page_at(name, **query)
    app.session_state[f"{name.replace('_', '-')}-code"] = True
    app.run()
    assert not app.exception and not app.error and not app.warning
    done = subprocess.run(
        [sys.executable, "-c", app.code[0].value],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return app, done.stdout.splitlines()


def test_maps(fused):
    _, printed = _snippet("maps", run=fused.id, image=str(IMAGE), fusion="2")
    stacks, _ = cached.image_maps(
        str(fused.folder), tuple(fused.snapshots()), numbered_image(cached.images_of(fused), IMAGE)
    )
    for line, name in zip(printed, ("fusion2/deep", "fusion2/shallow", "fusion2/joined"), strict=True):
        stack = stacks[name][-1]
        assert line.startswith(f"{name} {(1, *stack.shape)}")
        assert float(line.split()[-1]) == pytest.approx(abs(stack).max(), rel=1e-4)


def test_attribution(fused):
    _, printed = _snippet(
        "attribution", image=str(IMAGE), method="deep_lift", place="joined", fusion="6", target="true"
    )
    images = cached.images_of(fused)
    x, label = images.normalise(images.test.images[IMAGE : IMAGE + 1]), int(images.test.labels[IMAGE])
    found = attribute(cached.net_after(str(fused.folder), EPOCH), x, label, "deep_lift", "fusion6/joined")
    assert printed[0].startswith(f"{tuple(found.values.shape)} ")
    assert float(printed[0].split()[4]) == pytest.approx(found.values.double().sum().item(), rel=1e-4)


def test_flow(fused):
    _, printed = _snippet("flow", image=str(IMAGE))
    numbers = dict(line.split() for line in printed)
    picked = numbered_image(cached.images_of(fused), IMAGE)
    asked = ((picked, picked.label),)
    flow = cached.flow(str(fused.folder), EPOCH, asked)
    lengths = cached.lengths(str(fused.folder), EPOCH, asked)
    assert float(numbers["stem"]) == pytest.approx(flow.places["stem"], rel=1e-4)
    for depth, norm in lengths.parts.items():
        assert float(numbers[str(depth)]) == pytest.approx(norm, rel=1e-4, abs=1e-7)


def test_lesions(fused):
    app, printed = _snippet("lesions", cut="fusion2/deep", how="mean", dial="0.5@3")
    shown = cards_of(app)["test accuracy"].split(" → ")
    assert [f"{100 * float(number):.1f} %" for number in printed[0].split()] == [shown[0], shown[-1]]


def test_a_race(runs_dir):
    query = {"deep": "8", "shallow": "5", "fusions": "3", "width": "4", "epochs": "1", "seed": "3", "x": "010"}
    app, printed = _snippet("train", **query, methods="transfer: FitNets")
    trained = {run.id: run.status() for run in Store().runs()}
    assert {line.split()[0] for line in printed} == trained.keys() and len(trained) >= 4
    assert all(status.state == "done" for status in trained.values())
    app.run()
    accuracies = {metric.value for metric in app.metric if metric.label == "test accuracy"}
    assert accuracies == {f"{100 * float(line.split()[1]):.1f} %" for line in printed}, "the page shows those very runs"


def test_a_comparison(runs_dir):
    query = {"deep": "8", "shallow": "5", "fusions": "3", "width": "4", "epochs": "1", "seeds": "2"}
    app, printed = _snippet("compare", **query, against="ResNet")
    app.run()
    assert [run.status().state for run in Store().runs()] == ["done"] * 4
    assert len(printed) == 1 and printed[0] in text_of(app).replace("**", ""), "the page says the very sentence"


def test_a_depth_map(runs_dir):
    app, printed = _snippet("depth_map", deeps="8", shallows="5", joins="3", mapwidth="4", epochs="1")
    app.run()
    assert len(printed) == 1
    run, accuracy, _ = printed[0].split(maxsplit=2)
    assert Store().get(run).status().state == "done"
    assert f"test accuracy: **{100 * float(accuracy):.0f} %**" in text_of(app)


def test_every_lesion_has_its_call():
    plan = Lesion(
        ("fusion1/deep", "fusion3/shallow"), "resample", ("fusion1/shallow",), 0.5, None, "shallow", ("deep", 1, 2)
    )
    assert snippets.lesion_calls(plan, ()) == [
        'swap_blocks(changed, "deep", 1, 2)',
        'cut_feedback(changed, 1, "shallow")',
        'lesion(changed, 3, "shallow", "resample", reference=reference)',
        'lesion(changed, 1, "deep", "resample", reference=reference)',
        'dial(changed, 0.5, "shallow")',
    ]
    assert snippets.lesion_calls(Lesion(("block2",)), ("block1", "block2")) == ["bypass(changed, 2)"]


def test_the_code_opens_as_a_notebook_that_runs(fused):
    query = {"run": fused.id, "image": "4", "fusion": "3", "at": "<script>", "stranger": "x"}
    app = page_at("maps", **query)
    app.session_state["maps-code"] = True
    app.run()
    assert [button.proto.label for button in app.get("download_button")] == ["Open as notebook"]
    text = notebook_file.write("Maps", "http://localhost:8501/maps", query, app.code[0].value)
    assert text == notebook_file.write("Maps", "http://localhost:8501/maps", query, app.code[0].value)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    words, code = notebook.cells
    assert f"[Maps](http://localhost:8501/maps?run={fused.id}&image=4&fusion=3)" in words.source
    assert "- image: `4`" in words.source and "script" not in words.source and "stranger" not in words.source
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(ROOT)}}).execute()
    printed, drawn, still = code.outputs
    assert printed.text.startswith("fusion3/deep (1, 16, 4, 4) ")
    assert "application/vnd.jupyter.widget-view+json" in drawn.data
    assert "application/vnd.plotly.v1+json" in still.data
