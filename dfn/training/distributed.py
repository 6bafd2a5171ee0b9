"""One training on several processes, started by `torchrun`: each takes its share of every batch, all have the same net.

The recipe's batch is the whole one, so a run is the same run on one process and on many. Gradients are averaged in one
call after the backward pass, as torch's own wrapper does in several; our nets have a few megabytes, so nothing is
gained by sending parts of them earlier, and any objective may call the net in whatever way it wants. Batch norm takes
its statistics over the whole batch (torch's SyncBatchNorm does so on a GPU only). Dropout and drop-path draw
otherwise than in one process; everything else is equal up to rounding.

Rank 0 leads: it owns the run, and the others follow its word before every step. One process alone is the plain case in
which all of this does nothing.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from dfn.training.recipe import Recipe, RecipeError

PATIENCE = timedelta(minutes=30)  # a paused run keeps the others waiting


class Ended(Exception):
    """Rank 0 has no more work for the others."""


class Ranks:
    """The processes of one training; `rank` is the number of this one among `size`."""

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size
        self._words: Any = None
        if size > 1:  # on the CPU, so that a word never waits for a GPU
            self._words = dist.new_group(backend="gloo", timeout=PATIENCE)

    def prepare(self, net: nn.Module, recipe: Recipe) -> None:
        """Give the net norms that look at the whole batch. Raises RecipeError for what only one process can train, and
        where the shares cannot be equal."""
        if self.size == 1:
            return
        for name in ("teacher", "path_sgd", "patience"):
            if getattr(recipe, name):
                raise RecipeError(f"{name}: {getattr(recipe, name)!r} is for one process; accepted here: none")
        if recipe.batch_size % self.size:
            raise RecipeError(
                f"batch_size: {recipe.batch_size} is not accepted; accepted: a multiple of {self.size}, the number of "
                "processes"
            )
        _share_norms(net)

    def share(self, x: Tensor) -> Tensor:
        """This rank's part of a batch."""
        return x[self.rank :: self.size] if self.size > 1 else x

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """The gradient of the whole batch, in place of that of the share."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view(gradient.shape))

    def total(self, figures: Tensor) -> Tensor:
        """The sum of these figures over all ranks."""
        if self.size > 1:
            dist.all_reduce(figures)
        return figures

    def go_on(self) -> None:
        """Called by all before every step: rank 0 says that it goes on. Raises Ended in the others where it does
        not."""
        if self.size > 1 and not self._word(1):
            raise Ended

    def end(self) -> None:
        """Let the others go; called by rank 0 where they wait for its word."""
        if self.size > 1 and self.rank == 0:
            self._word(0)

    def agree(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Rank 0's tensors (on the CPU) and numbers, in place of those of the others."""
        if self.size == 1:
            return tensors, numbers
        kinds = {name: (list(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in tensors.items()}
        header = list(json.dumps({"kinds": kinds, "numbers": numbers}).encode())
        size = self._from_leader(torch.tensor([len(header)]))
        text = torch.tensor(header, dtype=torch.uint8) if self.rank == 0 else torch.empty(int(size), dtype=torch.uint8)
        known = json.loads(bytes(self._from_leader(text).tolist()))
        found = {}
        for name, (shape, kind) in known["kinds"].items():
            own = tensors[name].contiguous() if self.rank == 0 else torch.empty(shape, dtype=getattr(torch, kind))
            found[name] = self._from_leader(own)
        return found, known["numbers"]

    def _word(self, word: int) -> int:
        return int(self._from_leader(torch.tensor([word])))

    def _from_leader(self, tensor: Tensor) -> Tensor:
        dist.broadcast(tensor, 0, group=self._words)
        return tensor


class SharedNorm(nn.BatchNorm2d):
    """Batch norm over the parts of the batch on all ranks. Without a momentum, as when statistics are averaged anew
    before an evaluation, every rank sees the same images and nothing is shared."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.momentum is None:
            return super().forward(input)
        x = input.float()
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = _Sum.apply(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum((0, 2, 3))) / count
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all ranks, also of the gradients on their way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Tensor:
        return _summed(grad[0])


def _summed(x: Tensor) -> Tensor:
    total = x.clone()
    dist.all_reduce(total)
    return total


def _share_norms(net: nn.Module) -> None:
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm = SharedNorm(child.num_features, eps=child.eps, momentum=child.momentum, device=child.weight.device)
            norm.load_state_dict(child.state_dict())
            setattr(net, name, norm)
        else:
            _share_norms(child)


_ALONE = Ranks()
_current = _ALONE


def ranks() -> Ranks:
    """The ranks that this process trains with."""
    return _current


@contextmanager
def started() -> Iterator[Ranks]:
    """Join the other processes that `torchrun` started, if it did, for as long as this lasts."""
    global _current
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or not dist.is_torchelastic_launched():
        yield _ALONE
        return
    device = "cpu"
    if torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group(dist.get_default_backend_for_device(device), timeout=PATIENCE)
    _current = Ranks(dist.get_rank(), dist.get_world_size())
    try:
        yield _current
    finally:
        _current = _ALONE
        dist.destroy_process_group()


def follow(recipe: Recipe) -> None:
    """Take part in the training of this recipe that rank 0 leads, until it has no more work."""
    from dfn.training.fit import Training

    with started() as group, suppress(Ended):
        for _ in Training(recipe, telemetry=False).records():
            pass
        group.go_on()
