"""The gradient by path length, beside how many paths have each length."""

from collections.abc import Mapping, Sequence

import streamlit as st
from flow_data import Lengths

from dfn.words import _
from widgets import view
from widgets.words import percent


def show(lengths: Lengths, shares: Mapping[int, float], label: str, on: str) -> None:
    """Bars by depth: the norm of each part of the gradient, and the share of the paths; both in percent."""
    sizes = {depth: norm / lengths.whole if lengths.whole else 0.0 for depth, norm in lengths.parts.items()}
    groups = [
        {"label": _("norm of the part, % of the norm of the whole gradient"), "role": "fused", "bars": _bars(sizes)},
        {"label": _("share of the paths, %"), "role": "plain", "bars": _bars(shares)},
    ]
    title = {"title": _("The gradient of the image by path length"), "subtitle": _("layers on the path")}
    view.show("bars", {**title, "unit": "%", "log": False, "groups": groups}, key="flow-lengths")
    st.markdown(verdict(lengths, shares, label))
    st.caption(
        _(
            "The Jacobian of the net, multiplied out, has one term for every path; here the terms of the true class's "
            "logit are gathered by the layers on their paths, {on}. **The parts sum to autograd's gradient**: what "
            "they miss of it is {missed}. **Their norms need not add up**: parts are vectors and may cancel. Batch "
            "norm is in eval mode: its statistics are constants, and every ReLU is as the image left it."
        ).format(on=on, missed=_tiny(lengths.residual))
    )


def verdict(lengths: Lengths, shares: Mapping[int, float], label: str) -> str:
    """Which length brings most, beside which is most frequent; made from the numbers."""
    if len(shares) == 1:
        text = _("**{label}** has one path of {depth} layers, and all of the gradient comes along it.")
        return text.format(label=label, depth=next(iter(shares)))
    if not lengths.whole:
        return _("No gradient reaches the image.")
    most = max(lengths.parts, key=lambda depth: lengths.parts[depth])
    common = [depth for depth, share in sorted(shares.items()) if share == max(shares.values())]
    total = sum(lengths.parts.values())
    mean = sum(depth * norm for depth, norm in lengths.parts.items()) / total
    paths = sum(depth * share for depth, share in shares.items())
    if len(common) > 1:
        frequent = _(
            "Most frequent are paths of **{common} layers** ({share} of all each); the largest part of the gradient "
            "comes along paths of **{most} layers**."
        )
    else:
        frequent = _(
            "Most frequent are paths of **{common} layers** ({share} of all); the largest part of the gradient comes "
            "along paths of **{most} layers**."
        )
    if mean < paths - 0.5:
        lean = _(
            "Weighted by the norms the mean length is {mean:.1f}, over all paths {paths:.1f}: the gradient leans to "
            "**shorter** paths."
        )
    elif mean > paths + 0.5:
        lean = _(
            "Weighted by the norms the mean length is {mean:.1f}, over all paths {paths:.1f}: the gradient leans to "
            "**deeper** paths."
        )
    else:
        lean = _(
            "Weighted by the norms the mean length is {mean:.1f}, over all paths {paths:.1f}: the gradient leans "
            "neither way."
        )
    times = _("The norms add up to {times:.2f} times the norm of the whole.").format(times=total / lengths.whole)
    frequent = frequent.format(common=_listed(common), share=percent(shares[common[0]]), most=most)
    return f"{frequent} {lean.format(mean=mean, paths=paths)} {times}"


def _listed(numbers: Sequence[int]) -> str:
    *before, last = map(str, numbers)
    return _("{before} and {last}").format(before=", ".join(before), last=last) if before else last


def _bars(values: Mapping[int, float]) -> list[dict]:
    return [{"label": str(depth), "value": 100 * values[depth]} for depth in sorted(values)]


def _tiny(residual: float) -> str:
    if not residual:
        return _("nothing at all")
    if residual <= 1e-5:
        text = _("{residual:.1e} of its norm, the rounding of its numbers")
    else:
        text = _("{residual:.1e} of its norm, more than rounding explains")
    return text.format(residual=residual)
