"""Joint learning: what each base network can do alone inside the fused net, against the same one trained alone."""

from collections.abc import Mapping, Sequence

import cached
import streamlit as st
from flow_data import Joint, companions
from maps_data import run_with_maps
from runs_data import train_link

from dfn.design.paths import base_depths
from dfn.insight.maps import lane_words
from dfn.runs.store import Run
from dfn.words import _
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
        said = percent(accuracy)
        if at != epoch:
            said = _("{accuracy} (after epoch {epoch})").format(accuracy=said, epoch=at)
        if runner.role == "decision":
            decision = said
        else:
            apart[max(base_depths(runner.recipe.design))] = said
    st.markdown("\n".join(table(joint, depths, apart, run.recipe.label, decision)))
    st.markdown(verdict(joint))
    which = _("all {total:,} test images") if count == total else _("the first {count:,} of {total:,} test images")
    st.caption(
        _(
            "Share of {images} called right after epoch {epoch}. Alone means that every fusion hands on this base "
            "network's own map; batch norm's statistics are then averaged anew over 512 training images, because "
            "those of the fused net belong to joined maps. The weights stay as they are."
        ).format(images=which.format(count=count, total=total), epoch=epoch)
    )
    if missing:
        st.markdown(_("Not trained with this recipe and seed: **{labels}**.").format(labels=", ".join(missing)))
        address = train_link(run.recipe)
        st.page_link("app_pages/train.py", label=_("Train them"), icon=":material/show_chart:", query_params=address)


def table(
    joint: Joint, depths: Mapping[str, int], apart: Mapping[int, str], label: str, decision: str
) -> Sequence[str]:
    """The lines of a Markdown table."""
    lines = [_("| net | inside the fused net | trained alone |"), "|:--|--:|--:|"]
    for lane, accuracy in joint.alone.items():
        name = _("{name}, {depth} layers").format(name=lane_words(lane), depth=depths[lane])
        lines.append(f"| {name} | {percent(accuracy)} | {apart.get(depths[lane], '–')} |")
    whole = _("{label}, whole").format(label=label)
    lines.append(f"| {whole} | **{percent(joint.fused)}** | |")
    if decision:
        name = _("decision fusion: logits averaged")
        lines.append(f"| {name} | | {decision} |")
    return lines


def verdict(joint: Joint) -> str:
    """One sentence over the base networks and the whole."""
    best = max(joint.alone, key=lambda lane: joint.alone[lane])
    gap = joint.fused - joint.alone[best]
    if gap > 0.02:
        text = _(
            "No base network does it alone: the best of them, {best}, calls {accuracy} right, {gap:.1f} points less "
            "than all together."
        )
    else:
        text = _("Alone, the {best} base network calls {accuracy} right: it hardly needs the others.")
    return text.format(best=lane_words(best), accuracy=percent(joint.alone[best]), gap=100 * gap)
