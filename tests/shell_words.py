"""What tests of the shell say to it and read of it; the fixture `shell` runs it."""

import json
from collections.abc import Callable
from typing import Any

NET = ["--deep", "8", "--shallow", "5", "--fusions", "3", "--width", "4"]
TINY = [*NET, "--train-limit", "128", "--test-limit", "60", "--epochs", "2"]
LONGER = [*NET, "--train-limit", "640", "--test-limit", "60", "--epochs", "4"]
"""40 steps: a command is taken after some hundredths of a second, and must find the run still at work."""

DONE = {"event", "run", "test_accuracy", "train_loss", "seconds", "weights_sha256"}

Shell = Callable[..., tuple[int, str, str]]


def values(text: str) -> list[Any]:
    """Every line as JSON; a line that is none fails the test."""
    return [json.loads(line) for line in text.splitlines()]
