"""Which lessons there are: those of the lab, and those in a lecturer's folder named by DFN_LESSONS. No drawing."""

import os
from dataclasses import dataclass
from pathlib import Path

from dfn.lessons import Lesson, LessonError, Problem, in_words, read

FOLDER = Path(__file__).parents[1] / "assets" / "lessons"
PRESETS = Path(__file__).parents[1] / "assets" / "presets.toml"
MOST_OWN = 60


@dataclass(frozen=True)
class Entry:
    """One file on the shelf: the word for it in an address, whether a lecturer put it there, and what it holds: a
    lesson, or the problems that keep it from being one."""

    id: str
    file: Path
    own: bool
    lesson: Lesson | None
    problems: tuple[Problem, ...] = ()


def files() -> list[tuple[str, Path, bool]]:
    """(id, file in the language that is spoken, whether a lecturer's) of every lesson; those of the lab have their
    number as id."""
    found = [(path.stem.split("-")[0].lstrip("0"), path, False) for path in sorted(FOLDER.glob("*.md"))]
    named = os.environ.get("DFN_LESSONS")
    if named:
        own = sorted(path for path in Path(named).glob("*.md") if path.is_file())
        found += [(f"own-{path.stem}", path, True) for path in own[:MOST_OWN]]
    return [(id, in_words(path), own) for id, path, own in found]


def entry(id: str, file: Path, own: bool) -> Entry:
    """The file, read and checked."""
    try:
        return Entry(id, file, own, read(file))
    except LessonError as error:
        return Entry(id, file, own, None, tuple(error.problems))
    except OSError as error:
        return Entry(id, file, own, None, (Problem(1, f"the file cannot be read: {error.strerror}"),))
