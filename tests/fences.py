"""The fenced blocks of a page of the docs, and how its commands and its Python are run: as they stand, but short.

`dfn ...` runs in this process with fewer images and narrower nets. What needs a network, a cluster, a GPU, a container
or a server of its own is taken apart by its own parser as far as there is one: whether its options exist is known.
"""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml

from dfn.cli import app, main

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^(`{3,})(\w*)(?: title=\"([^\"\n]+)\")?\n(.*?)^\1$", re.M | re.S)
SHORT = ["--epochs", "1", "--train-limit", "64", "--width", "4"]
RUN_PLACE, JOB = "RUN", "#!/"
ELSEWHERE = ("data fetch", "reproduce cifar10", "--on ray", "--detach")
COMPOSE = ("build", "up", "down", "logs", "exec", "cp")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the file that it is the text of (or ""), and its text."""

    kind: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, from the first to the last."""
    return [Block(kind, title, text) for _, kind, title, text in FENCE.findall(page.read_text("utf-8"))]


def commands(page: Path) -> list[list[str]]:
    """The words of every command of a page: variables in front are left out, continued lines are one."""
    return [words for block in blocks(page) if block.kind == "sh" for words in _commands(block.text)]


def _commands(text: str) -> Iterator[list[str]]:
    text = re.sub(r"\$\(.*?\)", "HOST", text.replace("\\\n", " "))
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        while words and "=" in words[0] and words[0].split("=")[0].isupper():
            words = words[1:]
        if words and words[0] not in ("trap", "wait"):
            yield words[:-1] if words[-1] == "&" else words


def variables(page: Path) -> set[str]:
    """The variables of the environment that the commands of a page set."""
    texts = [block.text for block in blocks(page) if block.kind == "sh"]
    return {name for text in texts for name in re.findall(r"\b([A-Z][A-Z_]+)=", text)}


def run_page(page: Path, run: str) -> None:
    """Run the commands and the Python of a page in the current folder, from top to bottom; `run` is the id that stands
    for RUN. Raises AssertionError for a command that does not end with 0."""
    scope: dict[str, Any] = {}
    for block in blocks(page):
        if block.title:
            Path(block.title).write_text(block.text, "utf-8")
        elif block.kind == "python":
            exec(short(block.text), scope)
        elif block.kind == "sh" and not block.text.startswith(JOB):
            for words in _commands(block.text):
                if words[0] == "dfn" and not any(where in " ".join(words) for where in ELSEWHERE):
                    run_dfn([run if word == RUN_PLACE else word for word in words[1:]])


def short(code: str) -> str:
    """Python that trains less, on narrower nets."""
    return re.sub(r"\bepochs=\d+", "epochs=1, train_limit=64", re.sub(r"\bwidth=\d+", "width=4", code))


def run_dfn(words: Sequence[str]) -> None:
    """One command of the shell, short."""
    words = [str(ROOT / word) if word.startswith("assets/") else word for word in words]
    less = {"train": SHORT, "compare": [*SHORT, "--seeds", "1"]}.get(words[0], [])
    assert main([*words, *less]) == 0, " ".join(words)


def parse(words: Sequence[str]) -> None:
    """Take a command apart by its own parser. Raises for what it does not know."""
    name, *rest = words
    _PARSERS[name](rest)


def _dfn(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("dfn", words)
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, words, parent=context)


def _make(words: list[str]) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M)
    assert set(words) <= set(targets), words


def _pip(words: list[str]) -> None:
    assert words[0] == "install"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for word in words[1:]:
        found = re.fullmatch(r"\.(?:\[(\w+)\])?", word)
        assert word == "-r" or (found and found[1] in (None, *extras)) or (ROOT / word).is_file(), word


def _python(words: list[str]) -> None:
    assert (ROOT / words[0]).is_file(), words


def _streamlit(words: list[str]) -> None:
    from streamlit.web.cli import main_run

    assert words[0] == "run" and (ROOT / words[1]).is_file()
    main_run.make_context("run", words[1:])


def _torchrun(words: list[str]) -> None:
    from torch.distributed.run import get_args_parser

    said = get_args_parser().parse_args(words)
    assert said.module and said.training_script == "dfn"
    _dfn(said.training_script_args)


def _srun(words: list[str]) -> None:
    parse(words[words.index("torchrun") :])


def _ray(words: list[str]) -> None:
    from ray.scripts.scripts import cli

    cli.commands[words[0]].make_context(words[0], words[1:])


def _docker(words: list[str]) -> None:
    if words[0] != "compose":
        assert words[0] in ("build", "run"), words
        return
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    words = words[1:]
    while words[0].startswith("--"):
        assert words[0] == "--profile" and any(words[1] in s.get("profiles", []) for s in compose["services"].values())
        words = words[2:]
    command, *rest = words
    plain = [word for word in rest if not word.startswith("-")]
    assert command in COMPOSE, command
    if command == "exec":
        parse(rest[rest.index(plain[0]) + 1 :])
        plain = plain[:1]
    elif command == "cp":
        assert (ROOT / plain[0]).exists()
        plain = [plain[1].partition(":")[0]]
    assert set(plain) <= set(compose["services"]), plain


def _export(words: list[str]) -> None:
    assert all("=" in word for word in words)


_PARSERS: dict[str, Callable[[list[str]], None]] = {
    "dfn": _dfn,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "streamlit": _streamlit,
    "torchrun": _torchrun,
    "srun": _srun,
    "ray": _ray,
    "docker": _docker,
    "export": _export,
}


def known_variables() -> set[str]:
    """Every variable of the environment that the library, the app, the Makefile or the container read."""
    sources = [path for place in ("dfn", "app") for path in (ROOT / place).rglob("*.py")]
    sources += [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "Makefile"]
    return {name for path in sources for name in re.findall(r"\b[A-Z]+_[A-Z_]+\b", path.read_text("utf-8"))}
