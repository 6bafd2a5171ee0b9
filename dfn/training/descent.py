"""Stochastic gradient descent with Nesterov's momentum, through torch's own function.

`torch.optim.SGD` would do the same and import torch's compiler on its way, over a second before the first step.
"""

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Descent:
    """w <- w - lr (g + momentum v) with v <- momentum v + g and g the gradient plus weight_decay w, for every
    parameter: weights, biases and the norms' too, as the group has it (zlmzju/fusenet, utility.py)."""

    def __init__(self, parameters: dict[str, nn.Parameter], *, momentum: float, weight_decay: float):
        self.parameters = parameters
        self.momentum, self.weight_decay = momentum, weight_decay
        self.velocity: dict[str, Tensor] = {}

    def prepare(self) -> None:
        """Give every parameter the velocity 0 that it begins with anyway, so that its place is known."""
        for name, parameter in self.parameters.items():
            self.velocity.setdefault(name, torch.zeros_like(parameter))

    @torch.no_grad()
    def step(self, lr: float | Tensor) -> None:
        """One update with the gradients that the parameters hold, those without one stay as they are; a tensor `lr` is
        read when the update runs."""
        names = [name for name, parameter in self.parameters.items() if parameter.grad is not None]
        velocity: list[Tensor | None] = [self.velocity.get(name) for name in names]
        if any(v is not None for v in velocity):  # torch starts all of them together, or none
            velocity = [
                torch.zeros_like(self.parameters[name]) if v is None else v
                for name, v in zip(names, velocity, strict=True)
            ]
        sgd(
            [self.parameters[name] for name in names],
            [grad for name in names if (grad := self.parameters[name].grad) is not None],
            velocity,
            fused=True,  # on a CPU too it takes half the time of the other ways
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=lr,  # pyright: ignore[reportArgumentType] (the fused way takes a tensor)
            dampening=0.0,
            nesterov=self.momentum > 0,
            maximize=False,
        )
        self.velocity |= {name: v for name, v in zip(names, velocity, strict=True) if v is not None}

    def forget_gradients(self) -> None:
        """Let the next backward pass write new gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def restore(self, velocity: dict[str, Tensor]) -> None:
        """Go on with these velocities, each laid out like its parameter."""
        self.velocity = {name: torch.empty_like(self.parameters[name]).copy_(v) for name, v in velocity.items()}
