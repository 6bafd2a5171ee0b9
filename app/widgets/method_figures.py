"""What the drawing of a net does not show of a method: its loss over the training, the branches that a step drops, the
variance of every layer at the start, and the weights that its joins have learned."""

import cached
import method_data
import streamlit as st
from method_data import IMAGES, STEPS

from dfn.data.info import DataInfo
from dfn.figures import drop_path, loss_weights, start
from dfn.insight.maps import lane_words
from dfn.runs.store import Store
from dfn.training.comparisons import Method
from dfn.training.recipe import Recipe
from dfn.words import _
from widgets import view

_TERMS = {
    "the net's own loss": "plain",
    "the classes": "plain",
    "each companion": "extra1",
    "the hint": "extra2",
    "the teacher's answers": "shallow",
}


def show(method: Method, recipe: Recipe, fused: Recipe, size: str, info: DataInfo) -> None:
    """Every figure that this method has something to show in."""
    dark = st.context.theme.type == "dark"
    if lines := method_data.loss_weights(recipe):
        _loss(method, lines, dark)
    if method_data.drops_paths(recipe.design):
        _kept(method, recipe, info, dark)
    if method_data.begins_otherwise(recipe, fused):
        _start(method, size, info, dark)
    if method_data.LEARNED & method_data.joins(recipe.design):
        _learned(method, recipe, dark)


def _loss(method: Method, lines: method_data.Lines, dark: bool) -> None:
    terms = {_(name): (_TERMS[name], *line) for name, line in lines.items()}
    rows = [[_(name), *point] for name, line in lines.items() for point in zip(*line, strict=True)]
    view.plotly(
        loss_weights.loss_weights(terms, dark),
        "card-loss",
        loss_weights.loss_weights_alt(terms),
        f"{method.name} loss",
        [[_("term"), _("steps done"), _("weight")], *rows],
    )


def _kept(method: Method, recipe: Recipe, info: DataInfo, dark: bool) -> None:
    kept = method_data.kept_branches(recipe.design, cached.calibration(info.name, None, None, None)[0])
    rows = [
        [fusion, lane_words(lane), *map(int, stays)] for fusion, lanes in kept.items() for lane, stays in lanes.items()
    ]
    place = _("step {step}, image {image}")
    places = [place.format(step=step, image=n) for step in range(1, STEPS + 1) for n in range(1, IMAGES + 1)]
    view.plotly(
        drop_path.kept_branches(kept, IMAGES, dark),
        "card-kept",
        drop_path.kept_branches_alt(kept, IMAGES),
        f"{method.name} kept",
        [[_("fusion"), _("branch"), *places], *rows],
    )
    st.caption(_("Drawn by the net itself, for the same images in every step. At a test nothing is dropped."))


def _start(method: Method, size: str, info: DataInfo, dark: bool) -> None:
    every = cached.start_variances(size, info.name)
    lines = {_("the fused net: He start, batch norm"): every["fused"], method.title: every[method.name]}
    values = [value for line in every.values() for value in line.values() if value > 0]
    rows = [[name, layer, value] for name, line in lines.items() for layer, value in line.items()]
    view.plotly(
        start.layer_variances(lines, dark, (min(values), max(values))),
        "card-start",
        start.layer_variances_alt(lines),
        f"{method.name} start",
        [[_("start"), _("layer"), _("variance")], *rows],
    )
    st.caption(
        _(
            "Measured on this net before its first step, over a batch of training images, in front of every norm. The "
            "axis is the same on the cards of all starts and norms."
        )
    )


def _learned(method: Method, recipe: Recipe, dark: bool) -> None:
    store = Store()
    run = method_data.learned_run(cached.run_index(store.root).entries(), recipe, store.root)
    if run is None:
        st.info(
            _(
                "How its joins weigh their branches is learned. **Train it beside the fused net**, and the weights of "
                "the newest run are drawn here."
            ),
            icon=":material/balance:",
        )
        return
    epoch = max(run.snapshots())
    weights = cached.learned_weights(str(run.folder), epoch)
    rows = [[fusion, lane_words(lane), weight] for fusion, lanes in weights.items() for lane, weight in lanes.items()]
    view.plotly(
        start.branch_weights(weights, dark),
        "card-weights",
        start.branch_weights_alt(weights),
        f"{method.name} weights",
        [[_("fusion"), _("branch"), _("weight")], *rows],
    )
    text = _("Learned in the run {name} ({id}), after epoch {epoch}; the mean over test images.")
    st.caption(text.format(name=run.name, id=run.id[:4], epoch=epoch))
