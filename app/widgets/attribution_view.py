"""Attributions on the page: pictures on one scale that is drawn, and the self-test of each in a card."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from attribution_data import GAP_ALLOWED, Asked, Heat, Parts, Picture, Scale, common_scale

from dfn.figures.attribution import Pixels, enlarged, overlay, strip
from dfn.insight.methods import METHODS
from widgets.view import figure, save
from widgets.words import percent

SIDE = 320
RESIDUAL_ALLOWED = 1e-4


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture: its title, what it is of, the method, its values (h, w) and the image (H, W, C) below them."""

    title: str
    about: str
    method: str
    heat: Heat
    image: Pixels


def bare(image: Pixels, title: str, about: str, alt: str) -> None:
    """The image by itself, every pixel a square."""
    st.markdown(f"**{title}**")
    st.image(enlarged(image, SIDE), width=SIDE, alt=alt, output_format="PNG")
    st.caption(about)


def panel(shown: Panel, scale: Scale) -> None:
    """One picture on the common scale."""
    st.markdown(f"**{shown.title}**")
    coloured = overlay(scale.of(shown.heat), shown.image, scale.end, scale.signed, SIDE)
    st.image(coloured, width=SIDE, alt=in_words(shown, scale), output_format="PNG")
    st.caption(shown.about)


def in_words(shown: Panel, scale: Scale) -> str:
    """What a picture shows, for those who do not see it: range, sum, and where its largest value is."""
    heat = shown.heat
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    return (
        f"{shown.title}, {shown.about}: {heat.shape[0]} by {heat.shape[1]} values from {signed(heat.min())} to "
        f"{signed(heat.max())}, the largest at row {row}, column {column}; their sum is {signed(heat.sum())}. "
        f"Drawn on a scale up to {signed(scale.end)} {scale.unit}."
    )


def scale_strip(scale: Scale) -> None:
    """The scale of all pictures beside each other, with its ends in numbers."""
    low = signed(-scale.end) if scale.signed else "0"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        alt = f"Colour scale from {low} to {signed(scale.end)} {scale.unit}"
        st.image(strip(scale.signed), width=240, alt=alt, output_format="PNG")
        st.caption(f"{signed(scale.end)} {scale.unit}", width="content")


def gap_card(picture: Picture, asked: Asked, name: str = "completeness gap") -> None:
    """The self-test of a picture: do its values add up to the change of what is explained?"""
    gap, change = picture.gap, picture.change
    if gap is None or change is None:
        beside = "Past a block other paths lead, so its values need not add up to the logit."
        none = "This method has no such axiom: its values need not add up to anything."
        figure("none", name, beside if METHODS[asked.method].completeness else none)
        return
    steps = picture.attribution.steps
    after = f" after {int(steps[0])} steps" if steps is not None else ""
    sums = f"The values sum to {signed(picture.total)}; from the baseline {asked.explained} changes by {signed(change)}"
    colour, said = ("green", "Adds up") if gap <= GAP_ALLOWED else ("orange", "More than 1 %")
    figure(f":{colour}[{small_share(gap)}]", name, f"{said}{after}. {sums}; the gap is a share of that.")


def limits(panels: Sequence[Panel]) -> None:
    """What the methods on show say, and what they cannot."""
    for method in dict.fromkeys(panel.method for panel in panels):
        st.markdown(f"**{METHODS[method].title}: what it says, and what it cannot.** {METHODS[method].says}")


def likeness_card(alike: float | None) -> None:
    """How much two pictures have in common."""
    name = "rank correlation of |values|"
    if alike is None:
        figure("none", name, "The two are of different size, so there is nothing to correlate.")
    else:
        figure(
            f"{alike:.2f}".replace("-", "−"),
            name,
            "1: the same places in the same order. 0: nothing in common. Below 0: rather the opposite order.",
        )


def parts(found: Parts, image: Pixels, fusion: str) -> None:
    """Integrated gradients through each block, and the whole, on one scale."""
    titles = [
        ("Through " + ("the gate" if lane == "gate" else f"the {lane} block"), heat)
        for lane, heat in found.parts.items()
    ]
    panels = [
        Panel(title, f"sum {signed(heat.sum())}", "integrated_gradients", heat, image)
        for title, heat in [*titles, ("The whole", found.whole)]
    ]
    scale = common_scale([(shown.method, shown.heat) for shown in panels])
    with st.container(border=True, key="attribution-parts"):
        for column, shown in zip(st.columns(len(panels)), panels, strict=True):
            with column:
                panel(shown, scale)
        scale_strip(scale)
        residual = f"residual {found.residual:.0e} of it"
        fair = found.residual <= RESIDUAL_ALLOWED
        said = f":green[The parts add up to the whole: {residual}.]" if fair else f":orange[They miss it: {residual}.]"
        st.markdown(
            f"{said} Every path takes one block of {fusion}, so the gradient is the sum of the gradients through each. "
            "The parts come from a sweep of our own, the whole from Captum, so that either could be caught."
        )
        save("attribution-parts", f"by block of {fusion}", rows(panels))


def rows(panels: Sequence[Panel]) -> list[list[str | float]]:
    """The values of pictures as a table, the names of its columns first."""
    table: list[list[str | float]] = [["picture", "row", "column", "value"]]
    for shown in panels:
        table += [[shown.title, *at, float(value)] for at, value in np.ndenumerate(shown.heat)]
    return table


def signed(value: float) -> str:
    """`+0.31`, `−2.40`, `+1.2e−05`: a sign and two or three digits."""
    value = float(value)
    text = f"{value:+.2f}" if 0.1 <= abs(value) < 1000 else f"{value:+.2g}"
    return text.replace("-", "−") if value else "0"


def small_share(share: float) -> str:
    """A share as a percentage, and as a power of ten where that would read 0.0 %."""
    if not math.isfinite(share):
        return "–"
    if share >= 1:
        return f"{share:.0%}".replace("%", " %")
    return percent(share) if share >= 0.001 else f"{100 * share:.0e} %".replace("-", "−") if share else "0 %"
