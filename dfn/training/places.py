"""Places of a net at which something can be attached in training: a companion classifier, a hint."""

from dfn.design.cost import layers, named_children
from dfn.design.nodes import Conv, Fusion, Series, Tap
from dfn.design.spec import Design


def places(design: Design) -> dict[str, int]:
    """The names and channels of the maps behind taps and fusions of the main line, in order; without those that
    the classifier reads anyway."""
    channels = {layer.name: layer.after.channels for layer in layers(design)}
    found: list[str] = []
    latest: list[str] = []
    for name, node in named_children(design.body, ""):
        if isinstance(node, Conv | Fusion | Series):
            found, latest = found + latest, []
        if isinstance(node, Tap):
            latest.append(name)
        elif isinstance(node, Fusion):
            latest.append(f"{name}/joined")
    return {name: channels[name] for name in found}
