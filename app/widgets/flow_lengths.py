"""The gradient by path length, beside how many paths have each length."""

from collections.abc import Mapping

import streamlit as st
from flow_data import Lengths

from widgets import view
from widgets.words import percent


def show(lengths: Lengths, shares: Mapping[int, float], label: str, on: str) -> None:
    """Bars by depth: the norm of each part of the gradient, and the share of the paths; both in percent."""
    sizes = {depth: norm / lengths.whole if lengths.whole else 0.0 for depth, norm in lengths.parts.items()}
    groups = [
        {"label": "norm of the part, % of the norm of the whole gradient", "role": "fused", "bars": _bars(sizes)},
        {"label": "share of the paths, %", "role": "plain", "bars": _bars(shares)},
    ]
    title = {"title": "The gradient of the image by path length", "subtitle": "layers on the path"}
    view.show("bars", {**title, "unit": "%", "log": False, "groups": groups}, key="flow-lengths")
    st.markdown(verdict(lengths, shares, label))
    st.caption(
        "The Jacobian of the net, multiplied out, has one term for every path; here the terms of the true class's "
        f"logit are gathered by the layers on their paths, {on}. **The parts sum to autograd's gradient**: what they "
        f"miss of it is {_tiny(lengths.residual)}. **Their norms need not add up**: parts are vectors and may cancel. "
        "Batch norm is in eval mode: its statistics are constants, and every ReLU is as the image left it."
    )


def verdict(lengths: Lengths, shares: Mapping[int, float], label: str) -> str:
    """Which length brings most, beside which is most frequent; made from the numbers."""
    if len(shares) == 1:
        return f"**{label}** has one path of {next(iter(shares))} layers, and all of the gradient comes along it."
    if not lengths.whole:
        return "No gradient reaches the image."
    most = max(lengths.parts, key=lambda depth: lengths.parts[depth])
    common = [depth for depth, share in sorted(shares.items()) if share == max(shares.values())]
    total = sum(lengths.parts.values())
    mean = sum(depth * norm for depth, norm in lengths.parts.items()) / total
    paths = sum(depth * share for depth, share in shares.items())
    towards = "shorter" if mean < paths - 0.5 else "deeper" if mean > paths + 0.5 else ""
    lean = f"the gradient leans to **{towards}** paths" if towards else "the gradient leans neither way"
    frequent = f"**{' and '.join(map(str, common))} layers** ({percent(shares[common[0]])} of all"
    frequent += " each)" if len(common) > 1 else ")"
    return (
        f"Most frequent are paths of {frequent}; the largest part of the gradient comes along paths of **{most} "
        f"layers**. Weighted by the norms the mean length is {mean:.1f}, over all paths {paths:.1f}: {lean}. The norms "
        f"add up to {total / lengths.whole:.2f} times the norm of the whole."
    )


def _bars(values: Mapping[int, float]) -> list[dict]:
    return [{"label": str(depth), "value": 100 * values[depth]} for depth in sorted(values)]


def _tiny(residual: float) -> str:
    if not residual:
        return "nothing at all"
    if residual <= 1e-5:
        return f"{residual:.1e} of its norm, the rounding of its numbers"
    return f"{residual:.1e} of its norm, more than rounding explains"
