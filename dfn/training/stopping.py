"""Early stopping: a tenth of the training images is held out, and the weights that do best on them are kept.

The test images have no say: what is chosen by them would look better than it is.
"""

from dataclasses import replace

import torch
from torch import Tensor

from dfn.data import Dataset
from dfn.models.build import FusedNet
from dfn.training.evaluate import evaluate
from dfn.training.recipe import RecipeError
from dfn.training.records import Stopped

HELD_OUT = 0.1
FEWEST = 20


class EarlyStopping:
    """Stops after `patience` epochs without a lower loss on held-out images. `data` has the others left to train on.

    Raises RecipeError for fewer than 20 training images.
    """

    def __init__(self, net: FusedNet, data: Dataset, patience: int):
        count = len(data.train)
        if count < FEWEST:
            raise RecipeError(
                f"recipe.patience: {patience} with {count} training images is not accepted; accepted: {FEWEST} images "
                "or more, of which a tenth is held out"
            )
        order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).to(data.train.images.device)
        held_out = round(HELD_OUT * count)
        self.held_out = data.train.take(order[:held_out])
        self.data = replace(data, train=data.train.take(order[held_out:].sort().values))
        self.patience = patience
        self.best = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        # the epochs of the last look and of the best one, its loss and test accuracy, and whether the net has it back
        self.figures = torch.tensor([-1.0, -1.0, torch.inf, 0.0, 0.0], dtype=torch.float64)

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        last, best, *_ = self.figures.tolist()
        return last - best >= self.patience

    @property
    def settled(self) -> bool:
        """Whether the net has its best weights back."""
        return bool(self.figures[4])

    @property
    def reason(self) -> str:
        """When and why it stopped, in two sentences."""
        epoch, best, *_ = self.figures.tolist()
        why = f"{self.patience} epochs without a lower loss on held-out images" if self.over else "all epochs were over"
        return f"Stopped after epoch {epoch:.0f}: {why}. The weights are those of epoch {best:.0f}."

    def look(self, net: FusedNet, epoch: int, test_accuracy: float) -> float:
        """The loss on the held-out images after an epoch, in nats; the weights are kept where it is the lowest."""
        device = next(net.parameters()).device
        loss = evaluate(net, self.data, device, self.held_out).loss
        self.figures[0] = epoch
        if loss < self.figures[2]:
            self.figures[1:4] = torch.tensor([epoch, loss, test_accuracy], dtype=torch.float64)
            for name, tensor in net.state_dict().items():
                self.best[name].copy_(tensor)
        return loss

    def settle(self, net: FusedNet, step: int) -> tuple[float, Stopped]:
        """Give the net its best weights back; returns their test accuracy and what is to be said."""
        net.load_state_dict(self.best)
        epoch, best, loss, accuracy, _ = self.figures.tolist()
        self.figures[4] = 1.0
        return accuracy, Stopped(step, int(epoch), int(best), loss, self.reason)

    def state_dict(self) -> dict[str, Tensor]:
        return {"figures": self.figures} | {f"best.{name}": tensor for name, tensor in self.best.items()}

    def load_state_dict(self, state: dict[str, Tensor], /) -> None:
        self.figures = state["figures"].clone()
        for name, tensor in self.best.items():
            tensor.copy_(state[f"best.{name}"])
