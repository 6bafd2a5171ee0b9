"""The page of a run as text: nothing in it can end its scripts, its maps are bounded, and what is missing is said."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from runs_nursery import tiny

from dfn import handout
from dfn.handout import measured
from dfn.runs.run import Run
from dfn.runs.store import Store
from dfn.runs.weights import data_of, net_after
from dfn.runs.worker import work

HOSTILE = '</script><script>alert(1)</script> & "quoted" <!-- \''


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Store(tmp_path_factory.mktemp("runs")).create(tiny())
    work([run])
    run.rename(HOSTILE)
    return run


def blocks(text: str) -> dict[str, dict]:
    """The data in the page by the name of their view."""
    found = re.findall(r'<script type="application/json" id="(\w+)-data">(.*?)</script>', text, re.DOTALL)
    return {name: json.loads(data) for name, data in found}


def test_a_name_is_never_markup(trained: Run) -> None:
    text, _ = handout.page(trained)
    assert "alert(1)</script>" not in text and unescape(text).count("alert(1)") == 4, "title, heading, two curves"
    assert text.count("<script") == text.count("</script>") == 6
    assert blocks(text)["curves"]["panels"][0]["series"][0]["label"] == trained.name


def test_the_policy_allows_these_scripts_and_nothing_else(trained: Run) -> None:
    text, _ = handout.page(trained)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe-eval" not in policy
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    digests = {f"'sha256-{b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts}
    assert digests == set(re.findall(r"'sha256-.*?'", policy)) and len(digests) == 3
    assert not re.search(r"\b(src|href|action)=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def test_the_maps_are_those_of_the_net(trained: Run) -> None:
    told = blocks(handout.page(trained, [5, 2])[0])["maps"]
    data = data_of(trained)
    assert [name.partition(":")[0] for name in told["images"]] == ["5", "2"]
    shown = told["shown"][1][2]
    assert shown["epochs"] == [0, 1, 2, 3] and shown["names"] == ["fusion3/deep", "fusion3/shallow", "fusion3/joined"]
    _, trace = net_after(trained, 2).trace(data.normalise(data.test.images[2:3]))
    values = np.frombuffer(b64decode(shown["panels"][2]["data"]), "<f2").reshape(4, *trace["fusion3/joined"].shape[1:])
    np.testing.assert_allclose(values[2], trace["fusion3/joined"][0].numpy(), rtol=1e-3, atol=1e-3)


def test_maps_are_bounded_epochs_first(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sum(len(panel["data"]) for place in _shown(trained) for panel in place["panels"])
    monkeypatch.setattr(measured, "MOST_BYTES", whole * 0.8)
    text, lacking = handout.page(trained, [0])
    assert blocks(text)["maps"]["shown"][0][0]["epochs"] == [0, 2, 3] and "3 of 4 kept epochs" in lacking
    monkeypatch.setattr(measured, "MOST_BYTES", whole * 0.4)
    text, lacking = handout.page(trained, [0])
    told = blocks(text)["maps"]
    assert len(told["places"]) == 2 and "3 of 4 kept epochs and no maps of fusion 1" in lacking and lacking in text
    assert sum(len(panel["data"]) for place in told["shown"][0] for panel in place["panels"]) <= whole * 0.4


def _shown(run: Run) -> list[dict]:
    return blocks(handout.page(run, [0])[0])["maps"]["shown"][0]


@pytest.mark.parametrize("images", [[100], [-1], [], list(range(9))])
def test_images_that_there_are_not(trained: Run, images: list[int]) -> None:
    with pytest.raises(ValueError, match="not accepted"):
        handout.page(trained, images)


def test_a_run_without_weights_or_images_says_so(runs_dir: Path) -> None:
    fresh = Store().create(tiny())
    text, lacking = handout.page(fresh)
    assert "kept no weights" in lacking and "has not been trained yet" in text and blocks(text).keys() == {"net"}
    private = Store().create(tiny(data="folder:secret/place/cats"))
    private.snapshot_file(0).parent.mkdir()
    private.snapshot_file(0).touch()
    text, lacking = handout.page(private)
    assert "cannot be read" in lacking and "folder:cats" in text and "secret" not in text
