"""The question of a step: a choice with feedback, or a prediction that is set beside the measurement afterwards."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import cached
import lesson_measures
import streamlit as st

from dfn.lessons.conditions import MEASURES, term
from dfn.lessons.lesson import Choice, Curve, Number, Pick, Question
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
    unit = about.unit if about else ""
    if slot not in st.session_state:
        said = st.number_input(
            f"{question.ask} ({unit})" if unit else question.ask,
            question.low,
            question.high,
            value=None,
            step=(question.high - question.low) / 100,
            placeholder=f"from {question.low:g} to {question.high:g}",
            key=f"{slot}-input",
        )
        if _reveal(slot, said is not None) and said is not None:
            st.session_state[slot] = float(said)
            st.rerun()
        return False
    said = st.session_state[slot]
    with st.spinner("Measuring"):
        truth = question.term.value(lambda name, argument: lesson_measures.measure(name, argument, state))
    st.markdown(question.ask)
    if truth is None:
        st.caption(f"You said {said:g}. It cannot be measured yet: do what the step asks first.")
        return False
    bars = [("your prediction", "plain", said), ("measured", "fused", truth)]
    _bars(f"Prediction and measurement{', ' + unit if unit else ''}", unit, bars, f"{slot}-bars")
    measured = f"{_short(truth)} {unit}".rstrip()
    st.markdown(f"You said **{_short(said)}**, measured **{measured}**: **{_short(abs(truth - said))}** apart.")
    return True


def _pick(question: Pick, slot: str, state: dict[str, Any]) -> bool:
    if slot not in st.session_state:
        said = st.pills(question.ask, question.among, key=f"{slot}-pills")
        if _reveal(slot, said is not None):
            st.session_state[slot] = said
            st.rerun()
        return False
    said = st.session_state[slot]
    with st.spinner("Measuring"):
        found = {name: lesson_measures.measure(question.measure, name, state) for name in question.among}
    st.markdown(question.ask)
    known = {name: value for name, value in found.items() if value is not None}
    if said not in known:
        st.caption(f"You said {said}. It cannot be measured yet: do what the step asks first.")
        return False
    choose = max if question.most == "largest" else min
    best = choose(known, key=lambda name: known[name])
    unit = MEASURES[question.measure].unit
    rows = [(f"{name}, your choice" if name == said else name, _role(name), value) for name, value in known.items()]
    _bars("Measured", unit, rows, f"{slot}-bars")
    if known[said] == known[best]:
        st.markdown(f"You said **{said}**, and so it is: **{_short(known[best])} {unit}**.")
    else:
        gap = abs(known[best] - known[said])
        st.markdown(
            f"You said **{said}** with {_short(known[said])} {unit}; the {question.most} has **{best}** with "
            f"{_short(known[best])} {unit}: **{_short(gap)}** apart."
        )
    return True


def _curve(question: Curve, slot: str) -> bool:
    st.markdown(question.ask)
    truth, beside = term(question.truth), [term(text) for text in question.beside]
    measured = lesson_measures.curve(truth.measure, truth.argument)
    drawn = st.session_state.get(slot)
    data = {
        "title": "Test accuracy",
        "unit": "%",
        "x_label": "epoch",
        "x": list(range(len(measured))),
        "low": 0,
        "high": 100,
        "beside": [_series(other.measure, other.argument) for other in beside],
        "truth": _series(truth.measure, truth.argument) if drawn else None,
        "drawn": drawn,
        "button": "Show the measured curve",
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
        f"On average your curve is **{sum(gaps) / len(gaps):.1f} points** from the measured one, most at epoch {far}: "
        f"you drew {drawn[far]:.0f} %, measured {measured[far]:.1f} %."
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
    label = next(label for label, kind, _ in cached.recorded_race() if kind == role)
    return {"label": label, "role": role, "y": lesson_measures.curve(measure, role)}


def _reveal(slot: str, ready: bool) -> bool:
    return st.button("Measure it", key=f"{slot}-reveal", disabled=not ready, icon=":material/visibility:")


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
