"""One line in a notebook for a net, a race, every way to look inside, and what a lesson asks.

>>> from dfn import notebook                                            # doctest: +SKIP
>>> SHORT = notebook.begin()                                            # doctest: +SKIP
>>> run = notebook.trained(recipe)                                      # doctest: +SKIP
>>> notebook.maps(run, image=7, fusion=2)                               # doctest: +SKIP
>>> notebook.maps(net, x)                                               # doctest: +SKIP

The subject is a run, with the number of one of its test images, or a net, with a normalised image (C, H, W). `epoch` is
one that the run kept, the last one where it is None. A widget leaves a still figure of the same numbers below it, which
is what a saved notebook shows where no kernel runs.
"""

from dfn.notebook.bars import bars
from dfn.notebook.inside import attribution, flow, lesions, maps
from dfn.notebook.lesson import begin, check, reveal
from dfn.notebook.nets import compose, net
from dfn.notebook.racing import race, trained

__all__ = [
    "attribution",
    "bars",
    "begin",
    "check",
    "compose",
    "flow",
    "lesions",
    "maps",
    "net",
    "race",
    "reveal",
    "trained",
]
