"""What a method is: a way from the few depths that make the fused net to a recipe, and how it stands to fusion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dfn.design.catalogue import Status
from dfn.design.nodes import Join
from dfn.training.recipe import Recipe

Family = Literal["fusion", "base network", "shortcut", "supervision", "transfer", "views", "regulariser", "start"]

Settings = dict[str, Any]
"""Settings of a recipe that all methods of a comparison share: data, epochs, seed and so on."""

DFN = "Wang, Wei, Zhang, Zeng: Deeply-Fused Nets, arXiv 1605.07716"


@dataclass(frozen=True)
class Frame:
    """What makes the fused net of a comparison: the depths of its base networks, the number of fusions, the width of
    the first stage, the join, and the images."""

    bases: tuple[int, ...]
    fusions: int
    width: int
    classes: int
    in_channels: int
    join: Join = "sum"

    @property
    def deep(self) -> int:
        return max(self.bases)

    @property
    def shallow(self) -> int:
        return min(self.bases)

    @property
    def cuts(self) -> int:
        """At how many places a net that is not fused has a map to attach something to: where it would be fused, or
        at the ends of its three stages."""
        return self.fusions if self.fusions > 1 else 3

    @property
    def shape(self) -> dict[str, Any]:
        """The settings that every named design takes."""
        return {"width": self.width, "classes": self.classes, "in_channels": self.in_channels}


@dataclass(frozen=True)
class Method:
    """A method of the paper's world. `make(frame, settings)` gives its recipe; `first(frame, settings)` the recipes
    whose runs it starts from (a teacher), which have to be done before. `relation` says in two sentences how it
    stands to deep fusion and `formula` is TeX; `role` names its colour, None for one of the further nets."""

    name: str
    title: str
    family: Family
    source: str
    status: Status
    relation: str
    formula: str
    make: Callable[[Frame, Settings], Recipe]
    role: str | None = None
    first: Callable[[Frame, Settings], tuple[Recipe, ...]] = lambda frame, settings: ()
