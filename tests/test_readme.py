"""The README says what works: its commands and its Python run, its links and pictures exist."""

import re
import shlex
from pathlib import Path

import pytest

from dfn.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)
SHELL = [line.split("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
DFN = [line for line in SHELL if line.startswith("dfn ")]
FAST = ["--epochs", "1", "--train-limit", "64", "--width", "4"]


def test_the_two_commands_are_targets_of_the_makefile():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    commands = [line.split()[1] for line in SHELL if line.startswith("make ")]
    assert commands[:2] == ["app", "test"]
    assert set(commands) <= targets


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://arxiv.org/") or (ROOT / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("line", DFN)
def test_every_command_of_the_shell_runs(runs_dir, line, capsys):
    words = shlex.split(line)[1:]
    if words[:2] == ["data", "fetch"]:
        words = ["data", "fetch", "--help"]
    if words[0] in ("train", "compare"):
        words += FAST
    assert main(words) == 0, capsys.readouterr().err


@pytest.mark.slow
def test_the_python_runs(runs_dir, capsys):
    code = "\n".join(text for kind, text in BLOCKS if kind == "python")
    assert "epochs=5" in code
    scope: dict = {}
    exec(code.replace("epochs=5", "epochs=1, train_limit=64"), scope)
    printed = capsys.readouterr().out
    assert "{50: 1, 44: 6, 38: 15, 32: 20, 26: 15, 20: 6, 14: 1}" in printed
    assert "Done(" in printed
