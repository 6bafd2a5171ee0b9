"""The run that another one learns from, and the net that it ended with."""

from collections.abc import Iterator
from contextlib import suppress

import safetensors.torch
from torch import Tensor

from dfn.models.build import FusedNet, build
from dfn.runs.checkpoints import UNREADABLE, read_checkpoint
from dfn.runs.run import Run, RunError
from dfn.training.fit import weights_sha256


def teacher_of(run: Run) -> Run | None:
    """The run of a recipe's teacher, which lies in the same store; None where the recipe has none. Raises RunError
    where it is not there."""
    id = run.recipe.teacher
    if id is None:
        return None
    teacher = Run(run.folder.parent / id)
    if not teacher.recipe_file.is_file():
        raise RunError(f"run {run.id} learns from run {id}, which is not in this store: train that one first")
    return teacher.checked()


def final_net(run: Run) -> FusedNet:
    """The net with the weights that a finished run ended with, told by their hash. Raises RunError."""
    net = build(run.recipe.design)
    wanted = run.status().weights_sha256
    for weights in _kept_weights(run):
        with suppress(RuntimeError):  # of another net, from a folder that somebody changed
            net.load_state_dict(weights)
            if weights_sha256(net) == wanted:
                return net
    raise RunError(f"run {run.id}: the weights that it ended with are not kept; rewind and train it again")


def _kept_weights(run: Run) -> Iterator[dict[str, Tensor]]:
    """All weights that can be read: of the checkpoints, then of the kept epochs, the newest first."""
    for path in run.checkpoint_files():
        with suppress(*UNREADABLE):
            state, _ = read_checkpoint(run, path)
            yield {name.removeprefix("net."): t for name, t in state.tensors.items() if name.startswith("net.")}
    for path in reversed(run.snapshots().values()):
        with suppress(*UNREADABLE):
            yield safetensors.torch.load_file(path)
