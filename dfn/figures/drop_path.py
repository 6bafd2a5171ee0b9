"""Which branches a step of training with drop-path keeps, as a still figure."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dfn.figures.theme import palette

ROW = 17


def kept_branches(kept: Mapping[str, Mapping[str, Sequence[bool]]], dark: bool = False) -> go.Figure:
    """A row a branch, a column an image: a full square where the branch stays, an empty one where it is dropped."""
    colours = palette(dark)
    figure = go.Figure()
    rows = []
    for fusion, branches in kept.items():
        for branch, stays in branches.items():
            rows.append(f"{fusion}/{branch}")
            figure.add_scatter(
                x=list(range(1, len(stays) + 1)),
                y=[rows[-1]] * len(stays),
                mode="markers",
                marker={
                    "color": colours[branch],
                    "size": 11,
                    "symbol": ["square" if stay else "square-open" for stay in stays],
                    "opacity": [1.0 if stay else 0.45 for stay in stays],
                },
                customdata=["kept" if stay else "dropped" for stay in stays],
                hovertemplate=f"image %{{x}}, {rows[-1]}: %{{customdata}}<extra></extra>",
            )
    images = max(len(trace.x) for trace in figure.data)  # pyright: ignore[reportAttributeAccessIssue]
    figure.update_xaxes(title="image of the step", dtick=1, range=[0.4, images + 0.6], showgrid=False, zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=rows[::-1], showgrid=False)
    return figure.update_layout(
        title={"text": "What one step of training keeps", "font": {"size": 14}},
        height=110 + ROW * len(rows),
        margin={"l": 130, "r": 20, "t": 40, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": colours["text"]},
        showlegend=False,
    )


def kept_branches_alt(kept: Mapping[str, Mapping[str, Sequence[bool]]]) -> str:
    """What the figure shows, in words."""
    rows = [stays for branches in kept.values() for stays in branches.values()]
    images, stay = len(rows[0]), sum(map(sum, rows))
    whole = sum(all(stays[image] for stays in rows) for image in range(images))
    return (
        f"{len(rows)} branches by {images} images of one step of training: {stay} of {len(rows) * images} places are "
        f"kept, at least one at every fusion; {whole} of the images see the whole net."
    )
