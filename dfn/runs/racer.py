"""One run at work: trains a recipe turn by turn and writes all that a run leaves behind.

A state is saved only when every record of the steps that led to it is on the disk, and says how long the metrics were:
whoever goes on from it cuts the metrics there, so that a run that was killed ends with the same curve and weights as
one that was not.
"""

import errno
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch

from dfn.data import DataError, Dataset
from dfn.models.build import FusedNet
from dfn.runs.checkpoints import UNREADABLE, is_finite, read_checkpoint, write_checkpoint, write_snapshot
from dfn.runs.environment import machine_name, note_environment
from dfn.runs.run import Run, RunError
from dfn.runs.status import Control
from dfn.runs.status import State as RunState
from dfn.runs.store import MOST_KEPT, kept_epochs
from dfn.runs.teacher import final_net, teacher_of
from dfn.training.fit import State, Training, load_recipe_data
from dfn.training.recipe import RecipeError
from dfn.training.records import Begin, Diverged, Done, Epoch, Record, Stopped, to_line
from dfn.words import N_

OnRecord = Callable[[Run, dict[str, Any]], None]

CHECKPOINT_SECONDS = 10.0
STATUS_SECONDS = 0.2
RATE_MEMORY = 0.7
TEACHER_SECONDS = 0.1
SNAPSHOT_MB = 256

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
FULL_DISK = N_("The disk is full. Free some space and press Play: the run goes on from its last checkpoint.")
VANISHED = N_("The folder of this run has vanished while it was trained.")
NO_MEMORY = N_("There was not enough memory. Try a smaller batch, a smaller width or fewer images.")
UNEXPECTED = "This should not have happened: {}. The log has the details; Play goes on from the last checkpoint."
KEYBOARD = "Stopped from the keyboard. Play goes on from the last checkpoint."


class Racer:
    """A run in a race. `data` shares data sets between the runs of one process."""

    def __init__(self, run: Run, data: dict[Any, Dataset], on_record: OnRecord | None):
        self.run, self.data, self.on_record = run, data, on_record
        self.status = run.written_status()
        self.ended = False
        self.unsaid = ""  # how it failed, where not even that could be written
        self.training: Training | None = None
        self.records: Iterator[Record] = iter(())
        self.kept_bytes = 0  # of the metrics: more than none where an earlier worker began
        self.kept_epochs: set[int] = set()
        self.flush_every = 1
        self.taken = -1  # the number of the command that is being followed
        self.target: tuple[int, int] | None = None  # where to pause: steps, and epochs reported
        self.awaited: RunState | None = None  # how the teacher stands, where this run waits for it
        self.last_save: tuple[int, int] | None = None
        self.save_due = self.show_due = self.teacher_due = 0.0
        self.rate_since = (0.0, 0)

    def turn(self, control: Control, taken: int) -> bool:
        """Follow the last command, the `taken`th; where that is to train, go on for a step. Returns whether it did;
        `ended` tells whether this was the end. What fails ends this run, not the others."""
        try:
            return self._turn(control, taken)
        except Exception as error:
            self._fail(error)
            return True

    def interrupt(self) -> None:
        """Leave the run without saving: an interrupt from the keyboard may have come in the middle of a step."""
        with suppress(OSError):
            self.run.rest("stopped", KEYBOARD)

    def _turn(self, control: Control, taken: int) -> bool:
        if control.mode == "stop":
            self._save()
            self._show()
            self.run.rest("stopped")
            self.ended = True
            return True
        training = self.training
        if control.mode == "run":
            if not training and self._awaits_its_teacher():
                return False
            training = self.training = training or self._begin()
            if taken != self.taken:
                self.taken, self.target = taken, _target(training, control)
        else:
            self.awaited = None
        if not training or control.mode == "pause" or self._reached(training):
            if self.status.state != "paused":
                self._save()
                self._show("paused")
            return False
        self._go_on(training)
        return True

    def _awaits_its_teacher(self) -> bool:
        """Whether another run has to be done first; then this one shows what that one does, and is looked at again
        some times a second. Raises RunError where nobody trains it."""
        if not (teacher := teacher_of(self.run)):
            return False
        if (now := time.monotonic()) < self.teacher_due:
            return True
        self.teacher_due = now + TEACHER_SECONDS
        state = self.awaited = teacher.status().state
        if state == "done":
            self.awaited = None
            return False
        if state not in ("waiting", "running", "paused") and not teacher.alive():
            raise RunError(f"run {self.run.id} learns from run {teacher.id}, which is {state}: train that one first")
        shown: RunState = "paused" if state == "paused" else "waiting"
        message = f"It waits for run {teacher.id}, from which it learns."
        if (shown, message) != (self.status.state, self.status.message):
            self._show(shown, message)
        return True

    def _begin(self) -> Training:
        """Take the run up where its newest readable checkpoint left it, or start it."""
        self._show("running")
        self.run.prepare_folders()
        recipe = self.run.recipe
        key = (recipe.data, recipe.size, recipe.train_limit, recipe.test_limit)
        if key not in self.data:
            self.data[key] = load_recipe_data(recipe)
        teacher = teacher_of(self.run)
        training, self.kept_bytes = self._restored(self.data[key], final_net(teacher) if teacher else None)
        self.run.cut_metrics(self.kept_bytes)
        self.records, self.flush_every = training.records(), training.flush_every
        size = sum(t.numel() * t.element_size() for t in training.net.state_dict().values())
        budget = float(os.environ.get("DFN_SNAPSHOT_MB") or SNAPSHOT_MB) * 1e6
        self.kept_epochs = set(kept_epochs(recipe.epochs, min(MOST_KEPT, int(budget // size))))
        self.run.append_log(
            f"{time.strftime('%Y-%m-%d %H:%M:%S')} training from step {training.step} of {training.steps}: "
            f"torch {torch.__version__}, {machine_name(training.device)}, {torch.get_num_threads()} threads\n"
        )
        self.save_due = time.monotonic() + CHECKPOINT_SECONDS
        return training

    def _restored(self, data: Dataset, teacher: FusedNet | None) -> tuple[Training, int]:
        recipe, precision = self.run.recipe, self.run.environment().get("precision")
        precision = precision if precision in ("fp32", "bf16") else None
        for path in self.run.checkpoint_files():
            try:
                state, length = read_checkpoint(self.run, path)
                training = Training(recipe, data=data, precision=precision, teacher=teacher)
                training.restore(state)
            except UNREADABLE as error:
                self.run.append_log(f"{path.name} is damaged and left out ({error})\n")
                path.unlink(missing_ok=True)
            else:
                return training, length
        return Training(recipe, data=data, precision=precision, teacher=teacher), 0

    def _go_on(self, training: Training) -> None:
        """Train until the next step, or the next report, has all its records on the disk."""
        if self.status.state != "running":
            self._show("running")
        # on a GPU figures come in bundles, and one step would be several
        training.flush_every = 1 if self.target and self.target[1] < 0 else self.flush_every
        for record in self.records:
            self._take(record, training)
            if not training.waiting and not isinstance(record, Begin):
                break
        now = time.monotonic()
        if self.ended:
            return
        if now >= self.save_due:
            self._save()
        if now >= self.show_due:
            self._show()

    def _take(self, record: Record, training: Training) -> None:
        match record:
            case Begin() if self.kept_bytes:
                return
            case Begin():
                record = note_environment(self.run, record)
                self._write(record)
            case Epoch():
                self._write(record)
                self._keep(record.epoch, training)
            case Diverged():
                self._write(record)
                self._end("failed", f"The loss at step {record.step} is {record.loss}. {record.advice}")
            case Stopped():
                self._write(record)
                self.kept_epochs.add(record.best)
                self.last_save = None  # the weights of the best epoch are another state than those of the last
                self._keep(record.best, training)
            case Done():
                self._write(record)
                self.status = replace(self.status, weights_sha256=record.weights_sha256)
                self._end("done", training.stopping.reason if training.stopping else "")
            case _:
                self._write(record)

    def _write(self, record: Record) -> None:
        line = to_line(record)
        self.run.append_records([line])
        if self.on_record:
            self.on_record(self.run, line)

    def _keep(self, epoch: int, training: Training) -> None:
        """The weights of this epoch, and a state to go on from."""
        state = training.state()
        if epoch in self.kept_epochs and is_finite(state):
            write_snapshot(self.run, epoch, state)
        self._save(state)

    def _save(self, state: State | None = None) -> None:
        """A state to go on from, unless it is on the disk already or its weights have left the numbers."""
        training = self.training
        if not training or training.reported < 0 or self.last_save == (training.step, training.reported):
            return
        state = state or training.state()
        if is_finite(state):
            write_checkpoint(self.run, state)
            self.last_save = (training.step, training.reported)
            self.status = replace(self.status, disk_bytes=self.run.disk_bytes())
        self.save_due = time.monotonic() + CHECKPOINT_SECONDS

    def _reached(self, training: Training) -> bool:
        if not self.target:
            return False
        steps, epochs = self.target
        return training.step >= steps and training.reported >= epochs

    def _end(self, state: RunState, message: str = "") -> None:
        self._show(state, message)
        self.ended = True

    def _show(self, state: RunState | None = None, message: str = "") -> None:
        """Write the status: at every change, and some times a second."""
        now = time.monotonic()
        status, training = self.status, self.training
        if training:
            status = replace(
                status,
                step=training.step,
                steps=training.steps,
                epoch=max(0, training.reported),
                epochs=self.run.recipe.epochs,
                test_accuracy=training.test_accuracy if training.reported >= 0 else None,
                train_loss=training.train_loss,
                seconds=training.seconds,
            )
            since, steps = self.rate_since
            rate = (training.step - steps) / max(1e-3, now - since)
            known = status.steps_per_second
            rate = rate if known is None else RATE_MEMORY * known + (1 - RATE_MEMORY) * rate
            status = replace(status, steps_per_second=rate if state is None and since else None)
            self.rate_since = (now, training.step)
        self.status = replace(status, state=state or status.state, message=message)
        self.run.write_status(self.status)
        self.show_due = now + STATUS_SECONDS

    def _fail(self, error: Exception) -> None:
        self.ended = True
        message = _explain(error, self.run)
        with suppress(OSError):
            self.run.append_log("".join(traceback.format_exception(error)))
        try:
            self.status = replace(self.status, state="failed", message=message, steps_per_second=None)
            self.run.write_status(self.status)
        except OSError:
            self.unsaid = f"run {self.run.id}: {message}"


def _target(training: Training, control: Control) -> tuple[int, int] | None:
    """After how many steps and reported epochs to pause; never, where the run ends there anyway."""
    if control.until is None:
        return None
    steps, epochs = control.until, -1
    if steps == "epoch":
        every = training.batches.steps_per_epoch
        epochs, inside = divmod(training.step, every)
        if inside or training.step == 0 or training.reported >= epochs:
            epochs += 1
        steps = epochs * every
    return (steps, epochs) if steps < training.steps else None


def _explain(error: Exception, run: Run) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        return FULL_DISK
    if isinstance(error, FileNotFoundError) and not run.folder.is_dir():
        return VANISHED
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return NO_MEMORY
    if isinstance(error, DataError | RecipeError | RunError):
        return str(error)
    first = next(iter(str(error).splitlines()), "")
    return UNEXPECTED.format(f"{type(error).__name__}: {first[:200]}")
