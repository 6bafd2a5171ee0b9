"""A whole training step as one CUDA graph: forward, backward and update are launched at once, not kernel by kernel.

Nets of many small layers spend their time on launching them. What a graph reads and writes stays at fixed places, so
images, labels and learning rate are copied into buffers before every replay. Where no graph can be had the very same
step runs kernel by kernel on the same buffers, which is how it is tested without a GPU.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from dfn.training.recipe import Recipe

WARM_UP = 3

Update = Callable[[Tensor, Tensor, Tensor], Tensor]

# A setting that is not named here might do something of its own at every step, which a graph would repeat blindly.
CAPTURED = {"design", "net", "data", "size", "train_limit", "test_limit", "epochs", "batch_size", "lr", "schedule"}
CAPTURED |= {"warmup", "momentum", "weight_decay", "augment", "precision", "start", "seed"}


def can_be_captured(recipe: Recipe) -> bool:
    """Whether all steps of this recipe do the same to other numbers (dropout and drop-path are the loop's to know)."""
    return recipe.model_dump(exclude_defaults=True).keys() <= CAPTURED


class StaticStep:
    """`update(x, y, lr)` on static buffers that are like the batch `x` and `y`; called with a batch and a rate it
    returns a copy of the update's result.

    The net stays as it is: what the update changes in `changed` while it warms up is put back.
    """

    def __init__(self, update: Update, x: Tensor, y: Tensor, changed: Iterable[Tensor]):
        self.update, self.x, self.y = update, x.clone(), y.clone()
        self.lr = torch.zeros((), device=x.device)
        self.result = torch.empty(0)
        self.graph: torch.cuda.CUDAGraph | None = None
        if x.device.type == "cuda":
            self._capture(list(changed))

    def __call__(self, x: Tensor, y: Tensor, lr: float) -> Tensor:
        self.x.copy_(x)
        self.y.copy_(y)
        self.lr.fill_(lr)
        if self.graph:
            self.graph.replay()
        else:
            self.result = self.update(self.x, self.y, self.lr)
        return self.result.clone()

    def _capture(self, changed: list[Tensor]) -> None:
        before = [tensor.detach().clone() for tensor in changed]
        # Libraries set themselves up at their first call, which must not be recorded.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self.update(self.x, self.y, self.lr)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.result = self.update(self.x, self.y, self.lr)
        self.graph = graph
        with torch.no_grad():
            for tensor, value in zip(changed, before, strict=True):
                tensor.copy_(value)
