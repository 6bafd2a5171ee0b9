"""The views as notebook widgets: the same drawings as in the app, through anywidget, each with a still figure.

>>> view = net(data)                                # doctest: +SKIP
>>> view.on("exchange", lambda value: print(value["fusion"]))   # doctest: +SKIP
>>> view.data = other                               # doctest: +SKIP
The drawing is updated in place: zoom, hidden curves and the scrubbed epoch stay.
"""

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import ipywidgets
import traitlets
from IPython.display import DisplayHandle, display

from dfn.figures.theme import PALETTES
from dfn.views import NAMES, NOTEBOOK_FOOTER, Name, source, words

Handler = Callable[[Any], object]


class _Kept:
    """A widget that leaves a still figure as an output of its own below it: a saved notebook shows that where no kernel
    runs. In JupyterLab it is hidden as long as the widget lives."""

    still: Any = None
    _shown: DisplayHandle | None = None

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()  # pyright: ignore[reportAttributeAccessIssue]
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        instead = (
            "" if self.still is None else "This drawing answers where a kernel runs; the figure shows what it drew."
        )
        display({**data, "text/plain": instead}, metadata=metadata, raw=True)
        if self.still is not None:
            self._shown = display(self.still._repr_mimebundle_(), raw=True, display_id=True)

    def keep(self, still: Any) -> None:
        """Leave this figure from now on, also where the widget was shown before."""
        self.still = still
        if self._shown is not None:
            self._shown.update(still._repr_mimebundle_(), raw=True)


class View(_Kept, anywidget.AnyWidget):
    """One view. Assign `data` to draw again; `on` listens to what the reader does; `still` is a figure of the same
    numbers."""

    data = traitlets.Dict().tag(sync=True)
    has_still = traitlets.Bool().tag(sync=True)

    def __init__(self, name: Name, data: Mapping[str, Any], still: Any = None) -> None:
        if name not in NAMES:
            raise ValueError(f"name: {name!r} is not a view; there are {', '.join(NAMES)}")
        self._name: Name = name
        self.still = still
        self._handlers: dict[str, list[Handler]] = {}
        super().__init__(_esm=source(name) + NOTEBOOK_FOOTER, data=dict(data), has_still=still is not None)
        self.on_msg(self._hear)

    def on(self, event: str, handler: Handler) -> None:
        """Calls `handler(value)` at every event of that name: `exchange` and `select` (net); `epoch`, `pin` and
        `fusion` (maps); `select` (tiles and tree); `drawn` (sketch)."""
        self._handlers.setdefault(event, []).append(handler)

    @traitlets.validate("data")
    def _with_palette(self, proposal: Any) -> dict[str, Any]:
        return {"palette": PALETTES, **words(self._name), **proposal["value"]}

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        for handler in self._handlers.get(message["name"], []):
            handler(message["value"])


class Panel(_Kept, ipywidgets.VBox):
    """Controls and a view under each other; the still figure is the view's."""

    def __init__(self, *rows: ipywidgets.Widget, still: Any = None) -> None:
        self.still = still
        super().__init__(rows)


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
