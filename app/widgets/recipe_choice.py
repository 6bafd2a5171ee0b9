"""How to train: preset, epochs, images, seed, and who races."""

from dataclasses import dataclass
from random import randrange
from typing import Any

import lock
import race
import streamlit as st

from dfn.data.info import DataInfo
from dfn.words import _
from widgets import training_choice


@dataclass(frozen=True)
class Plan:
    """The settings that all nets of the race share, and which rivals run."""

    settings: dict[str, Any]
    rivals: tuple[str, ...]


def show(info: DataInfo) -> Plan:
    """The controls of a training, in the side bar."""
    settings = training_choice.show(info) | {"seed": _seed()}
    rivals = st.pills(
        _("In the race, beside the fused net"),
        race.RIVALS,
        selection_mode="multi",
        default=race.USUAL,
        key="rivals",
        disabled=lock.on("rivals"),
        bind="query-params",
        help=_(
            "The same data in the same order from the same seed. The shallow base, ResNet, late and decision fusion "
            "are the honest controls."
        ),
    )
    further = st.multiselect(
        _("Further methods"),
        list(race.FURTHER.values()),
        key="methods",
        disabled=lock.on("methods"),
        bind="query-params",
        placeholder=_("type to search"),
        help=_("Every other method of `dfn methods`. A net that learns from a teacher enters that one too and waits."),
    )
    settings |= _regularisers()
    return Plan(settings, (*rivals, *(title for title, listed in race.FURTHER.items() if listed in further)))


def _regularisers() -> dict[str, Any]:
    """Switches of the recipe that hold for every net of the race."""
    with st.expander(_("Regularisers"), icon=":material/tune:"):
        decay = st.toggle(
            _("Weight decay"),
            value=True,
            key="decay",
            disabled=lock.on("decay"),
            bind="query-params",
            help=_("Pulls all weights to zero, by 1e-4 of each."),
        )
        path_sgd = st.toggle(
            "Path-SGD",
            key="path-sgd",
            disabled=lock.on("path-sgd"),
            bind="query-params",
            help=_(
                "Divides every gradient by what its weight adds to the sum over all paths. For the joins sum, mean "
                "and concat; behind a batch norm it is a heuristic."
            ),
        )
        patience = st.number_input(
            _("Patience"),
            min_value=1,
            max_value=10_000,
            value=None,
            placeholder=_("train to the end"),
            key="patience",
            disabled=lock.on("patience"),
            bind="query-params",
            help=_("Epochs without a lower loss on held-out training images, after which training stops."),
        )
    chosen: dict[str, Any] = {} if decay else {"weight_decay": 0.0}
    if path_sgd:
        chosen["path_sgd"] = True
    if patience:
        chosen["patience"] = min(max(int(patience), 1), 10_000)
    return chosen


def _seed() -> int:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = seed(left)
    right.button(
        _("New"),
        key="new-seed",
        on_click=_new_seed,
        width="stretch",
        help=_("Another seed: another experiment."),
        disabled=lock.on("seed"),
    )
    return chosen


def seed(where: Any) -> int:
    """The seed, as a number in a column or the page."""
    value = where.number_input(
        _("Seed"),
        min_value=0,
        max_value=2**31 - 1,
        value=0,
        key="seed",
        disabled=lock.on("seed"),
        bind="query-params",
        help=_("Decides the first weights and the order of the images. The same seed gives the same curve."),
    )
    return min(max(int(value or 0), 0), 2**31 - 1)


def _new_seed() -> None:
    st.session_state["seed"] = randrange(1, 10_000)
