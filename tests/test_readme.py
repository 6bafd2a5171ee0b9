"""The README says what works: its commands and its Python run, its links and pictures exist."""

import re

import pytest
from fences import ROOT, blocks, commands, parse, run_dfn, short

PAGE = ROOT / "README.md"
COMMANDS = commands(PAGE)


def test_the_two_commands_come_first():
    assert [words for words in COMMANDS if words[0] == "make"][:2] == [["make", "app"], ["make", "test"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_understood(words):
    parse(words)


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text("utf-8")):
        assert target.startswith("https://arxiv.org/") or (ROOT / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] == "dfn" and w[1:3] != ["data", "fetch"]], ids=" ".join)
def test_every_command_of_the_shell_runs(runs_dir, words):
    run_dfn(words[1:])


@pytest.mark.slow
def test_the_python_runs(runs_dir, capsys):
    code = "\n".join(block.text for block in blocks(PAGE) if block.kind == "python")
    assert "epochs=5" in code
    scope: dict = {}
    exec(short(code), scope)
    printed = capsys.readouterr().out
    assert "{50: 1, 44: 6, 38: 15, 32: 20, 26: 15, 20: 6, 14: 1}" in printed
    assert "Done(" in printed
