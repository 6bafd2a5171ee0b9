"""fp32 or bf16: tried out on the very net, never assumed."""

from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from time import perf_counter

import torch
from torch import Tensor

from dfn.models.build import FusedNet
from dfn.training.objectives import Objective

WORTH_IT = 1.15
SMALLEST_SIDE = 14
TRIALS = 3


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """The context in which the forward pass runs; weights stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else nullcontext()


def choose_precision(net: FusedNet, objective: Objective, wanted: str, x: Tensor, y: Tensor) -> tuple[str, str]:
    """The precision to train in and one sentence why; `wanted` is what the recipe says. `x` (N, C, H, W) and `y` (N,)
    are a real batch."""
    if wanted != "auto":
        return wanted, "as the recipe says"
    if min(x.shape[-2:]) < SMALLEST_SIDE:
        return "fp32", f"bf16 is not tried on images under {SMALLEST_SIDE} pixels: measured, it does not pay there"
    if x.device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return "fp32", "this GPU has no bf16"
    with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):  # dropout draws; nobody should notice
        seconds = {precision: _seconds(net, objective, x, y, precision) for precision in ("fp32", "bf16")}
    ratio = seconds["fp32"] / seconds["bf16"]
    chosen = "bf16" if ratio > WORTH_IT else "fp32"
    return chosen, f"a step in bf16 was {ratio:.2f} times as fast as in fp32 (taken above {WORTH_IT})"


def _seconds(net: FusedNet, objective: Objective, x: Tensor, y: Tensor, precision: str) -> float:
    """The fastest of a few forward and backward passes on a copy, after one to warm up."""
    net, objective = deepcopy((net, objective))
    net.train()
    times = []
    for _ in range(TRIALS + 1):
        _wait(x.device)
        start = perf_counter()
        with autocast(precision, x.device):
            loss, _ = objective(net, x, y, 0.0)
        loss.backward()
        _wait(x.device)
        times.append(perf_counter() - start)
    return min(times[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
