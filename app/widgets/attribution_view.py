"""Attributions on the page: pictures on one scale that is drawn, and the self-test of each in a card."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from attribution_data import GAP_ALLOWED, Asked, Heat, Parts, Picture, Scale, common_scale

from dfn.figures.attribution import Pixels, enlarged, overlay, strip
from dfn.insight.methods import METHODS
from dfn.words import _
from widgets.method_choice import spot_words
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
    return _(
        "{title}, {about}: {rows} by {columns} values from {low} to {high}, the largest at row {row}, column {column}; "
        "their sum is {sum}. Drawn on a scale up to {end} {unit}."
    ).format(
        title=shown.title,
        about=shown.about,
        rows=heat.shape[0],
        columns=heat.shape[1],
        low=signed(heat.min()),
        high=signed(heat.max()),
        row=row,
        column=column,
        sum=signed(heat.sum()),
        end=signed(scale.end),
        unit=scale.unit,
    )


def scale_strip(scale: Scale) -> None:
    """The scale of all pictures beside each other, with its ends in numbers."""
    low = signed(-scale.end) if scale.signed else "0"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(low, width="content")
        alt = _("Colour scale from {low} to {high} {unit}").format(low=low, high=signed(scale.end), unit=scale.unit)
        st.image(strip(scale.signed), width=240, alt=alt, output_format="PNG")
        st.caption(f"{signed(scale.end)} {scale.unit}", width="content")


def gap_card(picture: Picture, asked: Asked, name: str) -> None:
    """The self-test of a picture: do its values add up to the change of what is explained?"""
    gap, change = picture.gap, picture.change
    if gap is None or change is None:
        beside = _("Past a block other paths lead, so its values need not add up to the logit.")
        none = _("This method has no such axiom: its values need not add up to anything.")
        figure(_("none"), name, beside if METHODS[asked.method].completeness else none)
        return
    steps, fits = picture.attribution.steps, gap <= GAP_ALLOWED
    if steps is None:
        said = _("Adds up.") if fits else _("More than 1 %.")
    else:
        text = _("Adds up after {steps} steps.") if fits else _("More than 1 % after {steps} steps.")
        said = text.format(steps=int(steps[0]))
    sums = _("The values sum to {sum}; from the baseline {what} changes by {change}; the gap is a share of that.")
    sums = sums.format(sum=signed(picture.total), what=asked.explained, change=signed(change))
    figure(f":{'green' if fits else 'orange'}[{small_share(gap)}]", name, f"{said} {sums}")


def limits(panels: Sequence[Panel]) -> None:
    """What the methods on show say, and what they cannot."""
    for method in dict.fromkeys(panel.method for panel in panels):
        facts = METHODS[method]
        about = _("**{method}: what it says, and what it cannot.**").format(method=_(facts.title))
        st.markdown(f"{about} {_(facts.says)}")


def likeness_card(alike: float | None) -> None:
    """How much two pictures have in common."""
    name = _("rank correlation of |values|")
    if alike is None:
        figure(_("none"), name, _("The two are of different size, so there is nothing to correlate."))
    else:
        figure(
            f"{alike:.2f}".replace("-", "−"),
            name,
            _("1: the same places in the same order. 0: nothing in common. Below 0: rather the opposite order."),
        )


def parts(found: Parts, image: Pixels, fusion: str) -> None:
    """Integrated gradients through each block, and the whole, on one scale."""
    titles = [
        (_("Through the gate") if lane == "gate" else _("Through the {block}").format(block=spot_words(lane)), heat)
        for lane, heat in found.parts.items()
    ]
    panels = [
        Panel(title, _("sum {sum}").format(sum=signed(heat.sum())), "integrated_gradients", heat, image)
        for title, heat in [*titles, (_("The whole"), found.whole)]
    ]
    scale = common_scale([(shown.method, shown.heat) for shown in panels], _("the logit"))
    with st.container(border=True, key="attribution-parts"):
        for column, shown in zip(st.columns(len(panels)), panels, strict=True):
            with column:
                panel(shown, scale)
        scale_strip(scale)
        said = (
            _(":green[The parts add up to the whole: residual {residual} of it.]")
            if found.residual <= RESIDUAL_ALLOWED
            else _(":orange[They miss it: residual {residual} of it.]")
        )
        why = _(
            "Every path takes one block of {fusion}, so the gradient is the sum of the gradients through each. "
            "The parts come from a sweep of our own, the whole from Captum, so that either could be caught."
        )
        st.markdown(f"{said.format(residual=f'{found.residual:.0e}')} {why.format(fusion=fusion)}")
        save("attribution-parts", f"by block of {fusion}", rows(panels))


def rows(panels: Sequence[Panel]) -> list[list[str | float]]:
    """The values of pictures as a table, the names of its columns first."""
    table: list[list[str | float]] = [[_("picture"), _("row"), _("column"), _("value")]]
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
