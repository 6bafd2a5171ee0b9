"""The run store: a folder of runs, no server. The same recipe is the same folder, already trained once it is done.

Ids are checked before they touch a path, and links are never followed out of the store.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from dfn.runs.export import csv
from dfn.runs.index import Entry, Index, ids
from dfn.runs.locks import holding
from dfn.runs.run import Run, RunError
from dfn.runs.status import Control, State, Status
from dfn.training.recipe import Recipe
from dfn.words import _

__all__ = ["Control", "Run", "RunError", "State", "Status", "Store", "csv", "kept_epochs", "runs_root"]

PREFIX = re.compile(r"[0-9a-f]{4,12}")
MOST_KEPT = 51
PATIENCE = 0.2  # whoever just looks whether a run lives holds its lock for an instant


def runs_root() -> Path:
    """Where runs lie: `DFN_RUNS`, or `runs` under the current folder."""
    return Path(os.environ.get("DFN_RUNS") or "runs").absolute()


def kept_epochs(epochs: int, most: int = MOST_KEPT) -> list[int]:
    """The epochs whose weights are kept, 0 (before training) included: all where they are few, else `most` spread
    evenly, the first and the last among them (the last alone where there is room for one)."""
    if most <= 1:
        return [epochs][:most]
    gaps = min(epochs, most - 1)
    return [round(number * epochs / gaps) for number in range(gaps + 1)] if gaps else [0]


class Store:
    """All runs under one folder, which need not exist yet."""

    def __init__(self, root: Path | None = None):
        self.root = (root or runs_root()).absolute()
        self.trash = self.root / ".trash"
        self.index = Index(self.root)

    def create(self, recipe: Recipe) -> Run:
        """The run of this recipe: the one that is there already, or a new one. Raises RunError where none can be
        made."""
        run = Run(self.root / recipe.id, recipe.label)
        try:
            if run.folder.is_symlink():
                raise RunError(_("run {id}: its folder is a link; remove the link first").format(id=run.id))
            with contextlib.suppress(RunError):
                return run.checked()
            run.folder.mkdir(parents=True, exist_ok=True)
            run.write_recipe(recipe)
        except OSError as error:
            raise RunError(
                _("no run can be made in {folder} ({why})").format(folder=self.root, why=error.strerror or error)
            ) from error
        return run

    def get(self, id: str) -> Run:
        """The run with this id, or with the only id that begins so (four digits at least). Raises RunError."""
        return Run(self.root / _only(id, self.root)).checked()

    def runs(self) -> list[Run]:
        """All runs that can be read, the newest first."""
        return [Run(self.root / entry.id, entry.facts.label) for entry in self.entries()]

    def entries(self) -> list[Entry]:
        """What a list says of every run that can be read, the newest first; ten thousand take under a second."""
        return self.index.entries()

    def delete(self, id: str) -> None:
        """Move a run into the trash, from where `restore` brings it back. Raises RunError for a run at work."""
        run = Run(self.root / _only(id, self.root))
        with _moving(run.id), holding(run.lock_file, PATIENCE) as mine:
            if not mine:
                raise RunError(f"run {run.id} is at work: stop it first")
            target = self._safe_trash() / run.id
            if target.exists():
                shutil.rmtree(target)
            target.parent.mkdir(exist_ok=True)
            run.folder.rename(target)

    def restore(self, id: str) -> Run:
        """Bring a deleted run back. Raises RunError where it is not in the trash, or was made anew meanwhile."""
        id = _only(id, self._safe_trash())
        if (self.root / id).exists():
            raise RunError(f"run {id} was made again meanwhile; delete that one first")
        with _moving(id):
            (self.trash / id).rename(self.root / id)
        return Run(self.root / id)

    def trashed(self) -> list[Run]:
        """The deleted runs that `restore` can bring back."""
        return [Run(self.trash / id) for id in ids(self._safe_trash())]

    def purge_trash(self) -> None:
        """Delete for good what was deleted before. Raises RunError where that cannot be done."""
        try:
            if self._safe_trash().exists():
                shutil.rmtree(self.trash)
        except OSError as error:
            raise RunError(f"the trash cannot be emptied ({error.strerror or error})") from error

    def _safe_trash(self) -> Path:
        if self.trash.is_symlink():
            raise RunError(f"{self.trash} is a link, and nothing is moved or deleted through links; remove it")
        return self.trash


def _only(id: str, folder: Path) -> str:
    """The one id in the folder that begins like this."""
    if not PREFIX.fullmatch(id):
        raise RunError(f"run {id[:40]!r} is not accepted; accepted: 12 hexadecimal digits, or the first 4 and more")
    found = [known for known in ids(folder) if known.startswith(id)]
    if len(found) != 1:
        what = f"{len(found)} runs begin so; give more digits" if found else "there is no such run"
        raise RunError(f"run {id}: {what}")
    return found[0]


@contextlib.contextmanager
def _moving(id: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"run {id} cannot be moved ({error.strerror or error})") from error
