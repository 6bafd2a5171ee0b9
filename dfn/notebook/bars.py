"""Bars of several nets or measurements under one scale, with their still figure."""

from collections.abc import Mapping
from typing import Any

from dfn.figures.bars import bars as still_bars
from dfn.views.notebook import View

Group = tuple[str, Mapping[Any, float]]
"""The role, which gives the colour (see `dfn.figures.theme`), and the values by what they are of."""


def bars(groups: Mapping[str, Group], title: str, unit: str, subtitle: str = "", log: bool = False) -> View:
    """A row of bars for each of `groups` by name; `unit` is that of all values, `log` takes a logarithmic scale."""
    drawn = [
        {
            "label": name,
            "role": role,
            "bars": [{"label": str(label), "value": float(value)} for label, value in values.items()],
        }
        for name, (role, values) in groups.items()
    ]
    data = {"title": title, "subtitle": subtitle, "unit": unit, "log": log, "groups": drawn}
    return View("bars", data, still_bars(data))
