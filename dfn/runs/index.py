"""What a list of runs shows of each, kept in one file so that ten thousand folders are not opened at every look.

The index is a cache: it may be torn, old or deleted at any time, and the folders alone are the truth. Whatever a run's
list entry depends on is written under another name and renamed, which changes the time of the run's folder; so an
entry holds as long as that time and the recipe file do. A folder that was changed within the last seconds is read
again, because another change within the same tick of the file system's clock could not be told from it.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dfn.design.cost import cost
from dfn.design.nodes import Fusion
from dfn.design.spec import Design
from dfn.runs import queue
from dfn.runs.files import read_whole, to_line, write_whole
from dfn.runs.run import Run, RunError, Status
from dfn.training.recipe import Recipe, recipe_from_data

ID = re.compile(r"[0-9a-f]{12}")
WORTH_WRITING = 100  # fewer folders are read anew in less time than the file takes
LARGEST_INDEX = 256_000_000
SETTLED_NS = 2_000_000_000
LIVING = ("running", "waiting")

Signature = tuple[int, int, int]


@dataclass(frozen=True)
class Facts:
    """What a run's recipe says, in a few words. `kind` is the net's name in the catalogue, `label` the name that a run
    has until somebody gives it another, `net` the same with what the label leaves out."""

    kind: str
    label: str
    net: str
    data: str
    epochs: int
    seed: int
    parameters: int


@dataclass(frozen=True)
class Entry:
    """A run as it stands in a list; `made` is the time of its recipe in nanoseconds."""

    id: str
    made: int
    name: str
    facts: Facts
    status: Status


Known = dict[str, tuple[Signature, Entry | None]]

SORTS: dict[str, Callable[[Entry], Any]] = {
    "newest": lambda entry: -(entry.status.updated or entry.made / 1e9),
    "name": lambda entry: entry.name,
    "net": lambda entry: (entry.facts.kind, -entry.facts.parameters),
    "data": lambda entry: entry.facts.data,
    "state": lambda entry: entry.status.state,
    "accuracy": lambda entry: -_or(entry.status.test_accuracy, -1.0),
    "loss": lambda entry: _or(entry.status.train_loss, float("inf")),
    "seconds": lambda entry: -entry.status.seconds,
    "size": lambda entry: -entry.status.disk_bytes,
}


def choose(
    entries: Iterable[Entry], *, state: str = "", data: str = "", net: str = "", sort: str = "newest"
) -> list[Entry]:
    """The entries of this state, data set and kind of net (an empty word takes all), in the order of one of SORTS;
    among equals the newest first."""
    found = [
        entry
        for entry in entries
        if state in ("", entry.status.state) and data in ("", entry.facts.data) and net in ("", entry.facts.kind)
    ]
    if sort != "newest":
        found.sort(key=SORTS["newest"])
    return sorted(found, key=SORTS[sort])


def facts_of(recipe: Recipe) -> Facts:
    """What the list says of a recipe."""
    joins, parameters = _net_facts(recipe.design)  # pyright: ignore[reportArgumentType] (frozen, so it has a hash)
    net = f"{recipe.label}, {joins}" if joins and recipe.net in ("fused", "late") else recipe.label
    return Facts(recipe.net, recipe.label, net, recipe.data, recipe.epochs, recipe.seed, parameters)


def entry_of(run: Run) -> Entry:
    """The entry of one run as it stands now. Raises RunError where its recipe cannot be read."""
    facts = facts_of(run.recipe)
    return Entry(run.id, os.lstat(run.recipe_file).st_mtime_ns, run.name, facts, run.status())


class Index:
    """The list of the runs in one folder; what was read once is kept, in memory and in a file."""

    def __init__(self, root: Path):
        self.root, self.file = root, root / ".index.json"
        self._known: Known | None = None

    def entries(self) -> list[Entry]:
        """Every run whose recipe can be read, the newest recipe first, as they stand now."""
        known = self._read() if self._known is None else self._known
        before = time.time_ns() - SETTLED_NS
        kept, found, reader, news = {}, [], _Reader(), 0
        for id in ids(self.root):
            signature = self._signature(id)
            if signature is None:
                continue
            old, entry = known.get(id, (None, None))
            if old != signature:
                entry = reader.entry(Run(self.root / id), signature[1])
                news += 1
            if signature[0] < before and signature[1] < before:
                kept[id] = signature, entry
            if entry:
                found.append(entry)
        if max(news, len(known) - len(kept)) >= WORTH_WRITING:
            self._write(kept)
        self._known = kept
        found.sort(key=lambda entry: (entry.made, entry.id), reverse=True)
        return self._as_they_stand(found)

    def _as_they_stand(self, entries: list[Entry]) -> list[Entry]:
        """Whether a worker lives is in no file."""
        places: dict[str, int] | None = None
        for place, entry in enumerate(entries):
            if entry.status.state in LIVING:
                status = Run(self.root / entry.id).current_status()
                if status.state == "waiting":
                    places = queue.places(self.root / ".queue") if places is None else places
                    status = replace(status, place=places.get(entry.id))
                entries[place] = replace(entry, status=status)
        return entries

    def _signature(self, id: str) -> Signature | None:
        folder = f"{self.root}{os.sep}{id}"
        try:
            recipe = os.lstat(f"{folder}{os.sep}recipe.json")
            return os.lstat(folder).st_mtime_ns, recipe.st_mtime_ns, recipe.st_size
        except OSError:
            return None

    def _read(self) -> Known:
        try:
            return _index_type().validate_json(read_whole(self.file, LARGEST_INDEX))
        except (OSError, ValidationError):
            return {}

    def _write(self, kept: Known) -> None:
        plain = {id: (signature, entry and asdict(entry)) for id, (signature, entry) in kept.items()}
        with contextlib.suppress(OSError):  # a store that cannot be written to is listed all the same
            write_whole(self.file, to_line(plain))


@cache
def _index_type() -> TypeAdapter[Known]:
    return TypeAdapter(Known)  # only where there is a file: it takes a tenth of a light command


def ids(folder: Path) -> list[str]:
    """The names of the folders that may be runs."""
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries if ID.fullmatch(e.name) and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


class _Reader:
    """Reads recipes as runs do themselves, but checks a design that many runs share only once."""

    def __init__(self) -> None:
        self._designs: dict[str, Design] = {}

    def entry(self, run: Run, made: int) -> Entry | None:
        """What the list says of a run; None where its recipe cannot be read."""
        try:
            run.recipe = run.read_recipe(self._understand)
        except RunError:
            return None
        return Entry(run.id, made, run.name, facts_of(run.recipe), run.written_status())

    def _understand(self, value: Any) -> Recipe:
        text = json.dumps(value["design"]) if isinstance(value, dict) and "design" in value else ""
        known = self._designs.get(text)
        recipe = Recipe(**(value | {"design": known})) if known else recipe_from_data(value)
        self._designs[text] = recipe.design
        return recipe


@lru_cache(maxsize=1024)
def _net_facts(design: Design) -> tuple[str, int]:
    """The joins other than the sum, and the parameters, which are the same for every size of images."""
    joins = {node.join for node in design.body.nodes if isinstance(node, Fusion)} - {"sum"}
    return ", ".join(sorted(joins)), cost(design, (design.in_channels, 32, 32)).parameters


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
