"""The guide of an open lesson, above every page that it leads to: what the step says, asks and waits for."""

from collections.abc import Sequence
from typing import Any

import cached
import lesson_measures
import lesson_state
import link
import lock
import streamlit as st
from lesson_shelf import Entry

from dfn.lessons import Lesson, Step
from dfn.lessons.conditions import Condition, MeasureIs, PageIs, StateIs, Term, Told, holds
from dfn.lessons.pages import PAGES
from dfn.words import N_, _
from widgets import lesson_progress, lesson_question

COMPARED = {
    ">=": N_("{what} at least {value}"),
    "<=": N_("{what} at most {value}"),
    "==": N_("{what} equal to {value}"),
    "!=": N_("{what} other than {value}"),
    ">": N_("{what} above {value}"),
    "<": N_("{what} below {value}"),
}
TITLES = {
    "deep": N_("Deep depth"),
    "shallow": N_("Shallow depth"),
    "x": N_("an exchange"),
    "at": N_("a place in a map"),
    "cut": N_("a cut"),
    "fusions": N_("fusions"),
    "join": N_("join"),
    "swap": N_("swap"),
    "epoch": N_("epoch"),
    "scale": N_("scale"),
    "place": N_("place"),
    "dial": N_("dial"),
}
NAMES = {
    "paths": N_("paths"),
    "groups": N_("groups"),
    "essential_depth": N_("essential depth"),
    "deepest": N_("depth of the deepest base network"),
    "shortest": N_("shortest path"),
    "scales": N_("number of scales"),
    "recorded_accuracy": N_("recorded accuracy of {argument}"),
    "recorded_growth": N_("recorded growth of {argument}"),
    "test_accuracy": N_("test accuracy of {argument}"),
    "train_loss": N_("training loss of {argument}"),
    "accuracy": N_("accuracy"),
    "accuracy_lost": N_("accuracy lost without {argument}"),
    "swapped_accuracy": N_("accuracy with {argument} swapped"),
    "alone": N_("accuracy of {argument} alone"),
    "exchange_difference": N_("difference by the exchange at fusion {argument}"),
    "gradient_part": N_("part of the gradient along paths of depth {argument}"),
}
PAGE_NAMES = {
    "lessons": N_("Lessons"),
    "methods": N_("Methods"),
    "compose": N_("Compose"),
    "train": N_("Train"),
    "compare": N_("Compare"),
    "depth_map": N_("Depth map"),
    "maps": N_("Maps"),
    "attribution": N_("Attribution"),
    "flow": N_("Flow"),
    "lesions": N_("Lesions"),
    "runs": N_("Runs"),
}
_KEYS = ("part-{}", "{}", "{}-choice", "lesion-{}")
_CLOSED = "[data-testid='stSidebar'][data-collapsed='true']"
_OPENER = "[data-testid='stExpandSidebarButton']"
GUIDE = "lesson-guide"
FIRST = "compose"  # the page that has no path of its own
_OPENED = "lesson-opened"
_WAITING = "lesson-waiting"
_TROUBLE = "lesson-trouble"  # said when the step's page is open: whatever is drawn before is gone with the switch


def show(path: str) -> None:
    """Draw the guide where the address names a lesson, and open the step's page where it is not open yet; `path` is
    that of the page under it. Locks are read in any case: a teacher may hand out a page without a lesson."""
    page = path or FIRST
    named = link.read("lesson")
    entry = cached.lessons().get(named) if named else None
    if named and (entry is None or entry.lesson is None):
        st.warning(_("The link names a lesson that is not here; the Lessons page has those that are."))
        link.write("lesson", "")
    if not named or entry is None or entry.lesson is None:
        lock.read(())
        return
    lesson = entry.lesson
    number = _number(lesson)
    step = lesson.steps[number - 1]
    lock.read(step.free)
    if st.session_state.get(_OPENED) != (named, number):
        st.session_state[_OPENED] = named, number
        if page != step.page or not any(name in st.query_params for name in PAGES[page]):
            open_step(entry, number)
    if _TROUBLE in st.session_state:
        st.warning(st.session_state.pop(_TROUBLE))
    _frame(step.highlight if page == step.page else ())
    lesson_progress.sync(f"{named}-{number}", GUIDE)
    title = _("Lesson: {title}, step {number} of {all}").format(
        title=lesson.title, number=number, all=len(lesson.steps)
    )
    with st.expander(title, True, icon=":material/school:", key=GUIDE):
        _step(entry, lesson, number, step, page)


def follow(path: str) -> None:
    """Look again when the page is drawn: what was done in one of its views is known only then."""
    waited = st.session_state.pop(_WAITING, None)
    entry = cached.lessons().get(link.read("lesson")) if waited else None
    if waited is None or entry is None or entry.lesson is None:
        return
    key, told = waited
    number = _number(entry.lesson)
    page = path or FIRST
    still = _waiting(entry.lesson.steps[number - 1], told, page, lesson_state.current(page))
    if key == f"{entry.id}-{number}" and not still:
        st.rerun()


def open_step(entry: Entry, number: int) -> None:
    """Go to the page of a step, in the step's state."""
    lesson = entry.lesson
    assert lesson is not None
    step = lesson.steps[number - 1]
    link.write("lesson", entry.id)
    link.write("step", str(number))
    st.session_state[_OPENED] = entry.id, number
    st.session_state["lesson-finished"] = ""
    locks = {"lock": locked} if (locked := link.read("lock")) else {}
    lesson_state.open_page(step.page, step.state, lesson=entry.id, step=str(number), **locks)


def leave() -> None:
    """Close the lesson and show the shelf."""
    for key in ("lesson", "step", "lock"):
        link.write(key, "")
    st.session_state.pop(_OPENED, None)
    st.switch_page("app_pages/lessons.py", query_params={})


def selector(name: str) -> str:
    """What a part or a knob of a page is in CSS, under whichever key its page draws it."""
    return ", ".join(f".st-key-{key.format(name)}" for key in _KEYS)


def _frame(names: Sequence[str]) -> None:
    """Draw a frame around parts and knobs of the page, and around what opens the side bar where a knob is hidden in it;
    without any an empty rule stands, as an element more or less would move all below it, and what moves is seen twice
    while the page changes."""
    colour = st.get_option(f"theme.{st.context.theme.type or 'light'}.linkColor")
    frame = f"outline: 3px dashed {colour}; outline-offset: 4px; border-radius: 8px"
    framed = ", ".join(map(selector, names)) or ".none"
    opener = f"body:has({_CLOSED} :is({framed})) {_OPENER}"
    st.html(f"<style>{framed}, {opener} {{ {frame} }}</style>")


def _number(lesson: Lesson) -> int:
    """The step that the address names, counted from 1."""
    said = link.read("step")
    if said in map(str, range(1, len(lesson.steps) + 1)):
        return int(said)
    if said:
        st.session_state[_TROUBLE] = _(
            "The link names a step that this lesson does not have; it has 1 to {last}."
        ).format(last=len(lesson.steps))
    link.write("step", "1")
    return 1


def _step(entry: Entry, lesson: Lesson, number: int, step: Step, page: str) -> None:
    key = f"{entry.id}-{number}"
    state = lesson_state.current(page)
    told: set[str] = set()
    # each in its place: what moved with the next step would be seen twice until the page is whole
    said, below, buttons = st.container(), st.container(), st.container(horizontal=True, vertical_alignment="center")
    with said:
        left, right = st.columns([1, 1], gap="large") if step.question else (st.container(), st.container())
    with left:
        st.markdown(f"**{step.title}**")
        st.markdown(step.text)
        if step.look:
            st.markdown(_(":material/visibility: Look at: **{what}**").format(what=step.look))
    with right:
        if step.question:
            told.add(lesson_question.show(step.question, key, state))
        pressed = f"lesson-answer-{key}-pressed"
        if step.button:
            if st.button(step.button, key=f"{pressed}-button", disabled=st.session_state.get(pressed, False)):
                st.session_state[pressed] = True
                st.rerun()
            told |= {"pressed"} if st.session_state.get(pressed) else set()
    waiting = _waiting(step, told, page, state)
    if not waiting:
        lesson_progress.finish(entry.id, number)
    done = number in lesson_progress.finished(entry.id)
    if done:
        below.markdown(_(":green[:material/check_circle:] This step is done."))
    else:
        st.session_state[_WAITING] = key, told
        conditions = "; ".join(_words(what, step, state) for what in waiting)
        below.caption(_("To go on: {conditions}.").format(conditions=conditions))
    with buttons:
        _buttons(entry, lesson, number, done)


def _waiting(step: Step, told: set[str], page: str, state: dict[str, Any]) -> list[Condition]:
    """The conditions that do not hold yet."""

    def measure(name: str, argument: str) -> float | None:
        return lesson_measures.measure(name, argument, state)

    return [what for what in step.conditions if not holds(what, told=told, page=page, state=state, measure=measure)]


def _buttons(entry: Entry, lesson: Lesson, number: int, done: bool) -> None:
    last = number == len(lesson.steps)
    back = st.button(_("Back"), key="lesson-back", disabled=number == 1, icon=":material/arrow_back:", shortcut="b")
    word = (_("Finish") if last else _("Next step")) if done else _("Skip this step")
    on = st.button(
        word,
        key="lesson-next",
        type="primary" if done else "secondary",
        icon=":material/arrow_forward:",
        icon_position="right",
        shortcut="n",
    )
    again = st.button(
        _("Set the page again"),
        key="lesson-again",
        type="tertiary",
        icon=":material/replay:",
        help=_("Opens {page} as this step begins.").format(page=_(PAGE_NAMES[lesson.steps[number - 1].page])),
    )
    left = st.button(_("Leave the lesson"), key="lesson-leave", type="tertiary", icon=":material/close:")
    if back and number > 1:
        open_step(entry, number - 1)
    if again:
        open_step(entry, number)
    if on and not last:
        open_step(entry, number + 1)
    if left or on:
        st.session_state["lesson-finished"] = entry.id if on and done else ""
        leave()


def _words(what: Condition, step: Step, state: dict[str, Any]) -> str:
    """A condition as a learner reads it."""
    match what:
        case Told(what="answered"):
            return _("answer the question")
        case Told(what="predicted"):
            return _("say what you expect, then measure")
        case Told():
            return _("press “{button}”").format(button=step.button)
        case PageIs():
            return _("open the page {page}").format(page=_(PAGE_NAMES[what.page]))
        case StateIs():
            title = _(TITLES.get(what.knob, what.knob))
            if what.value == "":
                return _("{what} set").format(what=title)
            value = _(what.value) if isinstance(what.value, str) else what.value
            return _(COMPARED[what.compared]).format(what=title, value=value)
        case MeasureIs(compared=">", right=Term(measure="", plus=0.0)):
            return _("measure the {what}").format(what=_name(what.left))
        case MeasureIs():
            return _(COMPARED[what.compared]).format(what=_term(what.left, state), value=_term(what.right, state))


def _term(term: Term, state: dict[str, Any]) -> str:
    if not term.measure:
        return f"{term.plus:g}"
    now = lesson_measures.measure(term.measure, term.argument, state)
    known = _("now {value:.3g}").format(value=now) if now is not None else _("not measured yet")
    return f"{_name(term)} ({known})" + (f" {term.plus:+g}" if term.plus else "")


def _name(term: Term) -> str:
    return _(NAMES[term.measure]).format(argument=term.argument)
