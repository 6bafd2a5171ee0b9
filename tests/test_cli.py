"""The shell's runs, data sets, complaints, and the ground that it stands on."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from shell_words import TINY, Shell, values

from dfn import __version__
from dfn.cli import main
from dfn.cli.output import amount, duration
from dfn.runs.index import SORTS
from dfn.runs.store import Store


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


def test_a_run_becomes_a_page(shell: Shell, done: str, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    code, out, _ = shell("export", done, page, "--image", 4, "--image", 2, "--json")
    assert code == 0 and json.loads(out) == {"run": done, "file": str(page), "bytes": page.stat().st_size}
    assert page.read_text("utf-8").count("<option value=") == 2 + 3 + 2, "two images, three fusions, two scales"
    code, out, err = shell("export", done, page, "--image", 4000)
    assert (code, out, err.count("\n")) == (2, "", 1) and "image: 4000" in err
    assert "--image: 1" in shell("export", done, tmp_path / "run.csv", "--image", 1)[2]


def test_another_file_is_no_export(shell: Shell, done: str, tmp_path: Path) -> None:
    code, _, err = shell("export", done, tmp_path / "run.txt")
    assert code == 2 and ".html, .zip or .csv" in err and not (tmp_path / "run.txt").exists()


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


@pytest.mark.medium
def test_it_works_as_a_module_in_a_locale_without_dashes() -> None:
    output = python("-m", "dfn", "paths", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").stdout
    assert re.search(rb"essential depth +\d+", output)


@pytest.mark.medium
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
