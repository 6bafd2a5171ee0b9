"""One run: a folder with all that training a recipe left behind. Every path inside it is named here.

One process writes at a time, the one that holds the run's lock; everybody may read at any moment. The lock lies
beside the folders, so that a folder can be moved and its lock cannot vanish with it.
"""

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from dfn.runs import queue
from dfn.runs.files import open_plain, read_object, read_whole, to_line, write_whole
from dfn.runs.locks import held
from dfn.runs.status import Control, Mode, State, Status, expected
from dfn.training.recipe import Recipe, recipe_from_data, to_data
from dfn.words import _

LONGEST_NAME = 80
LARGEST_RECIPE = 2_000_000
LARGEST_LINE = 1_000_000
LOG_TAIL = 64_000

INTERRUPTED = "Its worker ended before the run did. Press Play: the run goes on from its last checkpoint."


class RunError(ValueError):
    """A run that cannot be found, read or changed; one sentence says which and what to do."""


_STATUS, _CONTROL = TypeAdapter(Status), TypeAdapter(Control)


class _Inside:
    """A path in the run's folder, made when it is asked for: thousands of runs are listed at once."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, run: "Run", owner: type) -> Path:
        return run.folder / self.name


class Run:
    """A run by its folder, which is named by its id. Nothing is read before it is asked for."""

    recipe_file = _Inside("recipe.json")
    name_file = _Inside("name.txt")
    environment_file = _Inside("environment.json")
    status_file = _Inside("status.json")
    control_file = _Inside("control.json")
    metrics_file = _Inside("metrics.jsonl")
    log_file = _Inside("log.txt")
    checkpoints = _Inside("checkpoints")

    def __init__(self, folder: Path, label: str | None = None):
        self.folder = folder
        self.id = folder.name
        self._label = label

    def __repr__(self) -> str:
        return f"Run({self.id})"

    @property
    def lock_file(self) -> Path:
        return self.folder.parent / ".locks" / f"{self.id}.lock"

    @property
    def queue(self) -> Path:
        return self.folder.parent / ".queue"

    @cached_property
    def recipe(self) -> Recipe:
        """What was trained. Raises RunError where the file is damaged or is not what the folder's name says."""
        return self.read_recipe(recipe_from_data)

    def read_recipe(self, understand: Callable[[Any], Recipe]) -> Recipe:
        """The recipe, anew from the file, whose plain data `understand` makes one of."""
        try:
            recipe = understand(json.loads(read_whole(self.recipe_file, LARGEST_RECIPE)))
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"run {self.id}: its recipe cannot be read ({error})") from error
        if recipe.id != self.id:
            raise RunError(f"run {self.id}: its recipe was changed, this is the recipe of {recipe.id}")
        return recipe

    def checked(self) -> "Run":
        """The run itself, once its recipe could be read. Raises RunError."""
        self._label = self.recipe.label
        return self

    @property
    def name(self) -> str:
        """The name that somebody gave it, or what its net is called."""
        with contextlib.suppress(OSError):
            given = _clean(read_whole(self.name_file, 4 * LONGEST_NAME).decode(errors="replace"))
            if given:
                return given
        return self._label or self.recipe.label

    def rename(self, name: str) -> None:
        """Give the run a name of at most 80 characters; an empty one takes it away again."""
        name = _clean(name)
        if len(name) > LONGEST_NAME:
            raise RunError(f"name: {len(name)} characters are not accepted; accepted: at most {LONGEST_NAME}")
        if name:
            write_whole(self.name_file, name.encode())
        else:
            self.name_file.unlink(missing_ok=True)

    # What it is doing

    def alive(self) -> bool:
        """Whether a worker has this run, told by its lock."""
        return held(self.lock_file)

    def status(self) -> Status:
        """Where it stands now, with its place in the queue where it waits."""
        status = self.current_status()
        return replace(status, place=queue.places(self.queue).get(self.id)) if status.state == "waiting" else status

    def current_status(self) -> Status:
        """Where it stands now. What a dead worker left as running or waiting reads as interrupted."""
        status = self.written_status()
        if status.state not in ("running", "waiting"):
            return status
        if not self.alive():
            status = self.written_status()  # the worker may have ended between the two looks
            if status.state == "running" or (status.state == "waiting" and not expected(status)):
                return replace(status, state="interrupted", message=INTERRUPTED, steps_per_second=None)
        return status

    def written_status(self) -> Status:
        """What the last writer noted, whether it lives or not."""
        try:
            return _STATUS.validate_json(read_whole(self.status_file, LARGEST_LINE))
        except (OSError, ValidationError):
            if self.latest_checkpoint():
                return Status("interrupted", message=INTERRUPTED)
            try:
                return Status("new", epochs=self.recipe.epochs)
            except RunError as error:
                return Status("failed", message=f"{error}.")

    def control(self) -> Control:
        """The last command; to train to the end where there was none."""
        try:
            return _CONTROL.validate_python(read_object(self.control_file))
        except ValidationError:
            return Control()

    def command(self, mode: Mode, until: int | Literal["epoch"] | None = None) -> None:
        """Leave a command, which a living worker takes within some hundredths of a second. Raises RunError."""
        control = Control(self.control().serial + 1, mode, until)
        try:
            write_whole(self.control_file, to_line(asdict(control)))
        except OSError as error:
            raise RunError(
                _("run {id} takes no command ({why})").format(id=self.id, why=error.strerror or error)
            ) from error

    # What it left

    def records(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The records after a byte offset and the offset behind them. A line that is still being written is left for
        later. Where the returned offset is smaller than the one asked for, the run began again: forget the rest."""
        try:
            with open_plain(self.metrics_file) as file:
                if offset > os.fstat(file.fileno()).st_size:
                    offset = 0
                file.seek(max(0, offset - 1))
                if offset > 0 and file.read(1) != b"\n":
                    return [], 0
                data = file.read()
        except OSError:
            return [], 0
        whole = data[: data.rfind(b"\n") + 1]
        records = [record for line in whole.split(b"\n") if (record := _record(line))]
        return records, offset + len(whole)

    def metrics(self) -> list[dict[str, Any]]:
        """All records, as `dfn.training.records` describes them, with their kind under `event`."""
        return self.records()[0]

    def snapshot_file(self, epoch: int) -> Path:
        return self.folder / "snapshots" / f"epoch-{epoch:04d}.safetensors"

    def snapshots(self) -> dict[int, Path]:
        """The files of weights that were kept, by epoch."""
        files = self.snapshot_file(0).parent.glob("epoch-*.safetensors")
        numbered = {int(digits): file for file in files if (digits := file.stem.removeprefix("epoch-")).isdecimal()}
        return dict(sorted(numbered.items()))

    def checkpoint_file(self, step: int) -> Path:
        return self.checkpoints / f"step-{step:08d}.safetensors"

    def checkpoint_files(self) -> list[Path]:
        """The checkpoints, the newest first."""
        return sorted(self.checkpoints.glob("step-*.safetensors"), reverse=True)

    def latest_checkpoint(self) -> Path | None:
        """The file from which the run would go on."""
        return next(iter(self.checkpoint_files()), None)

    def environment(self) -> dict[str, Any]:
        """Versions, machine, threads and precision of its training; empty before it began."""
        return read_object(self.environment_file)

    def log(self) -> str:
        """The end of its log: tracebacks and what else its workers said."""
        try:
            with open_plain(self.log_file) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_TAIL))
                return file.read(LOG_TAIL).decode(errors="replace")
        except OSError:
            return ""

    def disk_bytes(self) -> int:
        """What checkpoints and snapshots take on the disk."""
        folders = (self.checkpoints, self.snapshot_file(0).parent)
        return sum(file.stat().st_size for folder in folders for file in folder.glob("*.safetensors"))

    def export(self, path: Path) -> None:
        """Write recipe, environment, status, metrics and snapshots as a ZIP archive."""
        from dfn.runs.export import write_archive

        write_archive(self, path)

    # What only the holder of its lock may do

    def write_recipe(self, recipe: Recipe) -> None:
        write_whole(self.recipe_file, to_line(to_data(recipe)))

    def write_status(self, status: Status) -> None:
        write_whole(self.status_file, to_line(asdict(replace(status, updated=time.time()))))

    def write_environment(self, environment: dict[str, Any]) -> None:
        write_whole(self.environment_file, to_line(environment))

    def append_records(self, records: Sequence[dict[str, Any]]) -> None:
        """Append lines in one write. Raises OSError where the disk is full or the folder is gone."""
        data = b"".join(map(to_line, records))
        with open(self.metrics_file, "ab", buffering=0) as file:
            while data:  # a disk that fills up takes a part of it without complaint
                data = data[file.write(data) :]

    def sync_metrics(self) -> int:
        """Wait until the disk has all records, and return how many bytes they are."""
        with open(self.metrics_file, "ab") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def cut_metrics(self, length: int) -> None:
        """Forget the records behind this many bytes: the run begins again from where they end."""
        with open(self.metrics_file, "ab") as file:
            file.truncate(length)

    def append_log(self, text: str) -> None:
        with open(self.log_file, "a", encoding="utf-8") as file:
            file.write(text)

    def prepare_folders(self) -> None:
        """Make the folders for weights and clear away what a killed worker left half-written."""
        for folder in (self.checkpoints, self.snapshot_file(0).parent):
            folder.mkdir(exist_ok=True)
        for file in [*self.folder.glob(".*.part"), *self.folder.glob("*/.*.part")]:
            file.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove all that training left, but recipe, name, log and environment (whose precision is used again)."""
        for folder in (self.checkpoints, self.snapshot_file(0).parent):
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                shutil.rmtree(folder)
        for file in (self.metrics_file, self.status_file):
            file.unlink(missing_ok=True)

    def rest(self, state: Literal["paused", "stopped"] = "stopped", message: str = "") -> None:
        """Note that nobody trains the run any more; it is new again where nothing was trained yet."""
        left: State = "new" if state == "stopped" and not self.latest_checkpoint() else state
        self.write_status(replace(self.written_status(), state=left, message=message, steps_per_second=None))


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("event"), str) else None


def _clean(name: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", name).split())
