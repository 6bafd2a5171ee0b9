"""Weights that come from another net."""

from copy import deepcopy

from torch import nn

from dfn.design import paths
from dfn.models.build import Chain, Fused, FusedNet, Named


def exchange_blocks(net: FusedNet, fusion: int) -> FusedNet:
    """A copy of the net in which the blocks of one fusion (counted from 1) change lanes with their weights.

    The base networks become others and the logits stay the same: to the last bit for two base networks, within
    rounding for more, since adding two numbers commutes and adding three does not associate. Raises DesignError as
    `dfn.exchange` does.
    """
    design = paths.exchange(net.design, fusion)
    changed = deepcopy(net)
    changed.design = design
    fused = changed.body.get_submodule(f"fusion{fusion}")
    assert isinstance(fused, Fused)
    lanes, blocks = list(fused.branches.keys()), list(fused.branches.values())
    fused.branches = nn.ModuleDict(dict(zip(lanes, [*blocks[1:], blocks[0]], strict=True)))
    fused.join.rotate()
    for lane, block in fused.branches.items():
        moved = [module for module in block.modules() if isinstance(module, Chain | Fused | Named)]
        old = moved[0].name  # the block's own; what lies inside begins with it
        for module in moved:
            module.name = f"{fused.name}/{lane}{module.name.removeprefix(old)}"
    return changed
