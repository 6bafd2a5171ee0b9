"""States of a training as safetensors files: tensors, and beside them in the header numbers and the length of the
metrics, so that weights and curve always go on from the same step."""

import json
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dfn.runs.files import write_whole
from dfn.runs.run import Run
from dfn.training.fit import State

KEPT = 2
UNREADABLE = (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError)


def write_checkpoint(run: Run, state: State) -> None:
    """Write a state to the disk for good, with the length that the metrics have now; older files go."""
    header = {"numbers": json.dumps(state.numbers), "metrics_bytes": str(run.sync_metrics())}
    path = run.checkpoint_file(state.numbers["step"])
    write_whole(path, safetensors.torch.save(_contiguous(state.tensors), header), durable=True)
    for old in run.checkpoint_files()[KEPT:]:
        old.unlink(missing_ok=True)


def read_checkpoint(run: Run, path: Path) -> tuple[State, int]:
    """A state and the length of the metrics it goes with. Raises one of UNREADABLE for a damaged file, and
    ValueError where the metrics are shorter than that."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    length = int(header["metrics_bytes"])
    if length > run.metrics_file.stat().st_size:
        raise ValueError(f"{path.name}: the metrics are shorter than they were")
    return State(tensors, json.loads(header["numbers"])), length


def write_snapshot(run: Run, epoch: int, state: State) -> None:
    """Write the weights of an epoch, with the names they have in the net."""
    weights = {name.removeprefix("net."): t for name, t in state.tensors.items() if name.startswith("net.")}
    write_whole(run.snapshot_file(epoch), safetensors.torch.save(_contiguous(weights)))


def is_finite(state: State) -> bool:
    """Whether weights and momentum are numbers; others would be the end of the run that reads them."""
    numbers = [tensor.flatten() for tensor in state.tensors.values() if tensor.dtype == torch.float32]
    return bool(torch.cat(numbers).isfinite().all())  # hundreds of small tensors are slow one by one


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}
