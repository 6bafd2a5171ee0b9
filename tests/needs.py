"""What a test needs that a machine may lack. `.ci/run` sets CI=true and has all of it: there a skip would hide that it
is gone, so the test runs and fails. Windows has neither make nor fork, whoever sets CI."""

import os

import pytest


def needs(found: bool, what: str) -> pytest.MarkDecorator:
    """Skips a test where something was not found."""
    return pytest.mark.skipif(not found and (os.name == "nt" or os.environ.get("CI") != "true"), reason=f"needs {what}")
