"""The views as notebook widgets: the same drawings as in the app, through anywidget.

>>> view = net(data)                                # doctest: +SKIP
>>> view.on("exchange", lambda value: print(value["fusion"]))   # doctest: +SKIP
>>> view.data = other                               # doctest: +SKIP
The drawing is updated in place: zoom, hidden curves and the scrubbed epoch stay.
"""

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from dfn.figures.theme import PALETTES
from dfn.views import NAMES, NOTEBOOK_FOOTER, Name, source, words

Handler = Callable[[Any], object]


class View(anywidget.AnyWidget):
    """One view. Assign `data` to draw again; `on` listens to what the reader does. `still` is a figure of the same
    numbers that a notebook keeps for where no kernel runs."""

    data = traitlets.Dict().tag(sync=True)

    def __init__(self, name: Name, data: Mapping[str, Any], still: Any = None) -> None:
        if name not in NAMES:
            raise ValueError(f"name: {name!r} is not a view; there are {', '.join(NAMES)}")
        self._name: Name = name
        self._still = still
        self._handlers: dict[str, list[Handler]] = {}
        super().__init__(_esm=source(name) + NOTEBOOK_FOOTER, data=dict(data))
        self.on_msg(self._hear)

    def on(self, event: str, handler: Handler) -> None:
        """Calls `handler(value)` at every event of that name: `exchange` and `select` (net); `epoch`, `pin` and
        `fusion` (maps); `select` (tiles and tree); `drawn` (sketch)."""
        self._handlers.setdefault(event, []).append(handler)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if self._still is None or bundle is None:
            return bundle
        data, metadata = bundle
        return {**self._still._repr_mimebundle_(), **data}, metadata

    @traitlets.validate("data")
    def _with_palette(self, proposal: Any) -> dict[str, Any]:
        return {"palette": PALETTES, **words(self._name), **proposal["value"]}

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        for handler in self._handlers.get(message["name"], []):
            handler(message["value"])


def net(data: Mapping[str, Any]) -> View:
    """The net diagram with its path spectrum."""
    return View("net", data)


def curves(data: Mapping[str, Any]) -> View:
    """Curves that keep zoom and hidden series while they grow."""
    return View("curves", data)


def bars(data: Mapping[str, Any]) -> View:
    """Rows of bars under one scale."""
    return View("bars", data)


def maps(data: Mapping[str, Any]) -> View:
    """The grid of feature maps, scrubbed through the epochs, with pinned epochs and places: see
    `dfn.insight.maps_view.view_data`."""
    return View("maps", data)


def tiles(data: Mapping[str, Any]) -> View:
    """Small pictures to choose from."""
    return View("tiles", data)


def sketch(data: Mapping[str, Any]) -> View:
    """A curve to draw before it is shown."""
    return View("sketch", data)


def tree(data: Mapping[str, Any]) -> View:
    """Methods as a family tree, each a button."""
    return View("tree", data)
