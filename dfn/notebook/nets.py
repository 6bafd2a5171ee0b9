"""A net in a notebook: its diagram, whose blocks change places at a click, and the sliders that make one."""

from typing import Any

import ipywidgets

from dfn.design.catalogue import fused
from dfn.design.cost import cost
from dfn.design.nodes import Fusion
from dfn.design.paths import essential_depth, exchange, groups, path_count
from dfn.design.picture import Origins, picture
from dfn.design.spec import Design
from dfn.figures.net import net as still_net
from dfn.views.notebook import Panel, View

Shape = tuple[int, int, int]

DEEPEST, MOST_FUSIONS = 110, 12
DIGITS: Shape = (1, 8, 8)


class Net(View):
    """The diagram of `design`, with its path spectrum. A click on a fusion exchanges its blocks: `design` is then the
    net that is drawn."""

    def __init__(self, design: Design, input_shape: Shape | None = None, origins: Origins | None = None) -> None:
        data = picture(design, input_shape, origins)
        super().__init__("net", data, still_net(data))
        self.on("exchange", self._exchange)
        self._set(design, input_shape, origins)

    def replace(self, design: Design, input_shape: Shape | None = None) -> None:
        """Draw another net."""
        self._set(design, input_shape, None)
        self._draw()

    def _set(self, design: Design, input_shape: Shape | None, origins: Origins | None) -> None:
        fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
        homes = origins or [range(len(fusion.branches)) for fusion in fusions]
        self.design, self.input_shape, self.origins = design, input_shape, [list(row) for row in homes]

    def _exchange(self, value: Any) -> None:
        fusion = value["fusion"]
        self.design = exchange(self.design, fusion)
        row = self.origins[fusion - 1]
        row.append(row.pop(0))
        self._draw()

    def _draw(self) -> None:
        data = picture(self.design, self.input_shape, self.origins)
        self.data = data
        self.keep(still_net(data))


class Composer(Panel):
    """Three numbers and the net that they make."""

    def __init__(self, deep: int, shallow: int, fusions: int, width: int, input_shape: Shape) -> None:
        self.width, self.input_shape = width, input_shape
        self._numbers = [
            _number("Deep depth", deep, 2, DEEPEST),
            _number("Shallow depth", shallow, 2, DEEPEST),
            _number("Fusions", fusions, 1, MOST_FUSIONS),
        ]
        self._facts = ipywidgets.HTML()
        self.view = Net(self._made(), input_shape)
        super().__init__(ipywidgets.HBox(self._numbers), self.view, self._facts, still=self.view.still)
        for number in self._numbers:
            number.observe(self._remake, "value")
        self._tell()

    @property
    def design(self) -> Design:
        """The net that is drawn."""
        return self.view.design

    def _made(self) -> Design:
        deep, shallow, fusions = (number.value for number in self._numbers)
        channels = self.input_shape[0]
        return fused(deep=deep, shallow=shallow, fusions=fusions, width=self.width, classes=10, in_channels=channels)

    def _remake(self, _change: Any) -> None:
        self.view.replace(self._made(), self.input_shape)
        self.keep(self.view.still)
        self._tell()

    def _tell(self) -> None:
        design = self.design
        self._facts.value = (
            f"{path_count(design):,} paths, {groups(design):,} groups of base networks, essential depth "
            f"{essential_depth(design)}, {cost(design, self.input_shape).parameters:,} parameters"
        )


def net(design: Design, input_shape: Shape | None = None, origins: Origins | None = None) -> Net:
    """The diagram of a net; `input_shape` is (channels, height, width), `origins` that of `dfn.design.picture`."""
    return Net(design, input_shape, origins)


def compose(
    deep: int = 50, shallow: int = 14, fusions: int = 6, width: int = 8, input_shape: Shape = DIGITS
) -> Composer:
    """The net that two depths and a number of fusions make, drawn again at every change; `.design` is that net."""
    return Composer(deep, shallow, fusions, width, input_shape)


def _number(label: str, value: int, low: int, high: int) -> ipywidgets.BoundedIntText:
    style = {"description_width": "initial"}
    return ipywidgets.BoundedIntText(value=value, min=low, max=high, description=label, style=style)
