"""A run that learns from another: in one worker, on its own, and where the other one is not to be had."""

import shutil
from pathlib import Path

import pytest
from runs_nursery import tiny

from dfn.design.catalogue import fused, plain
from dfn.runs.run import Run, RunError
from dfn.runs.store import Store
from dfn.runs.teacher import final_net
from dfn.runs.worker import work
from dfn.training.fit import Training, weights_sha256
from dfn.training.records import Done

STUDENT = plain(8, 3, 2, in_channels=1)


def pair(**settings: object) -> tuple[Run, Run]:
    """The runs of a teacher and of its student, which say two epochs where nothing else is said."""
    teacher = tiny(epochs=2, **settings)
    student = tiny(design=STUDENT, net="plain", epochs=2, objective="fitnets", teacher=teacher.id)
    return Store().create(teacher), Store().create(student)


def test_a_student_waits_for_its_teacher_in_the_same_worker(runs_dir: Path) -> None:
    teacher, student = pair()
    seen: list[tuple[str, str]] = []
    work([student, teacher], on_record=lambda run, line: seen.append((run.id, line["event"])))
    assert {run.status().state for run in (teacher, student)} == {"done"}
    assert seen.index((teacher.id, "done")) < seen.index((student.id, "begin"))
    training = Training(student.recipe, teacher=final_net(teacher))
    *_, done = training.records()
    assert isinstance(done, Done) and done.weights_sha256 == student.status().weights_sha256


def test_a_teacher_that_is_not_done_is_asked_for_in_one_sentence(runs_dir: Path) -> None:
    teacher, student = pair()
    work([student])
    said = f"run {student.id} learns from run {teacher.id}, which is new: train that one first"
    assert (student.status().state, student.status().message) == ("failed", said)
    recipe = teacher.recipe
    shutil.rmtree(teacher.folder)
    work([student])
    assert "is not in this store: train that one first" in student.status().message
    teacher = Store().create(recipe)
    work([teacher])
    work([student])
    assert student.status().state == "done"


def test_a_student_of_a_teacher_that_fails_says_so(runs_dir: Path) -> None:
    teacher = Store().create(tiny(design=fused(8, 5, 3, 8, in_channels=1, norm="none"), lr=1000.0, warmup=0.0))
    student = Store().create(tiny(design=STUDENT, objective="distillation", teacher=teacher.id))
    work([student, teacher])
    assert teacher.status().state == "failed"
    assert "which is failed: train that one first" in student.status().message


def test_a_teacher_that_was_stopped_early_teaches_with_its_best_weights(runs_dir: Path) -> None:
    teacher, student = pair(patience=1, lr=0.5, warmup=0.0, schedule="constant")
    work([teacher, student])
    status = teacher.status()
    assert status.state == "done" and status.message.startswith("Stopped after epoch")
    assert weights_sha256(final_net(teacher)) == status.weights_sha256
    assert student.status().state == "done"


def test_final_weights_are_told_by_their_hash(runs_dir: Path) -> None:
    teacher, _ = pair()
    work([teacher])
    shutil.rmtree(teacher.checkpoints)
    assert weights_sha256(final_net(teacher)) == teacher.status().weights_sha256, "from the last kept epoch"
    teacher.snapshot_file(2).write_bytes(teacher.snapshot_file(0).read_bytes())
    with pytest.raises(RunError, match="are not kept; rewind and train it again"):
        final_net(teacher)
