"""Receptive fields at one place of a net: how many paths have which size, and which pixels count for one value."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from map_measures import Effective

from dfn.figures.attribution import Pixels, overlay, strip
from dfn.insight.maps import Place, Stack, lane_words
from dfn.words import _, ngettext
from widgets import view

if TYPE_CHECKING:
    from dfn.insight.fields import Fields

SIDE = 224
MANY = 1000  # from here on a linear scale would show the commonest sizes alone


def spectrum(place: Place, fields: Mapping[str, "Fields"]) -> None:
    """Bars: the paths by the size of their field, a row for each block and one for what the join makes of them."""
    sizes = {name: fields[name].sizes() for name in place.names}
    every = sorted(set().union(*sizes.values()))
    roles = [*place.lanes, *(["fused" if place.join else "plain"] if place.joined else [])]
    groups = [
        {
            "label": title,
            "role": role,
            "bars": [{"label": str(size), "value": sizes[name].get(size, 0)} for size in every],
        }
        for name, title, role in zip(place.names, titles(place), roles, strict=True)
    ]
    log = max(max(counts.values()) for counts in sizes.values()) > MANY
    title = {"title": _("Paths by what they see"), "subtitle": _("pixels along one side of the receptive field")}
    view.show("bars", {**title, "unit": _("paths"), "log": log, "groups": groups}, key="map-fields")
    total = sum(sizes[place.names[-1]].values())
    scales = len(sizes[place.names[-1]])
    words = ngettext(
        "{count:,} path leads to {place}, with fields of {sizes}.",
        "{count:,} paths lead to {place}, with fields of {sizes}.",
        total,
    )
    seen = _("{count:,} size: one scale") if scales == 1 else _("{count:,} sizes: several scales in one map")
    st.caption(words.format(count=total, place=place.title, sizes=seen.format(count=scales)))


def titles(place: Place) -> list[str]:
    """What the maps of a place are called."""
    lanes = [
        _("{lane} block").format(lane=lane_words(lane))
        if place.joined
        else _("{name} net").format(name=lane_words(lane))
        for lane in place.lanes
    ]
    return [*lanes, *([_("joined") if place.join else place.title] if place.joined else [])]


def greatest(stack: Stack) -> dict[str, int]:
    """The channel, row and column of the greatest |value| of a map (channels, rows, columns)."""
    sizes = np.nan_to_num(np.abs(stack))
    return dict(zip(("channel", "row", "col"), map(int, np.unravel_index(sizes.argmax(), sizes.shape)), strict=True))


def effective(
    place: Place, found: Mapping[str, Effective], image: Pixels, spot: Mapping[str, int], pinned: bool, epoch: int
) -> None:
    """Which pixels count for the value at `spot`, for each of the maps that have it, on one scale."""
    words = _("channel {channel}, row {row}, column {column}")
    where = words.format(channel=spot["channel"], row=spot["row"], column=spot["col"])
    own = _("**Which pixels count for one value.** The pinned value: **{where}**.")
    other = _("**Which pixels count for one value.** No value is pinned, so the greatest one: **{where}**.")
    st.markdown((own if pinned else other).format(where=where))
    reach = max(float(field.values.max()) for field in found.values())
    named = [(title, found[name]) for name, title in zip(place.names, titles(place), strict=True) if name in found]
    for column, (title, field) in zip(st.columns(max(3, len(named))), named, strict=False):
        with column:
            st.markdown(f"**{title}**")
            picture = overlay(field.values, image, reach, False, SIDE)
            st.image(picture, width=picture.shape[1], alt=_in_words(title, where, field), output_format="PNG")
            st.caption(_said(field))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("0", width="content")
        st.image(
            strip(False),
            width=200,
            alt=_("Colour scale from 0 to {reach:.2g}").format(reach=reach),
            output_format="PNG",
        )
        per_pixel = _("{reach:.2g}, |change of the value per change of the pixel|")
        st.caption(per_pixel.format(reach=reach), width="content")
    st.caption(
        _(
            "The effective field after epoch {epoch}: the gradient of that one value with respect to every pixel of "
            "this image, its size averaged over the colours. It says how the value answers to small changes of this "
            "image, not of others; far less counts than could be seen (arXiv 1701.04128)."
        ).format(epoch=epoch)
    )


def _said(field: Effective) -> str:
    if field.half is None:
        return _("Nothing: the ReLU left this value at zero, and no small change of the image moves it.")
    return _("Half of it lies within {side} × {side} pixels.").format(side=field.half)


def _in_words(title: str, where: str, field: Effective) -> str:
    values = field.values
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    words = _("{title}, {where}: gradient by pixel, up to {most:.2g} at row {row}, column {column}. {said}")
    return words.format(title=title, where=where, most=values.max(), row=row, column=column, said=_said(field))


def reachable(place: Place, stacks: Mapping[str, Stack], at: int, spot: Mapping[str, int]) -> Sequence[str]:
    """The maps of a place that have this channel: after a concat every block has fewer than the joined map."""
    return [name for name in place.names if spot["channel"] < stacks[name][at].shape[0]]
