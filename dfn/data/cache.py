"""Tensors that cost seconds to make, kept in the user's cache folder until what they were made from changes.

One file a data set, so the folder cannot grow without bound. A cache that cannot be read or written is no error:
the tensors are made again.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dfn.data.archives import cache_folder


def cached(name: str, fingerprint: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors kept under `name` if they were made from the same `fingerprint`, else those of `make()`."""
    path = cache_folder() / "tensors" / f"{name}.safetensors"
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("fingerprint") == fingerprint:
                return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError):
        pass
    tensors = make()
    with contextlib.suppress(OSError, SafetensorError):
        _write(path, fingerprint, tensors)
    return tensors


def _write(path: Path, fingerprint: str, tensors: dict[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        save_file(tensors, temporary, metadata={"fingerprint": fingerprint})
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
