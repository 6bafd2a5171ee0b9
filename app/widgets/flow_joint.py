"""Joint learning: what each base network can do alone inside the fused net, against the same one trained alone."""

from collections.abc import Mapping, Sequence

import cached
import streamlit as st
from flow_data import Joint, companions
from maps_data import run_with_maps
from runs_data import train_link

from dfn.design.paths import base_depths
from dfn.runs.store import Run
from widgets.words import percent


def show(run: Run, epoch: int, count: int, total: int) -> None:
    """The table for a fused run, over the first `count` of `total` test images."""
    joint = cached.joint(str(run.folder), epoch, count)
    runners = companions(run.recipe, ("plain deep", "plain shallow", "decision fusion"))
    depths = dict(zip(joint.alone, base_depths(run.recipe.design), strict=True))
    apart: dict[int, str] = {}
    decision, missing = "", []
    for runner in runners:
        found = run_with_maps(runner.recipe.id, cached.RECORDED)
        if found is None:
            missing.append(runner.label)
            continue
        at = max((kept for kept in found.run.snapshots() if kept <= epoch), default=None)
        if at is None:
            continue
        accuracy = cached.joint(str(found.run.folder), at, count).fused
        said = percent(accuracy) + (f" (after epoch {at})" if at != epoch else "")
        if runner.role == "decision":
            decision = said
        else:
            apart[max(base_depths(runner.recipe.design))] = said
    st.markdown("\n".join(table(joint, depths, apart, run.recipe.label, decision)))
    st.markdown(verdict(joint))
    which = f"all {total:,}" if count == total else f"the first {count:,} of {total:,}"
    st.caption(
        f"Share of {which} test images called right after epoch {epoch}. Alone means that every fusion hands on this "
        "base network's own map; batch norm's statistics are then averaged anew over 512 training images, because "
        "those of the fused net belong to joined maps. The weights stay as they are."
    )
    if missing:
        st.markdown(f"Not trained with this recipe and seed: **{', '.join(missing)}**.")
        address = train_link(run.recipe)
        st.page_link("app_pages/train.py", label="Train them", icon=":material/show_chart:", query_params=address)


def table(
    joint: Joint, depths: Mapping[str, int], apart: Mapping[int, str], label: str, decision: str
) -> Sequence[str]:
    """The lines of a Markdown table."""
    lines = ["| net | inside the fused net | trained alone |", "|:--|--:|--:|"]
    for lane, accuracy in joint.alone.items():
        lines.append(f"| {lane}, {depths[lane]} layers | {percent(accuracy)} | {apart.get(depths[lane], '–')} |")
    lines.append(f"| {label}, whole | **{percent(joint.fused)}** | |")
    if decision:
        lines.append(f"| decision fusion: logits averaged | | {decision} |")
    return lines


def verdict(joint: Joint) -> str:
    """One sentence over the base networks and the whole."""
    best = max(joint.alone, key=lambda lane: joint.alone[lane])
    gap = joint.fused - joint.alone[best]
    if gap > 0.02:
        return (
            f"No base network does it alone: the best of them, {best}, calls {percent(joint.alone[best])} right, "
            f"{100 * gap:.1f} points less than all together."
        )
    return f"Alone, the {best} base network calls {percent(joint.alone[best])} right: it hardly needs the others."
