"""The scores beside a picture, on demand: each can show it wrong, none proves it right."""

from typing import TYPE_CHECKING

import attribution_scores as scores
import streamlit as st
from attribution_data import INPUT, Asked, Picture

from dfn.figures.attribution import hit_rates, likeness, pixel_curves
from dfn.insight.methods import METHODS, Unit
from widgets import attribution_work as work
from widgets.view import figure, plotly
from widgets.words import percent, plural

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.models.build import FusedNet


def show(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    """An expander; what it holds is computed when it is opened."""
    box = st.expander(
        "Does the picture hold? Scores", icon=":material/rule:", key="attribution-scores", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        st.caption("What takes longer than a second shows how far it is and can be stopped. What was found is kept.")
        if isinstance(asked.target, Unit):
            st.caption("Infidelity, sensitivity, the pixel curves and the pointing game are for the logit of a class.")
            _randomised(net, images, asked)
            return
        if asked.at == INPUT:
            _numbers(net, images, asked, picture)
            _curves(net, images, asked, picture)
        else:
            st.caption("Infidelity, sensitivity and the pixel curves are for pictures of the image.")
        _randomised(net, images, asked)
        _pointing(net, images, asked)


def _numbers(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    left, right = st.columns(2)
    with left:
        if METHODS[asked.method].values == "relevance":
            figure("none", "infidelity", "This method's values claim no amount of the logit that could be tested.")
        else:
            found = work.answer("infidelity", asked, lambda tell: scores.infidelity(net, images, asked, picture), "")
            about = (
                "Squared error, in units of the logit, of what the picture predicts when a tenth of the pixels go. 0 "
            )
            figure(
                f"{found:.3g}", "infidelity", about + "is perfect. Mean over 32 draws, best scaling (arXiv 1901.09392)."
            )
    with right:
        said = "Sensitivity: the image changed a little, again and again"
        found = work.answer(
            "sensitivity", asked, lambda tell: scores.sensitivity(net, images, asked, picture, tell), said
        )
        if found is not None:
            about = f"Largest change of the picture, as a share of it, over {scores.DRAWS} changes of the image by"
            figure(
                f"{found:.3g}", "sensitivity", f"{about} up to 0.02 in every pixel. Small is calm (arXiv 1901.09392)."
            )


def _curves(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    found = work.answer("curves", asked, lambda tell: scores.pixel_curves(net, images, asked, picture), "")
    if found is None:
        return
    shares, curves = found
    (_, lost), (_, gained) = curves["deletion"], curves["insertion"]
    st.markdown(
        "**Deletion and insertion**: the most important pixels go to the mean colour, or come into an empty image."
    )
    plotly(
        pixel_curves(shares, curves, st.context.theme.type == "dark"),
        "pixel-curves",
        f"Probability of the class by share of pixels. Area under deletion {lost:.2f}, insertion {gained:.2f}.",
        f"deletion and insertion {asked.method} image {asked.image}",
        [["share of the pixels", *curves], *zip(shares, *(values for values, _ in curves.values()), strict=True)],
    )
    st.caption("A small area is good for deletion, a large one for insertion (arXiv 1806.07421).")


def _randomised(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    said = "Randomisation: one place after the other is shuffled"
    found = work.answer("randomised", asked, lambda tell: scores.randomised(net, images, asked, tell), said)
    if found is None:
        return
    last = list(found.values())[-1]
    st.markdown("**Randomisation**: does the picture depend on the weights at all?")
    plotly(
        likeness(found, st.context.theme.type == "dark"),
        "likeness",
        f"Rank correlation with the picture of the net as it is; {last:.2f} when all weights are shuffled.",
        f"randomisation {asked.method} image {asked.image}",
        [["shuffled so far", "rank correlation"], *found.items()],
    )
    st.caption(
        f"With all weights shuffled the rank correlation of |values| is {last:.2f}. A method that stays near 1 does "
        "not explain the weights (arXiv 1810.03292)."
    )


def _pointing(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    if images.test.masks is None:
        st.caption("The pointing game needs images whose object is known: train a net on the data set “scales”.")
        return
    said = "Pointing game"
    found = work.answer("pointing", asked, lambda tell: scores.pointing(net, images, asked, tell), said)
    if found is None:
        return
    rate, chance, count = found
    about = (
        f"Of the first {plural(count, 'test image')} so many have the largest value for their true class on the "
        f"object. A pixel drawn at random would hit in {percent(chance)} (arXiv 1608.00507)."
    )
    figure(percent(rate), "pointing game: hits", about)
    if st.toggle("All methods in the pointing game", key="attribution-hits"):
        _hit_rates(net, images, asked)


def _hit_rates(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    found = work.answer(
        "hits", asked, lambda tell: scores.hit_rates(net, images, asked, tell), "Pointing game of all methods"
    )
    if found is None:
        return
    rates, chance, count = found
    named = {METHODS[method].title: rate for method, rate in rates.items()}
    said = "; ".join(f"{title} {percent(rate)}" for title, rate in named.items())
    plotly(
        hit_rates(named, chance, st.context.theme.type == "dark"),
        "hit-rates",
        f"Hits in the pointing game: {said}; a random pixel {percent(chance)}.",
        f"pointing game {asked.at}",
        [["method", "hit rate", "chance"], *([title, rate, chance] for title, rate in named.items())],
    )
    st.caption(
        f"{plural(count, 'test image')}, each explained for its true class; integration with 50 steps. The standard "
        f"error of a rate over so few images is up to {50 / count**0.5:.0f} points (arXiv 1608.00507)."
    )
