"""How the weights of a net can begin, by name. No torch here: a recipe names one of them."""

from typing import Literal

Scheme = Literal["he", "glorot", "orthogonal", "lsuv"]
"""What `dfn.models.initialise` draws."""

Start = Literal[Scheme, "net2net"]
"""A scheme, or the function of a smaller net that was trained before, as `dfn.models.net2net` says."""
