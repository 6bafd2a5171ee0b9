"""The scores beside a picture, on demand: each can show it wrong, none proves it right."""

from typing import TYPE_CHECKING

import attribution_scores as scores
import streamlit as st
from attribution_data import INPUT, Asked, Picture

from dfn.figures.attribution import hit_rates, likeness, pixel_curves
from dfn.insight.methods import METHODS, Unit
from dfn.words import _, ngettext
from widgets import attribution_work as work
from widgets.view import figure, plotly
from widgets.words import percent

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.models.build import FusedNet


def show(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    """An expander; what it holds is computed when it is opened."""
    box = st.expander(
        _("Does the picture hold? Scores"), icon=":material/rule:", key="attribution-scores", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        st.caption(_("What takes longer than a second shows how far it is and can be stopped. What was found is kept."))
        if isinstance(asked.target, Unit):
            st.caption(
                _("Infidelity, sensitivity, the pixel curves and the pointing game are for the logit of a class.")
            )
            _randomised(net, images, asked)
            return
        if asked.at == INPUT:
            _numbers(net, images, asked, picture)
            _curves(net, images, asked, picture)
        else:
            st.caption(_("Infidelity, sensitivity and the pixel curves are for pictures of the image."))
        _randomised(net, images, asked)
        _pointing(net, images, asked)


def _numbers(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    left, right = st.columns(2)
    with left:
        if METHODS[asked.method].values == "relevance":
            none = _("This method's values claim no amount of the logit that could be tested.")
            figure(_("none"), _("infidelity"), none)
        else:
            found = work.answer("infidelity", asked, lambda tell: scores.infidelity(net, images, asked, picture), "")
            about = _(
                "Squared error, in units of the logit, of what the picture predicts when a tenth of the pixels go. 0 "
                "is perfect. Mean over 32 draws, best scaling (arXiv 1901.09392)."
            )
            figure(f"{found:.3g}", _("infidelity"), about)
    with right:
        said = _("Sensitivity: the image changed a little, again and again")
        found = work.answer(
            "sensitivity", asked, lambda tell: scores.sensitivity(net, images, asked, picture, tell), said
        )
        if found is not None:
            about = _(
                "Largest change of the picture, as a share of it, over {draws} changes of the image by up to 0.02 in "
                "every pixel. Small is calm (arXiv 1901.09392)."
            )
            figure(f"{found:.3g}", _("sensitivity"), about.format(draws=scores.DRAWS))


def _curves(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> None:
    found = work.answer("curves", asked, lambda tell: scores.pixel_curves(net, images, asked, picture), "")
    if found is None:
        return
    shares, curves = found
    lost, gained = (area for _probability, area in curves.values())
    st.markdown(
        _("**Deletion and insertion**: the most important pixels go to the mean colour, or come into an empty image.")
    )
    plotly(
        pixel_curves(shares, curves, st.context.theme.type == "dark"),
        "pixel-curves",
        _(
            "Probability of the class by share of pixels. Area under deletion {lost:.2f}, insertion {gained:.2f}."
        ).format(lost=lost, gained=gained),
        f"deletion and insertion {asked.method} {asked.image.file}",
        [
            [_("share of the pixels"), *map(_, curves)],
            *zip(shares, *(values for values, _area in curves.values()), strict=True),
        ],
    )
    st.caption(_("A small area is good for deletion, a large one for insertion (arXiv 1806.07421)."))


def _randomised(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    said = _("Randomisation: one place after the other is shuffled")
    found = work.answer("randomised", asked, lambda tell: scores.randomised(net, images, asked, tell), said)
    if found is None:
        return
    last = list(found.values())[-1]
    st.markdown(_("**Randomisation**: does the picture depend on the weights at all?"))
    plotly(
        likeness(found, st.context.theme.type == "dark"),
        "likeness",
        _("Rank correlation with the picture of the net as it is; {last:.2f} when all weights are shuffled.").format(
            last=last
        ),
        f"randomisation {asked.method} {asked.image.file}",
        [[_("shuffled so far"), _("rank correlation")], *found.items()],
    )
    st.caption(
        _(
            "With all weights shuffled the rank correlation of |values| is {last:.2f}. A method that stays near 1 does "
            "not explain the weights (arXiv 1810.03292)."
        ).format(last=last)
    )


def _pointing(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    if images.test.masks is None:
        st.caption(_("The pointing game needs images whose object is known: train a net on the data set “scales”."))
        return
    said = _("Pointing game")
    found = work.answer("pointing", asked, lambda tell: scores.pointing(net, images, asked, tell), said)
    if found is None:
        return
    rate, chance, count = found
    about = ngettext(
        "Of the first {count} test image so many have the largest value for their true class on the object. A pixel "
        "drawn at random would hit in {chance} (arXiv 1608.00507).",
        "Of the first {count} test images so many have the largest value for their true class on the object. A pixel "
        "drawn at random would hit in {chance} (arXiv 1608.00507).",
        count,
    )
    figure(percent(rate), _("pointing game: hits"), about.format(count=count, chance=percent(chance)))
    if st.toggle(_("All methods in the pointing game"), key="attribution-hits"):
        _hit_rates(net, images, asked)


def _hit_rates(net: "FusedNet", images: "Dataset", asked: Asked) -> None:
    found = work.answer(
        "hits", asked, lambda tell: scores.hit_rates(net, images, asked, tell), _("Pointing game of all methods")
    )
    if found is None:
        return
    rates, chance, count = found
    named = {_(METHODS[method].title): rate for method, rate in rates.items()}
    said = "; ".join(f"{title} {percent(rate)}" for title, rate in named.items())
    plotly(
        hit_rates(named, chance, st.context.theme.type == "dark"),
        "hit-rates",
        _("Hits in the pointing game: {hits}; a random pixel {chance}.").format(hits=said, chance=percent(chance)),
        f"pointing game {asked.at}",
        [[_("method"), _("hit rate"), _("chance")], *([title, rate, chance] for title, rate in named.items())],
    )
    st.caption(
        ngettext(
            "{count} test image, each explained for its true class; integration with 50 steps. The standard error of a "
            "rate over so few images is up to {error:.0f} points (arXiv 1608.00507).",
            "{count} test images, each explained for its true class; integration with 50 steps. The standard error of "
            "a rate over so few images is up to {error:.0f} points (arXiv 1608.00507).",
            count,
        ).format(count=count, error=50 / count**0.5)
    )
