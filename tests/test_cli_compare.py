"""The referee in the shell: `dfn compare`, `dfn depth-map` and `dfn reproduce`, their JSON and their complaints."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shell_words import Shell, values

from dfn.cli import reproduce, seeds
from dfn.referee import claims
from dfn.referee.budget import on_equal_terms
from dfn.referee.claims import Check, Claim
from dfn.referee.contenders import USUAL, from_methods
from dfn.runs import cluster
from dfn.runs.store import Run, Store
from dfn.runs.worker import work
from dfn.training.comparisons import Frame

NET = ["--deep", 8, "--shallow", 5, "--fusions", 3, "--width", 8]
LIMITS = ["--train-limit", 128, "--test-limit", 60, "--epochs", 1]
TWO = ["--methods", "fused,plain-deep", "--seeds", 2]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The labels of the runs that were trained, in order."""
    labels: list[str] = []
    train = seeds.train_here

    def noted(run: Any, on_record: Any) -> None:
        labels.extend([f"{run.recipe.label} {run.recipe.seed}"] * (run.status().state != "done"))
        train(run, on_record)

    monkeypatch.setattr(seeds, "train_here", noted)
    yield labels


@pytest.mark.medium
def test_compare_trains_every_net_with_every_seed_once(shell: Shell, trained: list[str]) -> None:
    code, out, _ = shell("compare", *NET, *LIMITS, *TWO, "--json")
    *runs, last = values(out)
    assert code == 0
    assert [(line["net"], line["seed"]) for line in runs] == [(n, s) for n in ("fused", "plain-deep") for s in (0, 1)]
    assert [row["accuracies"] for row in last["results"]] == [
        [line["test_accuracy"] for line in runs if line["net"] == net] for net in ("fused", "plain-deep")
    ]
    fused, plain = (row["accuracies"] for row in last["results"])
    gaps = [one - other for one, other in zip(fused, plain, strict=True)]
    assert last["results"][1]["difference"]["mean"] == pytest.approx(sum(gaps) / 2)
    assert len(last["sentences"]) == 1 and last["budget"] == "epochs"
    assert last["machine"]["torch"] and last["machine"]["date"].startswith("20")
    assert {run.id for run in Store().runs()} == {line["run"] for line in runs}, "the app sees these runs"
    before = list(trained)
    assert before == ["fused 8 + 5 0", "fused 8 + 5 1", "plain 8 0", "plain 8 1"]
    code, out, _ = shell("compare", *NET, *LIMITS, "--methods", "fused,plain-deep", "--seeds", 3)
    assert code == 0 and "plain 8" in out and "95 % interval" in out and "paired t" in out
    assert trained[len(before) :] == ["fused 8 + 5 2", "plain 8 2"], "only the new seed is trained"


@pytest.mark.medium
def test_nets_of_the_catalogue_are_compared_as_before(shell: Shell) -> None:
    code, out, _ = shell(
        "compare", *NET, *LIMITS, "--nets", "fused,inception", "--seeds", 1, "--norm", "none", "--json"
    )
    assert code == 0
    assert [row["label"] for row in values(out)[-1]["results"]] == [
        "fused 8 + 5, no norm",
        "inception 5 + 8 + 8 + 5",
    ]


def test_a_comparison_outlives_a_net_that_fails(shell: Shell) -> None:
    settings = [*NET, "--norm", "none", "--lr", 1000, *LIMITS]
    code, out, err = shell("compare", *settings, "--nets", "plain,inception", "--seeds", 1, "--json")
    assert code == 1 and "1 of 2 runs" in err.splitlines()[-1]
    assert "no seed in common" in values(out)[-1]["sentences"][0]


@pytest.mark.slow
def test_equal_parameters_multiply_adds_and_seconds(shell: Shell) -> None:
    names = ["--methods", "fused,plain-shallow", "--seeds", 1, "--json"]
    rows = values(shell("compare", *NET, *LIMITS, *names, "--budget", "parameters")[1])[-1]["results"]
    assert rows[0]["width"] == 8 < rows[1]["width"] and rows[1]["epochs"] == 1
    assert rows[1]["excess"] == pytest.approx(rows[1]["parameters"] / rows[0]["parameters"] - 1)
    rows = values(shell("compare", *NET, *LIMITS, *names, "--budget", "macs")[1])[-1]["results"]
    assert rows[1]["width"] == 8 and rows[1]["epochs"] == round(rows[0]["macs"] / rows[1]["macs"])
    *lines, last = values(shell("compare", *NET, *LIMITS, *names, "--budget", "seconds")[1])
    assert [line["net"] for line in lines if line.get("pilot")] == ["fused", "plain-shallow"]
    paces = [row["pace"] for row in last["results"]]
    assert all(pace > 0 for pace in paces)
    assert last["results"][1]["epochs"] == max(1, round(paces[0] / paces[1]))


def test_what_a_seed_starts_from_is_trained_before_it(runs_dir: Path, trained: list[str]) -> None:
    settings = {"data": "digits", "epochs": 1, "train_limit": 128, "test_limit": 60}
    teacher, student = from_methods(Frame((8, 5), 3, 8, 10, 1), ("plain-shallow", "plain-deep"))
    taught = replace(student, first=lambda width, settings: (teacher.make(width, settings),))
    found, runs, failed = seeds.train_seeds(on_equal_terms([taught], 8, settings, (1, 8, 8)), 1, True)
    assert trained == ["plain 5 0", "plain 8 0"]
    assert [len(row.seeds) for row in found] == [1] and len(runs) == 1 and not failed


@pytest.mark.medium
def test_depth_map(shell: Shell) -> None:
    grid = ["--deep", "5,8", "--shallow", "2,8", "--fusions", "3", "--width", 8, *LIMITS]
    code, out, err = shell("depth-map", *grid, "--json")
    *runs, last = values(out)
    assert code == 0 and "3 nets" in err
    assert [line["cell"] for line in runs] == ["5-2-3", "8-2-3", "8-8-3"], (
        "never a shallow base deeper than the deep one"
    )
    assert [cell["accuracy"] for cell in last["cells"]] == [line["test_accuracy"] for line in runs]
    assert all(cell["stem_gradient"] > 0 and cell["loss"] > 0 for cell in last["cells"])
    code, out, _ = shell("depth-map", *grid)
    assert code == 0 and "3 fusions" in out and f"{100 * last['cells'][0]['accuracy']:.1f} %" in out


@pytest.fixture
def cluster_of_one(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A cluster that is this process; the labels of the runs of each submission."""
    submitted: list[list[str]] = []

    def work_here(runs: Sequence[Run], *, on_record: Any = None) -> None:
        submitted.append([f"{run.recipe.label} {run.recipe.seed}" for run in runs])
        work(runs, on_record=on_record)

    monkeypatch.setattr(cluster, "work", work_here)
    return submitted


@pytest.mark.medium
def test_a_comparison_goes_to_the_cluster_at_once(
    shell: Shell, trained: list[str], cluster_of_one: list[list[str]]
) -> None:
    """With what has to come first among it; nothing is trained in this process beside that."""
    command = ["compare", *NET, *LIMITS, "--methods", "fused,distillation", "--seeds", 2, "--on", "ray", "--json"]
    code, out, _ = shell(*command)
    assert code == 0 and trained == []
    runs = ["fused 8 + 5 0", "fused 8 + 5 1", "plain 5 0", "plain 8, distilled 0", "plain 5 1", "plain 8, distilled 1"]
    assert cluster_of_one == [runs]
    *lines, last = values(out)
    assert [(line["net"], line["seed"]) for line in lines if "for" not in line] == [
        (net, seed) for net in ("fused", "distillation") for seed in (0, 1)
    ]
    assert [row["accuracies"] for row in last["results"]] == [
        [line["test_accuracy"] for line in lines if line["net"] == net and "for" not in line]
        for net in ("fused", "distillation")
    ]
    assert shell(*command)[0] == 0 and len(cluster_of_one) == 1, "what was trained before is not submitted again"


def test_a_depth_map_goes_to_the_cluster_at_once(shell: Shell, cluster_of_one: list[list[str]]) -> None:
    grid = ["--deep", "5,8", "--shallow", "2", "--fusions", "3", "--width", 8, *LIMITS, "--on", "ray", "--json"]
    code, out, _ = shell("depth-map", *grid)
    assert code == 0 and cluster_of_one == [["fused 5 0", "fused 8 0"]]
    assert [cell["state"] for cell in values(out)[-1]["cells"]] == ["done", "done"]


def test_what_the_cluster_could_not_train_is_not_trained_here(
    shell: Shell, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "work", lambda runs, **_: None)
    code, _, err = shell("compare", *NET, *LIMITS, *TWO, "--on", "ray", "--json")
    assert code == 1 and trained == [] and "4 of 4 runs did not come to their end" in err


def _tiny(least: float) -> dict[str, Claim]:
    claim = claims.claims()["trainability-digits"]
    settings = claim.settings | {"epochs": 1, "train_limit": 128, "test_limit": 60}
    nets = [contender for contender in claim.contenders if contender.name in ("fused", "plain-shallow")]
    check = Check("fused", "plain-shallow", least, "every seed")
    tiny = replace(claim, name="tiny", contenders=nets, checks=(check,), width=4, settings=settings, seeds=2)
    return {"tiny": tiny}


@pytest.mark.slow
def test_reproduce_writes_its_table_and_says_whether_the_claim_holds(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reproduce, "claims", lambda: _tiny(-1.0))
    code, out, _ = shell("reproduce", "tiny", "--to", tmp_path / "tiny.md")
    assert code == 0 and (tmp_path / "tiny.md").read_text("utf-8") == out
    assert out.startswith("## tiny\n") and "- holds: plain 14 is at most 100 points above fused 52 + 14" in out
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(rows) == 4 and all(len(row.split("|")) == len(rows[0].split("|")) for row in rows)
    assert "torch" in out and "seeds 0 to 1" in out and "paired t" in out
    monkeypatch.setattr(reproduce, "claims", lambda: _tiny(1.0))
    code, out, err = shell("reproduce", "tiny")
    assert code == 1 and "- FAILS: " in out and "does not hold: 1 of 1" in err
    assert values(shell("reproduce", "tiny", "--json")[1])[-1]["holds"] == [False]


@pytest.mark.medium
def test_what_can_be_reproduced_is_listed(shell: Shell) -> None:
    listed = [claim["name"] for claim in values(shell("reproduce", "--list", "--json")[1])[0]]
    assert {
        "trainability-digits",
        "fusions-digits",
        "nobn-scale",
        "kalman-digits",
        "cifar10-short",
        "cifar10-group",
    } <= set(listed)
    assert all(name in shell("reproduce", "--list")[1] for name in listed)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("compare --methods fused,nonsense", ["--methods", "nonsense", *USUAL]),
        ("compare --methods fused --nets plain", ["--nets", "plain"]),
        ("compare --budget money", ["--budget", "money", "epochs, parameters, macs, seconds"]),
        ("compare --bases 26,x", ["--bases", "26,x"]),
        ("compare --bases 26,8 --deep 8", ["--bases", "without --deep"]),
        ("compare --norm none", ["--norm", "none", "--nets"]),
        ("compare --join twist", ["join", "twist"]),
        ("depth-map --deep 8,x", ["--deep", "8,x"]),
        ("depth-map --deep 2 --shallow 8", ["grid", "0", "from 1 to 64"]),
        ("depth-map --deep 999999 --shallow 2", ["deep", "999999"]),
        ("reproduce nonsense", ["nonsense", "trainability-digits"]),
        ("reproduce trainability-digits --to /nowhere/at/all.md", ["--to"]),
    ],
)
def test_bad_input_is_refused_in_one_line(shell: Shell, command: str, says: list[str]) -> None:
    code, out, err = shell(*command.split())
    assert code == 2 and out == "" and err.count("\n") == 1
    assert all(word in err for word in says), err
    assert not Store().runs()
