"""What a learner has finished, kept in the browser's own store: no account, and nothing of it on the server."""

import cached
import streamlit as st
from streamlit.components.v2 import component

_DONE = "lesson-done"
_FORGET = "lesson-forget"

_STORE = component(
    "dfn_lesson_progress",
    html="<span hidden></span>",
    js="""
const KEY = "dfn-lessons";
const read = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {};
  }
};
export default ({ data, parentElement, setTriggerValue }) => {
  if (data.forget !== parentElement.dfnForgot) {
    if (parentElement.dfnForgot !== undefined) localStorage.removeItem(KEY);
    parentElement.dfnForgot = data.forget;
  }
  if (data.step !== parentElement.dfnStep) {
    parentElement.dfnStep = data.step;
    if (data.step) document.querySelector(`.st-key-${data.guide}`)?.scrollIntoView({ block: "start" });
  }
  const kept = read();
  let more = false;
  for (const [id, steps] of Object.entries(data.done))
    kept[id] = [...new Set([...(Array.isArray(kept[id]) ? kept[id] : []), ...steps])];
  for (const [id, steps] of Object.entries(kept)) more ||= steps.length > (data.done[id] ?? []).length;
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    return; // a browser that keeps nothing: the progress lasts as long as the page
  }
  if (more && !data.read) setTriggerValue("kept", kept);
};
""",
)


def sync(step: str = "", guide: str = "") -> None:
    """Exchange what is finished with the browser's store; once a run, wherever lessons are shown. Where a step begins,
    the element with the key `guide` comes into sight: whoever went on from its foot would miss what it says."""
    done = st.session_state.setdefault(_DONE, {})
    data = {"done": {id: sorted(steps) for id, steps in done.items()}, "forget": st.session_state.get(_FORGET, 0)}
    data |= {"step": step, "guide": guide}
    data["read"] = st.session_state.get("lesson-progress-read", False)
    kept = _STORE(data=data, key="lesson-progress", on_kept_change=_nothing).get("kept")
    if isinstance(kept, dict):  # once: what comes back was written by a browser, so only what can be is taken
        st.session_state["lesson-progress-read"] = True
        for id, entry in cached.lessons().items():
            steps = kept.get(id)
            if entry.lesson and isinstance(steps, list):
                known = range(1, len(entry.lesson.steps) + 1)
                done.setdefault(id, set()).update(step for step in steps if type(step) is int and step in known)
        st.rerun()


def finished(lesson: str) -> set[int]:
    """The steps of a lesson, counted from 1, that were finished."""
    return st.session_state.get(_DONE, {}).get(lesson, set())


def finish(lesson: str, step: int) -> None:
    """Note that a step is finished."""
    st.session_state.setdefault(_DONE, {}).setdefault(lesson, set()).add(step)


def forget() -> None:
    """Begin anew, here and in the browser's store."""
    st.session_state[_DONE] = {}
    st.session_state[_FORGET] = st.session_state.get(_FORGET, 0) + 1
    for key in [key for key in st.session_state if str(key).startswith("lesson-answer-")]:
        del st.session_state[key]


def _nothing() -> None:
    """Streamlit reports a trigger only where a callback is named."""
