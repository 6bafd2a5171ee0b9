"""Who is compared, over how many seeds, and on what terms. Every choice is part of the page's address."""

from dataclasses import dataclass

import lock
import race
import streamlit as st

from dfn.referee.budget import BUDGETS, Budget
from dfn.referee.contenders import USUAL
from dfn.training.comparisons import methods
from dfn.words import N_, _
from widgets import link_choice

MOST_SEEDS = 10

_BUDGET_HELP = N_("""
- **epochs**: every net sees every image equally often
- **parameters**: the widths of the others are searched for the nearest number
- **multiply-adds**: the others' epochs are scaled, so that the whole trainings cost the same
- **seconds**: the others' epochs are scaled by a pace that is measured first, in a short training of each
""")
_TITLES: dict[Budget, str] = {
    "epochs": N_("epochs"),
    "parameters": N_("parameters"),
    "macs": N_("multiply-adds"),
    "seconds": N_("seconds"),
}
"""The budgets as the address names them."""


@dataclass(frozen=True)
class Terms:
    """The names of the methods, the fused net first; the number of seeds, from 0 on; and what is equal for all."""

    names: tuple[str, ...]
    seeds: int
    budget: Budget


def show() -> Terms:
    """The controls, on the page."""
    others = {listed: name for name, listed in race.LISTED.items()}
    ticked = st.multiselect(
        _("Beside the fused net"),
        list(others),
        default=[listed for listed, name in others.items() if name in USUAL],
        key="against",
        disabled=lock.on("against"),
        bind="query-params",
        placeholder=_("type to search"),
        help=_(
            "The controls first, then every other method of `dfn methods`, one family after another. What each is "
            "stands on the Methods page."
        ),
    )
    left, right = st.columns([1, 3])
    seeds = left.number_input(
        _("Seeds"),
        min_value=1,
        max_value=MOST_SEEDS,
        value=3,
        key="seeds",
        disabled=lock.on("seeds"),
        bind="query-params",
        help=_(
            "Each seed gives other first weights and another order of the images, the same for every net. One seed "
            "says nothing about chance."
        ),
    )
    titles: dict[str, Budget] = {_TITLES[budget]: budget for budget in BUDGETS}
    title = link_choice.show(
        right.pills,
        _("Equal for all"),
        list(titles),
        "equal",
        _TITLES["epochs"],
        lambda title: _(title),
        help=_(_BUDGET_HELP),
        required=True,
    )
    names = [others[listed] for listed in ticked if listed in others]
    seeds = min(max(int(seeds or 1), 1), MOST_SEEDS)
    return Terms(("fused", *sorted(names, key=list(methods()).index)), seeds, titles[title])
