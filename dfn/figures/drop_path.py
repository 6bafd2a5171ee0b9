"""Which branches training with drop-path keeps, as a still figure."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _

ROW = 17

Kept = Mapping[str, Mapping[str, Sequence[bool]]]


def kept_branches(kept: Kept, images: int, dark: bool = False) -> go.Figure:
    """A row a branch, a column an image, `images` to a step of training: a full square where the branch stays, an empty
    one where it is dropped."""
    colours = palette(dark)
    figure = go.Figure()
    rows, places = [], 0
    said = _("step {step}, image {image}: kept"), _("step {step}, image {image}: dropped")
    for fusion, branches in kept.items():
        for branch, stays in branches.items():
            rows.append(f"{fusion}/{branch}")
            places = len(stays)
            figure.add_scatter(
                x=[place + place // images for place in range(places)],
                y=[rows[-1]] * places,
                mode="markers",
                marker={
                    "color": colours[branch],
                    "size": 11,
                    "symbol": ["square" if stay else "square-open" for stay in stays],
                    "opacity": [1.0 if stay else 0.45 for stay in stays],
                },
                customdata=[
                    said[not stay].format(step=place // images + 1, image=place % images + 1)
                    for place, stay in enumerate(stays)
                ],
                hovertemplate=f"{rows[-1]}, %{{customdata}}<extra></extra>",
            )
    steps = range(places // images)
    figure.update_xaxes(
        tickvals=[step * (images + 1) + (images - 1) / 2 for step in steps],
        ticktext=[_("step {step}, {images} images").format(step=step + 1, images=images) for step in steps],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(categoryorder="array", categoryarray=rows[::-1], showgrid=False)
    return figure.update_layout(
        frame(colours, _("What steps of training keep")),
        height=110 + ROW * len(rows),
        margin={"l": 130, "r": 20, "t": 40, "b": 40},
        showlegend=False,
    )


def kept_branches_alt(kept: Kept, images: int) -> str:
    """What the figure shows, in words."""
    rows = [stays for branches in kept.values() for stays in branches.values()]
    places, stay = len(rows[0]), sum(map(sum, rows))
    whole = sum(all(stays[place] for stays in rows) for place in range(places))
    return _(
        "{branches} branches in {steps} steps of training with {images} images each: {kept} of {squares} squares are "
        "kept, at least one at every fusion; {whole} times an image sees the whole net."
    ).format(
        branches=len(rows),
        steps=places // images,
        images=images,
        kept=stay,
        squares=len(rows) * places,
        whole=whole,
    )
