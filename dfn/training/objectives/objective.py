"""What an objective is: a loss of a net on a batch, with whatever it has to learn or to keep for that."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dfn.models.build import FusedNet


class Objective(nn.Module, ABC):
    """What a run minimises.

    Its own parameters are trained beside the net's and belong to the state of the training, never to the net.
    """

    @abstractmethod
    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """The loss in nats and the net's logits (N, classes) for images (N, C, H, W) and classes (N,); `progress` is
        the share of the steps that are done, from 0 to less than 1."""


class CrossEntropy(Objective):
    """The loss of the net's logits, and nothing else."""

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        logits = net(x)
        return cross_entropy(logits, y), logits
