"""Files that are whole or not there: written under another name and renamed; read within bounds, and never through
a link or a pipe, because a run's folder may come from anywhere."""

import json
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")

# A pipe would block whoever opens it, a link could lead anywhere; Windows knows neither flag.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_WINDOWS_TRIES, _WINDOWS_PAUSE = 50, 0.01


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file in one step; `durable` waits until the disk has it. The folder has to be there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _patiently(lambda: os.replace(temporary, path))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading; raises OSError where it is no plain file."""
    file = _patiently(lambda: open(path, "rb", opener=lambda name, flags: os.open(name, flags | _PLAIN)))  # noqa: SIM115
    return file


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of a file; raises OSError where it is missing, no plain file or larger than `most`."""
    with open_plain(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"{path.name} is larger than {most:,} bytes")
    return data


def read_object(path: Path, most: int = 1_000_000) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is none that could be read."""
    try:
        value = json.loads(read_whole(path, most))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def to_line(value: Any) -> bytes:
    """One compact line of JSON. What is not a number becomes null: browsers refuse NaN."""
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"))
    return text.encode() + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _patiently(action: Callable[[], T]) -> T:
    """On Windows a file cannot be replaced while somebody reads it, nor read while it is replaced: try again."""
    for _ in range(_WINDOWS_TRIES if os.name == "nt" else 0):
        try:
            return action()
        except PermissionError:
            time.sleep(_WINDOWS_PAUSE)
    return action()
