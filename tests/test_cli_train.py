"""The shell trains: records as JSON, Ctrl-C and resume, methods, and runs that are left to a worker."""

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from shell_words import DONE, LONGER, NET, TINY, Shell, values

from dfn.cli import train
from dfn.training.comparisons import methods


def test_train_prints_records_and_then_what_came_out(shell: Shell) -> None:
    code, out, err = shell("train", *TINY, "--json")
    lines = values(out)
    assert (code, err) == (0, "")
    assert [line["event"] for line in lines if line["event"] in ("begin", "epoch", "done")] == [
        "begin",
        *["epoch"] * 3,
        "done",
    ]
    assert len({line["run"] for line in lines}) == 1
    assert lines[-1].keys() == DONE and lines[-1]["train_loss"] > 0

    code, out, _ = shell("train", *TINY, "--json")
    assert values(out) == lines[-1:], "what was trained before is answered at once"
    code, out, _ = shell("train", *TINY, "--seed", "1", "--json")
    assert values(out)[-1]["weights_sha256"] != lines[-1]["weights_sha256"]


def test_train_for_people(shell: Shell) -> None:
    code, out, err = shell("train", *TINY)
    assert code == 0
    assert re.search(r"weights +[0-9a-f]{64}", out) and re.search(r"test accuracy +\d+\.\d %", out)
    assert "seed 0" in err and err.count("epoch ") == 3


def interrupt(shell: Shell, step: int, *arguments: object) -> tuple[int, str, str]:
    """A command that gets a Ctrl-C as soon as it has printed this step."""
    printed = train.print_json

    def press_ctrl_c(line: dict[str, Any]) -> None:
        printed(line)
        if line["event"] == "step" and line["step"] == step:
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "print_json", press_ctrl_c)
        return shell(*arguments)


@pytest.mark.medium
def test_interrupted_and_resumed_is_as_never_interrupted(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    code, out, err = interrupt(shell, 3, "train", *LONGER, "--json")
    run = values(out)[-1]["run"]
    assert code == 130 and values(out)[-1]["event"] != "done"
    assert f"dfn resume {run}" in err and err.count("\n") == 1
    assert signal.getsignal(signal.SIGINT) is before
    shown = json.loads(shell("show", run[:5], "--json")[1])
    assert shown["state"] == "stopped" and 3 <= shown["step"] < shown["steps"]

    code, out, _ = shell("resume", run, "--json")
    monkeypatch.setenv("DFN_RUNS", str(tmp_path / "elsewhere"))
    whole = values(shell("train", *LONGER, "--json")[1])[-1]
    assert code == 0 and {**values(out)[-1], "seconds": 0} == {**whole, "seconds": 0}


def test_a_run_that_fails_says_so_in_one_line(shell: Shell) -> None:
    code, out, err = shell("train", *TINY, "--norm", "none", "--lr", 1000, "--json")
    assert code == 1 and err.count("\n") == 1 and "learning rate" in err
    lines = values(out)
    assert lines[-1]["event"] == "diverged"
    assert json.loads(shell("show", lines[0]["run"], "--json")[1])["state"] == "failed"


def test_a_reader_who_leaves_stops_the_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(_: object) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr(train, "print_json", nobody_reads)
        code, _, err = shell("train", *LONGER, "--json")
    assert code == 1 and "dfn resume" in err


def test_folders_are_data_sets(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shade, name in enumerate(("dark", "light", "middle")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (8, 8), (80 * shade + number,) * 3).save(tmp_path / f"images/{name}/{number}.png")
    monkeypatch.chdir(tmp_path)
    code, out, _ = shell("train", *NET, "--data", "folder:images", "--size", 8, "--epochs", 1, "--json")
    assert code == 0
    _, out, _ = shell("show", values(out)[-1]["run"], "--json")
    recipe = json.loads(out)["recipe"]
    assert recipe["data"] == f"folder:{tmp_path.resolve() / 'images'}"
    assert recipe["design"]["classes"] == 3


def test_methods_are_listed(shell: Shell) -> None:
    (found,) = values(shell("methods", "--json")[1])
    assert [method["name"] for method in found] == list(methods())
    assert all(found[0][name] for name in ("title", "family", "source", "status", "relation", "formula"))
    code, out, _ = shell("methods")
    assert code == 0 and "arXiv 1412.6550" in " ".join(out.split())


@pytest.mark.slow
@pytest.mark.parametrize("method", methods())
def test_every_method_has_a_card(shell: Shell, method: str) -> None:
    (card,) = values(shell("methods", method, "--json")[1])
    code, out, _ = shell("methods", method)
    words = " ".join(out.split())
    assert code == 0 and methods()[method].title in words and methods()[method].relation in words
    assert f"{card['net']['parameters']:,} parameters" in words and f"{card['fused']['paths']} paths" in words
    assert all(f"Trained first: {first}." in words for first in card["first"])


def test_a_method_that_is_not_there_is_named_with_those_that_are(shell: Shell) -> None:
    code, out, complaint = shell("methods", "nobody")
    assert code == 2 and not out and "nobody is not accepted" in complaint and "highway" in complaint


@pytest.mark.slow
@pytest.mark.parametrize("method", methods())
def test_every_method_trains_from_the_shell(shell: Shell, method: str) -> None:
    code, out, err = shell("train", "--method", method, *TINY, "--json")
    lines = values(out)
    assert (code, err) == (0, "") and lines[-1]["event"] == "done"
    recipe = json.loads(shell("show", lines[-1]["run"], "--json")[1])["recipe"]
    trained = [line["run"] for line in lines if line["event"] == "done"]
    assert trained == [*([recipe["teacher"]] if "teacher" in recipe else []), lines[-1]["run"]]


def test_a_method_says_what_comes_first(shell: Shell) -> None:
    code, out, err = shell("train", "--method", "fitnets", *TINY)
    assert code == 0 and "comes first: plain 8, hinted learns from it" in " ".join(err.split())
    assert out.count("test accuracy") == 2


@pytest.mark.medium
def test_switches_reach_the_recipe(shell: Shell) -> None:
    teacher = values(shell("train", *TINY, "--json")[1])[-1]["run"]
    given = ["--net", "plain", "--deep", 8, "--width", 4, *TINY[8:], "--teacher", teacher[:6], "--temperature", 2]
    given += ["--objective", "distillation", "--weight-decay", 0, "--path-sgd", "--patience", 1]
    code, out, _ = shell("train", *given, "--json")
    recipe = json.loads(shell("show", values(out)[-1]["run"], "--json")[1])["recipe"]
    assert code == 0 and (recipe["teacher"], recipe["temperature"], recipe["weight_decay"]) == (teacher, 2.0, 0.0)
    assert recipe["path_sgd"] and recipe["patience"] == 1
    assert "Stopped after epoch" in json.loads(shell("show", values(out)[-1]["run"], "--json")[1])["message"]


@pytest.mark.medium
def test_detached_runs_go_on_without_the_shell(shell: Shell) -> None:
    code, out, _ = shell("train", *TINY, "--detach", "--json")
    (line,) = values(out)
    assert code == 0 and (line["event"], line["state"]) == ("detached", "waiting")
    found = wait_for(shell, line["run"], "done")
    assert found["weights_sha256"]
    code, out, _ = shell("resume", line["run"], "--detach", "--json")
    assert values(out)[0].keys() == DONE


@pytest.mark.slow
def test_a_paused_run_can_be_taken_over(shell: Shell) -> None:
    long = [*NET, "--epochs", "200", "--train-limit", "640", "--test-limit", "60"]
    run = values(shell("train", *long, "--detach", "--json")[1])[0]["run"]
    wait_for(shell, run, "running")
    code, _, err = shell("resume", run, "--json")
    assert code == 2 and err.count("\n") == 1, "somebody else trains it"
    assert json.loads(shell("pause", run, "--json")[1])["state"] == "paused"
    step = json.loads(shell("show", run, "--json")[1])["step"]
    assert interrupt(shell, step + 1, "resume", run, "--json")[0] == 130
    shell("resume", run, "--detach")
    wait_for(shell, run, "running")
    code, out, _ = shell("stop", run, "--json")
    assert code == 0 and json.loads(out)["state"] == "stopped"


def wait_for(shell: Shell, run: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := json.loads(shell("show", run, "--json")[1]))["state"] != state:
        assert time.monotonic() < deadline, f"{found['state']}: {found['message']}"
        time.sleep(0.1)
    return found
