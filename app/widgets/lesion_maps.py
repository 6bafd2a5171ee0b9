"""What a lesion does to the maps: the same place in the whole net and in the cut one, and what has changed."""

import cached
import streamlit as st
from lesion_plan import Lesion
from picked import Picked

from dfn.insight.maps import places, reach
from dfn.insight.maps_view import encode
from dfn.runs.run import Run
from dfn.words import _
from widgets import selection, view
from widgets.lesion_strip import Judge


def show(run: Run, judge: Judge, lesion: Lesion, picked: Picked) -> None:
    """Three panels on one scale for the chosen fusion: what it hands on before, after, and the difference."""
    found = places(run.recipe.design)
    st.markdown(_("**What it does to the maps**"))
    place = found[selection.fusion(found) - 1]
    before, after = cached.lesion_maps(*judge, lesion, picked, place.names[-1])
    channels, height, width = before.shape[1:]
    panels = [
        {"id": id, "title": title, "role": role, "data": encode(maps)}
        for id, title, role, maps in (
            ("after", _("with the lesion"), "plain", after),
            ("before", _("whole"), "fused", before),
            ("change", _("what has changed"), "plain", after - before),
        )
    ]
    data = {"height": height, "width": width, "channels": channels, "epochs": [judge[1]], "epoch": judge[1]}
    data |= {"panels": panels, "operators": ["−", "="], "arithmetic": None, "scrubber": False, "signed": True}
    limit = reach([before, after])
    view.show("maps", {**data, "scale": "whole", "range": limit, "selected": None}, key=f"lesion-maps-{before.shape}")
    change = abs(after - before).sum() / (abs(before).sum() or 1.0)
    st.caption(
        _(
            "{place}, {image}: the change sums to {change:.0%} of the map, |values| added up. Maps before the first "
            "cut stay as they were."
        ).format(place=place.title, image=picked.name, change=change)
    )
