"""Lessons: what can be learned here step by step, and starting points that open a page."""

import cached
import lesson_state
import link
import streamlit as st
from lesson_shelf import Entry
from widgets import lesson_guide, lesson_progress, view

from dfn.words import _, ngettext

COLUMNS = 3


def card(entry: Entry) -> None:
    """One lesson, or what is wrong with its file."""
    with st.container(border=True, height="stretch"):
        if entry.lesson is None:
            st.markdown(_("**{file}** is no lesson yet").format(file=entry.file.name))
            st.code("\n".join(f"line {problem.line}: {problem.says}" for problem in entry.problems), wrap_lines=True)
            return
        lesson = entry.lesson
        done, steps = len(lesson_progress.finished(entry.id)), len(lesson.steps)
        number = "" if entry.own else f"{entry.id}. "
        st.markdown(f"**{number}{lesson.title}**")
        st.markdown(lesson.idea)
        said = [
            ngettext("{count} minute", "{count} minutes", lesson.minutes).format(count=lesson.minutes),
            ngettext("{count} step", "{count} steps", steps).format(count=steps),
            lesson.source,
        ]
        said += [_("**{done} of {all} done**").format(done=done, all=steps)] if done else []
        st.caption(" · ".join(said))
        st.progress(done / steps, text=None)
        word = _("Begin") if not done else _("Again") if done == steps else _("Go on")
        opens = _("Opens {title}").format(title=lesson.title)
        if st.button(word, key=f"lesson-open-{entry.id}", help=opens, icon=":material/play_arrow:"):
            finished = lesson_progress.finished(entry.id)
            first = next((n for n in range(1, steps + 1) if n not in finished), 1)
            lesson_guide.open_step(entry, first)


def cards(entries: list[Entry]) -> None:
    """Lessons side by side."""
    for start in range(0, len(entries), COLUMNS):
        for column, entry in zip(st.columns(COLUMNS), entries[start : start + COLUMNS], strict=False):
            with column:
                card(entry)


def starting_points() -> None:
    """Presets: a page in a state, and what it shows."""
    found = cached.presets()
    for start in range(0, len(found), COLUMNS):
        for column, preset in zip(st.columns(COLUMNS), found[start : start + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"**{preset.title}**")
                st.markdown(preset.text)
                st.caption(preset.source)
                word = _("Open in {page}").format(page=_(lesson_guide.PAGE_NAMES[preset.page]))
                if st.button(word, key=f"preset-{preset.title}"):
                    lesson_state.open_page(preset.page, preset.state)


open_now = cached.lessons().get(link.read("lesson"))
with st.container(horizontal=True, vertical_alignment="center"):
    lesson_title = open_now.lesson.title if open_now and open_now.lesson else _("Predict, try, understand")
    st.title(lesson_title, anchor=False, width="stretch")
    view.copy_link()
if open_now and open_now.lesson:  # the shelf would give away what a step asks for
    st.markdown(open_now.lesson.idea)
    text = _("Source: {source}. All lessons are behind **Leave the lesson**.")
    st.caption(text.format(source=open_now.lesson.source))
    st.stop()
st.markdown(
    _(
        "Each lesson takes a few minutes, opens the pages for you, asks before it shows, and measures on nets that "
        "ran. Begin with the tour."
    )
)
lesson_progress.sync()
shelf = list(cached.lessons().values())
ended = cached.lessons().get(st.session_state.get("lesson-finished", ""))
if ended and ended.lesson:
    st.success(_("Finished: {title}.").format(title=ended.lesson.title), icon=":material/school:")
cards([entry for entry in shelf if not entry.own])
own = [entry for entry in shelf if entry.own]
if own:
    st.header(_("From your lecturer"), anchor=False)
    st.caption(_("Files in the folder that DFN_LESSONS names. A file that was changed is read again at the next look."))
    cards(own)
st.header(_("Starting points"), anchor=False)
starting_points()
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(_("What you have finished is kept in this browser alone."))
    st.button(_("Forget it"), key="lesson-forget-all", type="tertiary", on_click=lesson_progress.forget)
