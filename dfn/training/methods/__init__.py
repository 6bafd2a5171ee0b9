"""The methods by what sets them apart from the fused net. `dfn.training.comparisons` gathers them."""
