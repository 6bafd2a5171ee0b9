"""With what a run is trained: noted once, and used again where the same bits depend on it."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import torch

from dfn import __version__
from dfn.runs import launch
from dfn.runs.run import Run
from dfn.training.records import Begin


def note_environment(run: Run, begin: Begin) -> Begin:
    """Write down with what the run is trained; the reason for a precision that is only repeated stays what it was."""
    before = run.environment()
    if before.get("precision") == begin.precision:
        begin = replace(begin, note=str(before.get("precision_note", begin.note)))
    run.write_environment(
        {
            "dfn": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "device": machine_name(torch.device(begin.device)),
            "threads": torch.get_num_threads(),
            "precision": begin.precision,
            "precision_note": begin.note,
        }
    )
    return begin


@contextmanager
def threads_of(run: Run) -> Iterator[None]:
    """As many threads as the run began with, because another number of them may round differently."""
    before = torch.get_num_threads()
    noted = run.environment().get("threads")
    asked = os.environ.get("OMP_NUM_THREADS", "")
    wanted = noted if isinstance(noted, int) else int(asked) if asked.isdecimal() else launch.spare_cores()
    torch.set_num_threads(min(max(1, wanted), os.cpu_count() or 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def machine_name(device: torch.device) -> str:
    """What people call the GPU or the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with suppress(OSError, StopIteration), open("/proc/cpuinfo", encoding="utf-8") as file:
        return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    return platform.processor() or platform.machine()
