"""The shell: its figures, its JSON, its exit codes and its complaints."""

import inspect
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from PIL import Image

from dfn import __version__
from dfn.cli import main, options, train
from dfn.cli.nets import SHAPED_BY, Images, make
from dfn.cli.output import amount, duration
from dfn.design.catalogue import catalogue, fused
from dfn.design.paths import path_spectrum
from dfn.design.spec import to_json
from dfn.runs.index import SORTS
from dfn.runs.store import Store
from dfn.training.comparisons import methods

NET = ["--deep", "8", "--shallow", "5", "--fusions", "3", "--width", "4"]
TINY = [*NET, "--train-limit", "128", "--test-limit", "60", "--epochs", "2"]
LONGER = [*NET, "--train-limit", "640", "--test-limit", "60", "--epochs", "4"]
"""40 steps: a command is taken after some hundredths of a second, and must find the run still at work."""

DONE = {"event", "run", "test_accuracy", "train_loss", "seconds", "weights_sha256"}

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], runs_dir: Path) -> Shell:
    """`shell("paths", "--json")` -> exit code, standard output, standard error; with a store of its own."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The id of a tiny run that is done, in a store that DFN_RUNS names while a test uses `in_its_store`."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DFN_RUNS", str(root))
        assert main(["train", *TINY, "--json"]) == 0
    (folder,) = [path for path in root.iterdir() if not path.name.startswith(".")]
    yield str(folder)


@pytest.fixture
def done(trained: str, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a tiny run that is done; its store is the one that the shell sees."""
    monkeypatch.setenv("DFN_RUNS", str(Path(trained).parent))
    return Path(trained).name


def values(text: str) -> list[Any]:
    """Every line as JSON; a line that is none fails the test."""
    return [json.loads(line) for line in text.splitlines()]


# What a net is


@pytest.mark.parametrize(
    ("deep", "shallow", "fusions", "spectrum", "groups", "essential"),
    [
        (8, 5, 3, {8: 1, 7: 3, 6: 3, 5: 1}, 4, 7),
        (26, 5, 3, {26: 1, 19: 3, 12: 3, 5: 1}, 4, 19),
        (50, 14, 6, {50: 1, 44: 6, 38: 15, 32: 20, 26: 15, 20: 6, 14: 1}, 32, 32),
        (50, 14, 3, {50: 1, 38: 3, 26: 3, 14: 1}, 4, 38),
    ],
)
def test_paths_gives_the_derived_table(
    shell: Shell, deep: int, shallow: int, fusions: int, spectrum: dict[int, int], groups: int, essential: int
) -> None:
    code, out, _ = shell("paths", "--deep", deep, "--shallow", shallow, "--fusions", fusions, "--json")
    (found,) = values(out)
    assert code == 0
    assert found["spectrum"] == {str(depth): count for depth, count in spectrum.items()}
    assert found["paths"] == sum(found["receptive_fields"].values()) == 2**fusions
    assert (found["groups"], found["essential_depth"], found["essential_depth_exact"]) == (groups, essential, True)
    assert found["depths"] == [deep, shallow]


def test_paths_gives_the_parameters_of_the_groups_own_net(shell: Shell) -> None:
    _, out, _ = shell("paths", "--deep", 26, "--shallow", 5, "--fusions", 3, "--json")
    assert json.loads(out)["parameters"] == 392_506


def test_nested_designs_have_no_base_networks(shell: Shell) -> None:
    code, out, _ = shell("paths", "--net", "fractal", "--json")
    found = json.loads(out)
    assert code == 0 and found["paths"] > 1
    assert [found[name] for name in ("groups", "essential_depth", "essential_depth_exact", "depths")] == [None] * 4
    assert "nested" in shell("paths", "--net", "fractal")[1]


def test_exact_counts_of_any_size(shell: Shell) -> None:
    bases = ",".join(["66"] * 40)
    code, out, _ = shell("paths", "--bases", bases, "--fusions", 128, "--width", 1, "--json")
    found = json.loads(out)
    assert code == 0 and found["paths"] == 40**128 and found["groups"] > 10**4000
    code, out, _ = shell("paths", "--bases", bases, "--fusions", 128, "--width", 1)
    assert code == 0 and re.search(r"paths +1\.\d\de205", out)


def test_paths_for_people(shell: Shell) -> None:
    code, out, err = shell("paths", "--deep", 50, "--shallow", 14)
    assert (code, err) == (0, "")
    assert re.search(r"essential depth +32", out) and re.search(r"32 +20 +█+", out)


def test_paths_counts_for_a_data_set(shell: Shell) -> None:
    _, out, _ = shell("paths", "--data", "digits", "--json")
    assert json.loads(out)["input_shape"] == [1, 8, 8]
    _, out, _ = shell("paths", "--size", 64, "--json")
    assert json.loads(out)["input_shape"] == [3, 64, 64]


@pytest.mark.parametrize("net", SHAPED_BY)
def test_every_net_of_the_catalogue_has_its_options(net: str) -> None:
    some = {"deep": 14, "shallow": 8, "bases": "14,8,6", "fusions": 3, "width": 8, "join": "mean", "norm": "batch"}
    some |= {"relu": "after", "dropout": 0.1, "drop_path": 0.1}
    given = {name: some[name] for name in SHAPED_BY[net] - {"bases"}}
    assert max(path_spectrum(make(net, given, Images()))) == 14
    if "bases" in SHAPED_BY[net]:
        given = {name: some[name] for name in SHAPED_BY[net] - {"deep", "shallow"}}
        assert max(path_spectrum(make(net, given, Images()))) == 14


def test_options_repeat_the_catalogue_truly() -> None:
    assert SHAPED_BY.keys() == catalogue().keys()
    assert sorted(re.split(r", | or ", options.NETS)) == sorted(catalogue())
    defaults = {name: parameter.default for name, parameter in inspect.signature(fused).parameters.items()}
    for name, hint in options.ShapeOptions.__annotations__.items():
        help = hint.__metadata__[0].help
        if "Default" in help:
            assert f"Default: {defaults[name]:{'g' if isinstance(defaults[name], float) else ''}}" in help


def test_a_design_from_a_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(to_json(fused(8, 5, 3, 4, classes=10, in_channels=1)))
    _, out, _ = shell("paths", "--design", file, "--json")
    assert json.loads(out)["depths"] == [8, 5]
    limits = ["--train-limit", 64, "--test-limit", 20, "--epochs", 0]
    code, out, _ = shell("train", "--design", file, *limits, "--json")
    assert code == 0 and values(out)[-1]["event"] == "done"
    code, _, err = shell("train", "--design", file, "--data", "scales", *limits)
    assert code == 2 and "--design" in err and "in_channels=3" in err
    file.write_text("{}")
    code, _, err = shell("paths", "--design", file)
    assert code == 2 and "body" in err and str(file) in err


# Training


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


def test_switches_reach_the_recipe(shell: Shell) -> None:
    teacher = values(shell("train", *TINY, "--json")[1])[-1]["run"]
    given = ["--net", "plain", "--deep", 8, "--width", 4, *TINY[8:], "--teacher", teacher[:6], "--temperature", 2]
    given += ["--objective", "distillation", "--weight-decay", 0, "--path-sgd", "--patience", 1]
    code, out, _ = shell("train", *given, "--json")
    recipe = json.loads(shell("show", values(out)[-1]["run"], "--json")[1])["recipe"]
    assert code == 0 and (recipe["teacher"], recipe["temperature"], recipe["weight_decay"]) == (teacher, 2.0, 0.0)
    assert recipe["path_sgd"] and recipe["patience"] == 1
    assert "Stopped after epoch" in json.loads(shell("show", values(out)[-1]["run"], "--json")[1])["message"]


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


# Runs


def test_runs_are_listed_and_shown(shell: Shell, done: str) -> None:
    (listed,) = json.loads(shell("runs", "--json")[1])
    shown = json.loads(shell("show", done, "--json")[1])
    assert listed.items() <= shown.items()
    assert (shown["run"], shown["state"], shown["epochs_done"]) == (done, "done", 2)
    assert re.fullmatch(r"[0-9a-f]{64}", shown["weights_sha256"]) and 0 <= shown["test_accuracy"] <= 1
    assert shown["recipe"]["design"]["in_channels"] == 1
    for sort in SORTS:
        code, out, _ = shell("runs", "--sort", sort)
        assert code == 0 and done in out and "fused 8 + 5" in out
    out = shell("show", done[:6])[1]
    assert re.search(r"epochs done +2 of 2", out) and re.search(r"train limit +128", out)


def test_runs_are_filtered_and_limited(shell: Shell, done: str) -> None:
    waiting = values(shell("train", *TINY, "--seed", 5, "--epochs", 0, "--json")[1])[-1]["run"]

    def listed(*arguments: Any) -> list[str]:
        return [row["run"] for row in json.loads(shell("runs", "--json", *arguments)[1])]

    assert set(listed()) == {done, waiting} and len(listed("--limit", 1)) == 1
    assert listed("--state", "failed") == listed("--data", "scales") == listed("--net", "plain") == []
    assert listed("--sort", "size") == [done, waiting]
    assert "1 of 2 runs that fit, of 2" in shell("runs", "--limit", 1, "--state", "done")[1]
    assert "0 of 0 runs that fit, of 2" in shell("runs", "--net", "plain")[1]


def test_an_empty_store_says_what_to_do(shell: Shell) -> None:
    assert json.loads(shell("runs", "--json")[1]) == []
    assert "dfn train" in shell("runs")[1]


def test_export(shell: Shell, done: str, tmp_path: Path) -> None:
    table, archive = tmp_path / "run.csv", tmp_path / "run.zip"
    code, out, _ = shell("export", done, table, "--json")
    assert code == 0 and json.loads(out) == {"run": done, "file": str(table), "bytes": table.stat().st_size}
    assert table.read_text().count("\n") == 1 + 4 + 3, "a heading, four steps and three epochs"
    assert shell("export", done, archive)[0] == 0
    with zipfile.ZipFile(archive) as opened:
        assert f"{done}/recipe.json" in opened.namelist()
    code, out, err = shell("export", done, tmp_path / "nowhere" / "run.csv")
    assert (code, out) == (1, "") and err.count("\n") == 1


def test_the_trash_is_purged_after_a_question(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    run = values(shell("train", *TINY, "--epochs", 0, "--json")[1])[-1]["run"]
    assert "empty" in shell("purge")[1]
    shell("delete", run)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    shell("purge")
    assert [left.id for left in Store().trashed()] == [run]
    assert "1 deleted run," in shell("purge", "--yes")[1] and Store().trashed() == []


def test_deleted_runs_come_back(shell: Shell) -> None:
    run = values(shell("train", *TINY, "--epochs", 0, "--json")[1])[-1]["run"]
    assert json.loads(shell("delete", run, "--json")[1]) == {"deleted": run}
    assert shell("show", run)[0] == 2
    assert json.loads(shell("restore", run, "--json")[1])["state"] == "done"
    assert json.loads(shell("stop", run, "--json")[1])["state"] == "done"


# Data sets and comparisons


def test_data_sets_are_listed(shell: Shell) -> None:
    (found,) = values(shell("data", "list", "--json")[1])
    assert [info["name"] for info in found][:2] == ["digits", "scales"]
    assert re.search(r"cifar10 +3 x 32 x 32 +50,000 +10,000 +10", shell("data", "list")[1])


def test_what_needs_no_download_is_not_fetched(shell: Shell) -> None:
    assert values(shell("data", "fetch", "digits", "--json")[1]) == [
        {"event": "done", "data": "digits", "folder": None}
    ]


def test_a_download_that_fails(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFN_DATA", str(tmp_path))
    code, out, err = shell("data", "fetch", "cifar10", "--json")
    assert (code, out) == (1, "") and err.count("\n") == 1 and "cifar-10-binary.tar.gz" in err


# Complaints


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("paths --deep 1", ["--deep", "1", "from 2 to"]),
        ("train --deep x", ["--deep: x", "a valid integer"]),
        (
            "paths --join plus",
            ["--join", "plus", "sum, mean, max, concat, gate, weighted, adaptive or inverse-variance"],
        ),
        ("paths --fusions 0 --join max", ["--join", "max", "sum, mean, weighted, adaptive, inverse-variance"]),
        ("train --width 0", ["--width", "0", "from 1 to"]),
        ("paths --bases 26,x", ["--bases", "26,x", "26,14,8"]),
        ("paths --bases 26,1", ["--bases", "1", "from 2 to"]),
        ("paths --bases 26,14 --deep 8", ["--bases", "without --deep"]),
        ("paths --net plain --shallow 8", ["--shallow", "8", "--net plain only --deep"]),
        ("paths --net fractal --deep 7", ["--deep", "7", "6, 10, 14"]),
        ("train --net nonsense", ["--net", "nonsense", "fused, plain"]),
        ("compare --nets fused,nonsense", ["--net", "nonsense", "fused, plain"]),
        ("train --data nothing", ["--data", "nothing", "digits"]),
        ("train --data folder:missing", ["--data", "missing", "sub-folder"]),
        ("train --data cifar10", ["--data", "cifar10", "dfn data fetch cifar10"]),
        ("train --design missing.json", ["--design", "missing.json"]),
        ("train --design x.json --deep 8", ["--deep", "8", "--design"]),
        ("train --size 2", ["--size", "2", "4"]),
        ("train --lr -1", ["--lr", "-1", "greater than 0"]),
        ("train --epochs -1", ["--epochs", "-1", "equal to 0"]),
        ("train --batch-size 1", ["--batch-size", "1", "2"]),
        ("train --seed -1", ["--seed", "-1", "0"]),
        ("train --schedule x", ["--schedule", "x", "cosine"]),
        ("train --preset x", ["--preset", "x", "classroom"]),
        ("train --method nonsense", ["--method", "nonsense", "fused, plain-deep"]),
        ("train --method fitnets --net plain", ["--net", "plain", "nothing beside --method"]),
        ("train --method fitnets --norm none", ["--norm", "none", "nothing beside --method"]),
        ("train --method fitnets --objective distillation", ["--objective", "nothing beside --method"]),
        ("train --method fitnets --deep 1", ["deep", "1", "from 2 to"]),
        ("train --method fitnets --bases 9,x", ["--bases", "9,x", "26,14,8"]),
        ("train --objective hope", ["--objective", "hope", "cross-entropy"]),
        ("train --objective sum-of-losses", ["--objective", "fusions=0"]),
        ("train --net plain --objective distillation", ["--objective", "a `teacher`"]),
        ("train --net plain --objective distillation --teacher 0123456789ab", ["0123456789ab", "no such run"]),
        ("train --temperature 2", ["--temperature", "2.0", "only with the objective"]),
        ("train --patience 0", ["--patience", "0", "equal to 1"]),
        ("train --join gate --path-sgd", ["--path-sgd", "sum, mean or concat"]),
        ("train --dropout 2", ["--dropout", "2", "less than 1"]),
        ("train --nonsense", ["--nonsense"]),
        ("nonsense", ["nonsense"]),
        ("show", ["RUN"]),
        ("show zz", ["zz", "hexadecimal"]),
        ("show 0123456789ab", ["0123456789ab", "no such run"]),
        ("resume 01234", ["01234", "no such run"]),
        ("export 0123456789ab x.zip", ["0123456789ab"]),
        ("runs --sort x", ["--sort", "x", "accuracy"]),
        ("runs --state x", ["--state", "x", "interrupted"]),
        ("data fetch nothing", ["nothing", "digits"]),
        ("compare --seeds 0", ["--seeds: '0'", "equal to 1"]),
    ],
)
def test_bad_input_is_refused_in_one_line(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, says: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DFN_DATA", str(tmp_path))
    code, out, err = shell(*command.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("dfn: ") and all(word in err for word in says), err
    assert not list((tmp_path / "runs").iterdir()), "nothing is left of what was refused"


def test_another_file_is_no_export(shell: Shell, done: str, tmp_path: Path) -> None:
    code, _, err = shell("export", done, tmp_path / "run.txt")
    assert code == 2 and ".zip or .csv" in err and not (tmp_path / "run.txt").exists()


def test_mistakes_of_ours_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dfn.cli.app", broken)
    with pytest.raises(ZeroDivisionError):
        main([])


# The ground


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *arguments], env=os.environ | environment, capture_output=True, check=True)


def test_version_and_help(shell: Shell) -> None:
    assert shell("--version")[:2] == (0, f"dfn {__version__}\n")
    code, out, err = shell()
    assert (code, err) == (0, "")
    commands = (
        "train, methods, paths, compare, depth-map, reproduce, runs, show, stop, pause, resume, export, delete, "
        "restore, purge, data, lessons"
    )
    assert ", ".join(re.findall(r"^│ ([a-z][a-z-]*) ", out, flags=re.MULTILINE)) == commands


def test_it_works_as_a_module_in_a_locale_without_dashes() -> None:
    output = python("-m", "dfn", "paths", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").stdout
    assert re.search(rb"essential depth +\d+", output)


@pytest.mark.parametrize(
    "command", ["--help", "paths --json", "methods --json", "runs --json", "data list --json", "train"]
)
def test_what_does_not_train_is_light(done: str, command: str) -> None:
    arguments = ["train", *TINY, "--json"] if command == "train" else command.split()
    end = "print(code, time.process_time(), 'torch' in sys.modules, file=sys.stderr)"
    program = f"import sys, time; from dfn.cli import main; code = main({arguments!r}); {end}"
    libraries = f"import sys, time, pydantic, typer, rich.table, rich.progress, filelock; code = 0; {end}"
    # of the processor, not of the clock, and beside what the libraries take on this very machine: about twice that.
    # Whoever shares the processor adds to both, so the least of some tries counts.
    ours: list[float] = []
    theirs: list[float] = []
    while not ours or (min(ours) > 3 * median(theirs) and len(ours) < 10):
        for text, seconds in ((program, ours), (libraries, theirs)):
            code, used, torch = python("-c", text).stderr.split()
            assert (code, torch) == (b"0", b"False")
            seconds.append(float(used))
    assert min(ours) < 3 * median(theirs)


def test_figures_for_people() -> None:
    assert [duration(s) for s in (None, 8.06, 185, 7800)] == ["–", "8.1 s", "3 min 05 s", "2 h 10 min"]
    assert [amount(n) for n in (64, 2**40, 10**205)] == ["64", "1,099,511,627,776", "1.00e205"]
