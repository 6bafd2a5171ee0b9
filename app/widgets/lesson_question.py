"""The question of a step: a choice with feedback, or a prediction that is set beside the measurement afterwards."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import cached
import lesson_measures
import streamlit as st

from dfn.lessons.conditions import MEASURES, term
from dfn.lessons.lesson import Choice, Curve, Number, Pick, Question
from dfn.words import _
from widgets import view


def show(question: Question, key: str, state: dict[str, Any]) -> str:
    """Draw the question; `answered` or `predicted` once that was done, else nothing. `key` is the step's own."""
    slot = f"lesson-answer-{key}"
    match question:
        case Choice():
            return _choice(question, slot)
        case Number():
            done = _number(question, slot, state)
        case Pick():
            done = _pick(question, slot, state)
        case Curve():
            done = _curve(question, slot)
    if not done:
        return ""
    st.markdown(question.explain)
    return "predicted"


def _choice(question: Choice, slot: str) -> str:
    texts = [answer.text for answer in question.answers]
    said = st.session_state.get(slot)
    given = st.radio(question.ask, range(len(texts)), said, lambda at: texts[at], key=f"{slot}-radio")
    if given is None:
        return ""
    st.session_state[slot] = given
    answer = question.answers[given]
    (st.success if answer.right else st.info)(answer.feedback, icon=None)
    return "answered"


def _number(question: Number, slot: str, state: dict[str, Any]) -> bool:
    about = MEASURES[question.term.measure] if question.term.measure else None
    unit = _(about.unit) if about else ""
    if slot not in st.session_state:
        said = st.number_input(
            f"{question.ask} ({unit})" if unit else question.ask,
            question.low,
            question.high,
            value=None,
            step=(question.high - question.low) / 100,
            placeholder=_("from {low:g} to {high:g}").format(low=question.low, high=question.high),
            key=f"{slot}-input",
        )
        if _reveal(slot, said is not None) and said is not None:
            st.session_state[slot] = float(said)
            st.rerun()
        return False
    said = st.session_state[slot]
    with st.spinner(_("Measuring")):
        truth = question.term.value(lambda name, argument: lesson_measures.measure(name, argument, state))
    st.markdown(question.ask)
    if truth is None:
        st.caption(
            _("You said {said}. It cannot be measured yet: do what the step asks first.").format(said=f"{said:g}")
        )
        return False
    bars = [(_("your prediction"), "plain", said), (_("measured"), "fused", truth)]
    title = _("Prediction and measurement, {unit}").format(unit=unit) if unit else _("Prediction and measurement")
    _bars(title, unit, bars, f"{slot}-bars")
    measured = f"{_short(truth)} {unit}".rstrip()
    text = _("You said **{said}**, measured **{measured}**: **{gap}** apart.")
    st.markdown(text.format(said=_short(said), measured=measured, gap=_short(abs(truth - said))))
    return True


def _pick(question: Pick, slot: str, state: dict[str, Any]) -> bool:
    if slot not in st.session_state:
        said = st.pills(question.ask, question.among, key=f"{slot}-pills")
        if _reveal(slot, said is not None):
            st.session_state[slot] = said
            st.rerun()
        return False
    said = st.session_state[slot]
    with st.spinner(_("Measuring")):
        found = {name: lesson_measures.measure(question.measure, name, state) for name in question.among}
    st.markdown(question.ask)
    known = {name: value for name, value in found.items() if value is not None}
    if said not in known:
        st.caption(_("You said {said}. It cannot be measured yet: do what the step asks first.").format(said=said))
        return False
    choose = max if question.most == "largest" else min
    best = choose(known, key=lambda name: known[name])
    unit = _(MEASURES[question.measure].unit)
    own = _("{name}, your choice").format(name=said)
    rows = [(own if name == said else name, _role(name), value) for name, value in known.items()]
    _bars(_("Measured"), unit, rows, f"{slot}-bars")
    if known[said] == known[best]:
        st.markdown(
            _("You said **{said}**, and so it is: **{value} {unit}**.").format(
                said=said, value=_short(known[best]), unit=unit
            )
        )
    else:
        gap = abs(known[best] - known[said])
        largest = _("You said **{said}** with {own} {unit}; **{best}** has most, {value} {unit}: **{gap}** apart.")
        smallest = _("You said **{said}** with {own} {unit}; **{best}** has least, {value} {unit}: **{gap}** apart.")
        text = largest if question.most == "largest" else smallest
        own, value = _short(known[said]), _short(known[best])
        st.markdown(text.format(said=said, own=own, unit=unit, best=best, value=value, gap=_short(gap)))
    return True


def _curve(question: Curve, slot: str) -> bool:
    st.markdown(question.ask)
    truth, beside = term(question.truth), [term(text) for text in question.beside]
    measured = lesson_measures.curve(truth.measure, truth.argument)
    drawn = st.session_state.get(slot)
    data = {
        "title": _("Test accuracy"),
        "unit": "%",
        "x_label": _("epoch"),
        "x": list(range(len(measured))),
        "low": 0,
        "high": 100,
        "beside": [_series(other.measure, other.argument) for other in beside],
        "truth": _series(truth.measure, truth.argument) if drawn else None,
        "drawn": drawn,
        "button": _("Show the measured curve"),
    }
    event = view.show("sketch", data, key=f"{slot}-sketch")
    values = _values(event.get("drawn"), len(measured))
    if values and not drawn:
        st.session_state[slot] = values
        st.rerun()
    if not drawn:
        return False
    gaps = [abs(a - b) for a, b in zip(drawn, measured, strict=True)]
    far = gaps.index(max(gaps))
    st.markdown(
        _(
            "On average your curve is **{mean:.1f} points** from the measured one, most at epoch {epoch}: you drew "
            "{drawn:.0f} %, measured {measured:.1f} %."
        ).format(mean=sum(gaps) / len(gaps), epoch=far, drawn=drawn[far], measured=measured[far])
    )
    return True


def _values(event: Any, count: int) -> list[float] | None:
    """The drawn values, where the message holds as many finite numbers as there are epochs: it can be forged."""
    values = event.get("values") if isinstance(event, dict) else None
    if not isinstance(values, list) or len(values) != count:
        return None
    if not all(isinstance(value, int | float) and isfinite(value) for value in values):
        return None
    return [min(100.0, max(0.0, float(value))) for value in values]


def _series(measure: str, role: str) -> dict[str, Any]:
    label = next(label for label, kind, _run in cached.recorded_race() if kind == role)
    return {"label": label, "role": role, "y": lesson_measures.curve(measure, role)}


def _reveal(slot: str, ready: bool) -> bool:
    return st.button(_("Measure it"), key=f"{slot}-reveal", disabled=not ready, icon=":material/visibility:")


def _bars(title: str, unit: str, rows: Sequence[tuple[str, str, float]], key: str) -> None:
    groups = [
        {"label": label, "role": role, "bars": [{"label": "", "value": max(0.0, value)}]} for label, role, value in rows
    ]
    data = {"title": title, "subtitle": "", "unit": unit, "log": False, "orientation": "horizontal", "groups": groups}
    view.show("bars", data, key=key)


def _role(name: str) -> str:
    """The colour of what a name begins with, such as `deep 3`."""
    first = name.split()[0]
    return first if first in ("deep", "shallow", "fused", "plain", "resnet", "late", "decision") else "fused"


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
