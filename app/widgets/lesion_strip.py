"""Which block matters: a guess first, then one block cut at a time; and what can be measured on demand: the whole dial,
random lesions, the nets trained apart."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import cached
import streamlit as st
from flow_data import companions
from lesion_data import DRAWS, GAINS, judged
from lesion_plan import How, Lesion, Options, options, words
from maps_data import run_with_maps
from runs_data import train_link

from dfn.design.spec import to_json
from dfn.insight.maps import lane_words
from dfn.runs.store import Run
from dfn.words import _, ngettext
from widgets import view
from widgets.words import percent

Judge = tuple[str, int, int]
"""The folder of the run, the epoch, and how many test images are judged."""

MOST_PILLS = 26


def guess(judge: Judge, choice: Options, how: How, before: float) -> None:
    """The question, and after an answer the strip."""
    key = f"lesion-guess-{judge[0][-12:]}"
    st.markdown(_("**Which block hurts most when it alone is cut?** Say first, then see."))
    draw = st.pills if len(choice.blocks) <= MOST_PILLS else st.selectbox
    more: dict[str, Any] = {} if len(choice.blocks) <= MOST_PILLS else {"index": None}
    said = draw(_("Your guess"), choice.blocks, format_func=words, key=key, label_visibility="collapsed", **more)
    if not said and not st.session_state.get(f"{key}-shown"):
        if st.button(_("Show without guessing"), key=f"{key}-show"):
            st.session_state[f"{key}-shown"] = True
            st.rerun()
        return
    text = ngettext("Cutting {count} block, one at a time", "Cutting {count} blocks, one at a time", len(choice.blocks))
    with st.spinner(text.format(count=len(choice.blocks))):
        found = cached.lesion_importance(*judge, how)
    strip(found, choice, before)
    st.markdown(answer(found, before, said))


def strip(found: Mapping[str, float], choice: Options, before: float) -> None:
    """Bars: the accuracy lost by each block, a row for each base network."""
    groups = [
        {
            "label": _("{lane} blocks").format(lane=lane_words(lane)),
            "role": lane,
            "bars": _bars({name: found[name] for name in blocks}, before),
        }
        for lane, blocks in choice.lanes.items()
    ]
    title = {"title": _("Accuracy lost"), "subtitle": _("in points, one block cut at a time"), "unit": _("points")}
    view.show("bars", {**title, "log": False, "groups": groups}, key="lesion-strip")


def answer(found: Mapping[str, float], before: float, said: str | None) -> str:
    """Which block mattered most and least, and where the guess stands."""
    ranked = sorted(found, key=lambda name: found[name])
    most, least = ranked[0], ranked[-1]
    text = _("**{most}** hurts most ({much} points), {least} least ({little}).").format(
        most=words(most),
        much=_points(before - found[most]),
        least=words(least),
        little=_points(before - found[least]),
    )
    if not said:
        return text
    if found[said] == found[most]:
        return _("You said {block}, and so it is. {answer}").format(block=words(said), answer=text)
    return _("You said {block}: it costs {cost} points, place {place} of {count}. {answer}").format(
        block=words(said),
        cost=_points(before - found[said]),
        place=1 + sum(found[name] < found[said] for name in found),
        count=len(found),
        answer=text,
    )


def whole_dial(judge: Judge, lesion: Lesion, choice: Options) -> None:
    """Accuracy over the gain of every base network."""
    lanes = tuple(choice.lanes)
    with st.spinner(_("Turning the dial")):
        found = cached.lesion_gains(*judge, lanes, lesion.dial_at)
    series = [
        {"id": lane, "label": lane_words(lane), "role": lane, "state": "", "markers": True}
        | {"x": list(GAINS), "y": [100 * value for value in found[lane]]}
        for lane in lanes
    ]
    at = lesion.dial_at
    title = _("Accuracy over the dial, at fusion {number}") if at else _("Accuracy over the dial, at all fusions")
    panel = {"id": "dial", "title": title.format(number=at), "unit": "%", "x_label": "g", "x_max": 1}
    panel |= {"epoch_steps": None, "log": False, "y_min": 0, "y_max": 100, "series": series}
    view.show("curves", {"panels": [panel], "height": 260}, key="lesion-gains")
    st.caption(
        _(
            "Test accuracy in percent when what this base network gives is multiplied by g and nothing else is "
            "changed. The net was trained at g = 1. An experiment, not a model of the paper."
        )
    )


def random_cuts(judge: Judge, choice: Options, how: How, before: float, classes: int) -> None:
    """Accuracy over the number of random blocks that are cut at once."""
    from dfn.figures.lesions import random_lesions

    most = len(choice.blocks) - choice.fusions
    counts = sorted({round(most * part / 6) for part in range(1, 7)} - {0})
    draws = {0: [before]}
    bar = st.progress(0.0, text=_("Cutting at random"))
    for done, count in enumerate(counts, start=1):
        draws[count] = cached.lesion_draws(*judge, how, count)
        text = ngettext("Cutting at random, {count} block at once", "Cutting at random, {count} blocks at once", count)
        bar.progress(done / len(counts), text=text.format(count=count))
    bar.empty()
    figure = random_lesions(draws, len(choice.blocks), 1 / classes, st.context.theme.type == "dark")
    means = ", ".join(f"{count}: {percent(sum(values) / len(values))}" for count, values in draws.items())
    alt = _("Mean accuracy by blocks cut: {means}").format(means=means)
    table = [
        [_("blocks cut"), _("test accuracy")],
        *([count, one] for count, values in draws.items() for one in values),
    ]
    view.plotly(figure, "lesion-random", alt, "random lesions", table)
    if choice.fusions:
        text = _(
            "Each dot is one of {draws} draws, the line is their mean. At every fusion one block, drawn as well, is "
            "spared, so that a path is left."
        )
    else:
        text = _("Each dot is one of {draws} draws, the line is their mean.")
    st.caption(text.format(draws=DRAWS))


def beside(run: Run, judge: Judge, how: How) -> None:
    """One block cut at a time in the fused net and in the nets trained with the same data and seed."""
    from dfn.figures.lesions import block_losses

    kind = cached.facts(str(run.folder)).kind
    nets, missing = [(run.recipe.label, kind if kind == "late" else "fused", run, judge[1])], []
    for runner in companions(run.recipe, ("plain deep", "ResNet", "late fusion")):
        if runner.recipe.id == run.id:
            continue
        found = run_with_maps(runner.recipe.id, cached.RECORDED)
        if found is None:
            missing.append(runner.label)
            continue
        at = max((kept for kept in found.run.snapshots() if kept <= judge[1]), default=min(found.run.snapshots()))
        label = (
            runner.label if at == judge[1] else _("{label}, after epoch {epoch}").format(label=runner.label, epoch=at)
        )
        nets.append((label, runner.role, found.run, at))
    images = cached.images_of(run)
    shapes = [cached.costs(to_json(net.recipe.design), images.shape).shapes for _label, _role, net, _at in nets]
    count = min(judged(shape, len(images.test)) for shape in shapes)
    rows, lines = {}, []
    for label, role, net, at in nets:
        own = options(net.recipe.design, images.shape)
        text = ngettext(
            "Cutting {count} block of {label}, one at a time",
            "Cutting {count} blocks of {label}, one at a time",
            len(own.blocks),
        )
        with st.spinner(text.format(count=len(own.blocks), label=label)):
            accuracies = cached.lesion_importance(str(net.folder), at, count, how)
            before = cached.kept(str(net.folder), at, count).effect.accuracy
        blocks = own.lanes["deep"] if role == "resnet" else own.blocks  # its residual branches, not its shortcuts
        losses = {words(name): before - accuracies[name] for name in blocks}
        rows[label] = role, losses
        text = _("**{label}** {points} points of its {accuracy}")
        lines.append(text.format(label=label, points=_points(median(losses.values())), accuracy=percent(before)))
    figure = block_losses(rows, _("One block cut at a time"), st.context.theme.type == "dark")
    said = _("The median loss for one block: {nets}.").format(nets="; ".join(lines))
    table = [[_("net"), _("block"), _("accuracy lost")]]
    table += [[label, block, loss] for label, (_role, losses) in rows.items() for block, loss in losses.items()]
    view.plotly(figure, "lesion-beside", said.replace("*", ""), "one block cut at a time", table)
    st.markdown(said)
    st.caption(
        _(
            "A dot is a block, the bar is the median; on the first {count:,} test images. A plain net's block is "
            "bypassed: where it changes the shape, every second row and column goes on and new channels are zero. Of a "
            "ResNet the residual branches are cut. A net that has learned little has little to lose."
        ).format(count=count)
    )
    if missing:
        st.markdown(_("Not trained with this recipe and seed: **{labels}**.").format(labels=", ".join(missing)))
        address = train_link(run.recipe)
        st.page_link("app_pages/train.py", label=_("Train them"), icon=":material/show_chart:", query_params=address)


def _bars(accuracies: Mapping[str, float], before: float) -> Sequence[dict[str, Any]]:
    return [
        {"label": words(name).rpartition(" ")[2], "value": 100 * (before - value)} for name, value in accuracies.items()
    ]


def _points(loss: float) -> str:
    return f"{100 * loss:.1f}".replace("-", "−")
