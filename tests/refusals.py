"""How a refusal has to look: one line, at once."""

import time

import pytest

from dfn.design.errors import DesignError


def refusal(make):
    """The one line with which something is refused, in less than a second of work."""
    seconds: list[float] = []
    while not seconds or (min(seconds) >= 1 and len(seconds) < 4):  # whoever shares the processor adds to it
        began = time.process_time()
        with pytest.raises(DesignError) as caught:
            make()
        seconds.append(time.process_time() - began)
    line = str(caught.value)
    assert min(seconds) < 1
    assert line.isprintable(), "one line, and no lone surrogate that a terminal cannot print"
    assert len(line) < 400
    assert " is not accepted; accepted: " in line
    return line
