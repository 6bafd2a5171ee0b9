"""A run that learns from another, or grows from it: in one worker, on its own, and where the other one is not to be
had."""

import shutil
from pathlib import Path

import pytest
import torch
from runs_nursery import Nursery, curve, tiny

from dfn.data import load_data
from dfn.design.catalogue import fused, plain
from dfn.design.spec import Design
from dfn.runs.run import Run, RunError
from dfn.runs.store import Store
from dfn.runs.teacher import final_net
from dfn.runs.weights import net_after
from dfn.runs.worker import work
from dfn.training.fit import Training, weights_sha256
from dfn.training.records import Done

STUDENT = plain(8, 3, 2, in_channels=1)


def pair(**settings: object) -> tuple[Run, Run]:
    """The runs of a teacher and of its student, which say two epochs where nothing else is said."""
    teacher = tiny(epochs=2, **settings)
    student = tiny(design=STUDENT, net="plain", epochs=2, objective="fitnets", teacher=teacher.id)
    return Store().create(teacher), Store().create(student)


@pytest.mark.medium
def test_a_student_waits_for_its_teacher_in_the_same_worker(runs_dir: Path) -> None:
    teacher, student = pair()
    seen: list[tuple[str, str]] = []
    work([student, teacher], on_record=lambda run, line: seen.append((run.id, line["event"])))
    assert {run.status().state for run in (teacher, student)} == {"done"}
    assert seen.index((teacher.id, "done")) < seen.index((student.id, "begin"))
    training = Training(student.recipe, teacher=final_net(teacher))
    *_, done = training.records()
    assert isinstance(done, Done) and done.weights_sha256 == student.status().weights_sha256


@pytest.mark.medium
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


@pytest.mark.medium
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


GROWN = {
    "wider": fused(8, 5, 3, 6, in_channels=1),
    "deeper": fused(14, 5, 3, 4, in_channels=1),
    "both": fused(11, 5, 3, 7, in_channels=1),
    "mean-of-three": fused(bases=[11, 5, 5], fusions=3, width=6, join="mean", in_channels=1),
}
GROWN_FROM = {"mean-of-three": fused(bases=[8, 5, 5], fusions=3, width=4, join="mean", in_channels=1)}


def grown(name: str) -> tuple[Run, Run]:
    """The runs of a small net and of a larger one that starts as it."""
    small = tiny(epochs=2, design=GROWN_FROM.get(name, fused(8, 5, 3, 4, in_channels=1)))
    return Store().create(small), Store().create(
        tiny(epochs=2, design=GROWN[name], start="net2net", teacher=small.id, seed=5)
    )


@pytest.mark.medium
@pytest.mark.parametrize("name", GROWN)
def test_a_grown_net_is_its_teacher_before_it_trains(name: str, runs_dir: Path) -> None:
    """The weights of epoch 0 as they were kept, against those that the teacher ended with."""
    teacher, student = grown(name)
    work([student, teacher])
    assert student.status().state == "done" and "grown" in student.name
    x = load_data("digits", test_limit=100)
    images = x.normalise(x.test.images)
    before, wanted = net_after(student, 0), final_net(teacher).eval()
    assert sum(p.numel() for p in before.parameters()) > sum(p.numel() for p in wanted.parameters())
    torch.testing.assert_close(before(images), wanted(images), rtol=1e-4, atol=1e-4)
    assert (before(images) - net_after(student, 2)(images)).abs().max() > 0.01, "it trains on"
    accuracy = {run.id: [r["test_accuracy"] for r in run.metrics() if r["event"] == "epoch"] for run in grown(name)}
    assert accuracy[student.id][0] == accuracy[teacher.id][-1]


@pytest.mark.medium
def test_a_grown_net_goes_on_after_its_worker_was_killed(runs_dir: Path) -> None:
    teacher, student = grown("both")
    work([teacher, student])
    expected, sha = curve(student), student.status().weights_sha256
    student.forget()
    nursery = Nursery()
    try:
        assert nursery.finish([student], at=40)
        assert student.status().state == "interrupted" and student.latest_checkpoint()
        assert not nursery.finish([student])
    finally:
        nursery.close()
    assert (curve(student), student.status().weights_sha256) == (expected, sha)


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (fused(8, 5, 3, 2, in_channels=1), "stem: '2 channels' is not accepted; accepted: 4 or more"),
        (fused(8, 5, 3, 4, "mean", in_channels=1), "accepted: the layers of the smaller net in their order"),
        (fused(8, 5, 6, 4, in_channels=1), "accepted: the layers of the smaller net in their order"),
        (plain(14, 3, 4, in_channels=1), "accepted: the layers of the smaller net in their order"),
        (fused(8, 5, 3, 4, in_channels=1, norm="none"), "norm: none is not accepted; accepted: batch"),
        (fused(8, 8, 3, 4, in_channels=1), "a conv more"),
    ],
    ids=range(6),
)
def test_what_cannot_grow_says_why(design: Design, words: str, runs_dir: Path) -> None:
    teacher = Store().create(tiny(epochs=0))
    student = Store().create(tiny(design=design, start="net2net", teacher=teacher.id))
    work([teacher, student])
    message = student.status().message
    assert student.status().state == "failed" and words in message, message
    assert f"recipe.start: net2net from {teacher.id} is not accepted" in message
