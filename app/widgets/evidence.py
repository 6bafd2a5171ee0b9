"""How the stages of a net respond to coarse and to fine evidence, for runs on `scales`, where both are known."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cached
import streamlit as st
from evidence_data import SCENES, drawn, in_words, rows, stages
from maps_data import runs_with_maps

from dfn.data.info import SCALES_SHAPES, SCALES_TEXTURES
from dfn.runs.run import Run
from dfn.words import _
from widgets.view import plotly
from widgets.words import percent

if TYPE_CHECKING:
    from dfn.figures.evidence import Line
    from dfn.insight.evidence import Evidence

DATA = "scales"
TRAIN = {"data": DATA, "deep": "14", "shallow": "8", "fusions": "6", "width": "8", "epochs": "10"}


def show(run: Run, epoch: int) -> None:
    """An expander for a run on `scales`, computed when it is opened; else the way to such a run."""
    if run.recipe.data != DATA:
        _elsewhere()
        return
    box = st.expander(
        _("Coarse and fine evidence, place by place"),
        icon=":material/layers:",
        key="evidence",
        on_change="rerun",
    )
    if not box.open:
        return
    from dfn.figures.evidence import evidence

    with box, st.spinner(_("Showing the net every scene in all its versions")):
        found = cached.evidence(str(run.folder), epoch)
        design = run.recipe.design
        order, lines = drawn(design, found)
        bands = stages(design, cached.image_shape(run.recipe), order)
        st.markdown(verdict(found, lines))
        plotly(
            evidence(lines, order, bands, st.context.theme.type == "dark"),
            "evidence-figure",
            alt=in_words(lines),
            name=f"evidence-{run.recipe.label}-epoch-{epoch}",
            rows=rows(lines),
        )
        st.caption(
            _(
                "{scenes} scenes, each painted with every one of {shapes} shapes and {textures} textures of its object "
                "while place, size, colours, clutter and noise stay: of all that changes in a map over these images, "
                "the share that goes with the shape alone, with the texture alone, and only with both together. The "
                "rest differs from scene to scene; all four make 100 % (analysis of variance, exact because every "
                "scene has every version)."
            ).format(scenes=SCENES, shapes=len(SCALES_SHAPES), textures=len(SCALES_TEXTURES))
        )


def verdict(found: "Mapping[str, Evidence]", lines: "Mapping[str, Line]") -> str:
    """Where the coarse and the fine evidence comes out, made from the numbers."""
    image, logits = found["image"], found["logits"]
    text = _(
        "In the image the shape makes **{shape}** of the variance and the texture **{texture}**; in the logits it is "
        "**{shape_at_end}** and **{texture_at_end}**, and {both} goes only with both together, as the classes do."
    ).format(
        shape=percent(image.coarse),
        texture=percent(image.fine),
        shape_at_end=percent(logits.coarse),
        texture_at_end=percent(logits.fine),
        both=percent(logits.both),
    )
    blocks = {name: line for name, line in lines.items() if line[0] not in ("fused", "plain")}
    if not blocks:
        return text
    peaks = {}
    for factor in ("coarse", "fine"):
        best, where, name = max(
            (share, at, name)
            for name, (_role, places, shares) in blocks.items()
            for at, share in zip(places, shares[factor], strict=True)
        )
        peaks |= {factor: name, f"{factor}_at": where, f"{factor}_share": percent(best)}
    more = _(
        "Of all blocks, coarse evidence peaks in the {coarse} of fusion {coarse_at} ({coarse_share}) and fine evidence "
        "peaks in the {fine} of fusion {fine_at} ({fine_share})."
    )
    return f"{text} {more.format(**peaks)}"


def _elsewhere() -> None:
    st.markdown(
        _(
            "**Coarse or fine?** How the stages respond to either is measured where the truth is known: on the set "
            "“scales”, whose classes are pairs of a coarse shape and a fine texture."
        )
    )
    runs = runs_with_maps(cached.RECORDED)
    there = next((id for id, shown in runs.items() if cached.facts(str(shown.run.folder)).data == DATA), None)
    if there:
        st.page_link(
            "app_pages/maps.py",
            label=_("See it in a run on scales"),
            icon=":material/grid_view:",
            query_params={"run": there},
        )
    else:
        st.page_link(
            "app_pages/train.py",
            label=_("Train a small net on scales: it takes a minute or two"),
            icon=":material/show_chart:",
            query_params=TRAIN,
        )
