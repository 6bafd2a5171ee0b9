"""Lesson files: Markdown with TOML front matter between two lines of `+++`. Every `## ` begins a step: its text, and
one fenced block of TOML that says what the step opens, asks and waits for.

All that is wrong with a file is found at once, each problem with its line, its field, the value and what would be
accepted.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dfn.design.errors import DesignError, every_error
from dfn.lessons.lesson import Lesson, Preset, Step
from dfn.words import spoken

LARGEST = 200_000
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
FENCE = "```"
KINDS = ("choice", "number", "pick", "curve")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, on a line counted from 1."""

    line: int
    says: str


class LessonError(ValueError):
    """A file that is no lesson; `problems` in the order of the lines."""

    def __init__(self, file: str, problems: Sequence[Problem]):
        self.file = file
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__(file, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}, line {problem.line}: {problem.says}" for problem in self.problems)


def in_words(path: Path) -> Path:
    """The file that says the same in the language that is spoken: `ko/NAME.md` beside `NAME.md`, where there is one.
    States and conditions are those of the original, only the words differ."""
    twin = path.parent / spoken() / path.name
    return twin if twin.is_file() else path


def read(path: Path) -> Lesson:
    """The lesson in a file; its id is the file's name without its ending. Raises LessonError, and OSError where the
    file cannot be read."""
    if not NAME.fullmatch(path.stem) or path.suffix != ".md":
        raise LessonError(path.name, [Problem(1, f"the file's name: {path.name} is not accepted; {_NAMES}")])
    return parse(_text(path), path.name)


def read_presets(path: Path) -> tuple[Preset, ...]:
    """The starting points in a TOML file, each a `[[preset]]`. Raises LessonError."""
    text = _text(path)
    problems: list[Problem] = []
    table = _toml(text, 0, "presets", problems)
    found = [_model(Preset, values, f"preset {number}", text, 0, problems) for number, values in _numbered(table)]
    if problems:
        raise LessonError(path.name, problems)
    return tuple(preset for preset in found if preset)


def parse(text: str, file: str) -> Lesson:
    """The lesson in the text of a file of this name. Raises LessonError."""
    problems: list[Problem] = []
    lines = text.splitlines()
    ends = [number for number, line in enumerate(lines) if line.strip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise LessonError(file, [Problem(1, f"front matter: {_FRONT}")])
    front = "\n".join(lines[1 : ends[1]])
    head = _toml(front, 1, "front matter", problems)
    steps = [_step(title, at, body, problems) for title, at, body in _sections(lines, ends[1] + 1, problems)]
    whole = [step for step in steps if step]
    if not steps:
        problems.append(Problem(len(lines), "steps: nothing is not accepted; accepted: a heading “## ...” for each"))
    values = {**head, "id": Path(file).stem, "steps": whole or [_ANY]}
    lesson = _model(Lesson, values, "", front, 1, problems)
    if problems or lesson is None:
        raise LessonError(file, problems)
    return lesson


_NAMES = "accepted: small letters, digits and hyphens, with the ending .md"
_FRONT = "nothing is not accepted; accepted: TOML between two lines of +++, the first of them line 1"
_ANY = Step(title="-", text="-", page="lessons", button="-")  # stands in for broken steps, whose problems are known


def _text(path: Path) -> str:
    """The text of a file; LessonError where it is too large or no text."""
    size = path.stat().st_size
    if size > LARGEST:
        raise LessonError(path.name, [Problem(1, f"the file: {size:,} bytes is not accepted; accepted: {LARGEST:,}")])
    try:
        return path.read_text(encoding="utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise LessonError(path.name, [Problem(1, "the file: it is not accepted; accepted: text in UTF-8")]) from None


def _sections(lines: Sequence[str], start: int, problems: list[Problem]) -> Iterator[tuple[str, int, Sequence[str]]]:
    """(title, index of its line, the lines below it) for every `## ` outside of fenced blocks."""
    heads: list[int] = []
    fenced = False
    for at in range(start, len(lines)):
        fenced ^= lines[at].lstrip().startswith(FENCE)
        if lines[at].startswith("## ") and not fenced:
            heads.append(at)
        elif not heads and lines[at].strip():
            problems.append(Problem(at + 1, "text before the first step is not accepted; accepted: a line “## ...”"))
            return
    for at, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        yield lines[at][3:].strip(), at, lines[at + 1 : end]


def _step(title: str, at: int, body: Sequence[str], problems: list[Problem]) -> Step | None:
    """The step under a heading on line `at` (counted from 0)."""
    opens = next((number for number, line in enumerate(body) if line.strip() == f"{FENCE}toml"), None)
    closes = None if opens is None else next((n for n in range(opens + 1, len(body)) if body[n].strip() == FENCE), None)
    if opens is None or closes is None:
        problems.append(Problem(at + 1, f"step “{title}”: no block is not accepted; accepted: {FENCE}toml ... {FENCE}"))
        return None
    block = "\n".join(body[opens + 1 : closes])
    first = at + 1 + opens + 1
    known = len(problems)
    values = _toml(block, first, f"step “{title}”", problems)
    if len(problems) > known:
        return None
    text = "\n".join([*body[:opens], *body[closes + 1 :]])
    return _model(Step, {"title": title, "text": text, **values}, f"step “{title}”", block, first, problems)


def _toml(text: str, before: int, what: str, problems: list[Problem]) -> dict[str, Any]:
    """A TOML block that begins behind `before` lines of its file."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = int(found[2]) if found and found[2] else text.count("\n") + 1
        problems.append(Problem(before + line, f"{what}: {found[1] if found else error}; accepted: TOML"))
        return {}


def _numbered(table: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(table.get("preset", []), start=1)


def _model(kind: Any, values: Any, what: str, block: str, before: int, problems: list[Problem]) -> Any:
    """The values as a model of this kind; None, and problems with their lines, where they are not."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = every_error(error)
        places = [place for place, _ in found]
        for place, said in found:
            if any(len(other) > len(place) and other[: len(place)] == place for other in places):
                continue  # what is inside says it better
            place = tuple(part for part in place if part not in KINDS)
            inside = said.field.rpartition(".")[2]  # a state and the conditions find the field themselves
            place = place if not inside.isidentifier() or inside in place or inside in KINDS else (*place, inside)
            accepted = f"with kind = one of {', '.join(KINDS)}" if place[-1:] == ("kind",) else said.accepted
            words = str(DesignError(_field(place), said.value, accepted))
            problems.append(Problem(before + _line(block, place), f"{what}, {words}" if what else words))
        return None


def _field(place: Sequence[str | int]) -> str:
    """`question.answers[1].text`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _line(block: str, place: Sequence[str | int]) -> int:
    """The line of a block, counted from 1, on which a field is likely to stand."""
    lines, at, last = block.splitlines(), 0, ""
    for part in place:
        if isinstance(part, int):
            tables = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[(\w+\.)*{last}\]\]", line)]
            at = tables[part] if part < len(tables) else at
        else:
            pattern = re.compile(rf"(^|[\s{{,.\[]){re.escape(part)}\s*(=|\]|\.\w+\s*=)")
            at = next((n for n in range(at, len(lines)) if pattern.search(lines[n])), at)
            last = re.escape(part)
    return at + 1
