"""Which language a session speaks: the address's `?lang=ko`, else what was chosen before, else the browser's.

Every text asks the session, so that callbacks and fragments, which run without main.py, speak it as well.
"""

import link
import streamlit as st
from streamlit.components.v2 import component
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dfn import words
from dfn.words import LANGUAGES, SOURCE, _

KEY = "lang"
_SPOKEN = "language-spoken"
_CHOICE = "language-choice"

# screen readers choose their voice by it, browsers their hyphenation and whether to offer a translation
_PAGE = component(
    "dfn_language",
    html="<span hidden></span>",
    js="export default ({ data }) => { document.documentElement.lang = data.language; };",
)


def settle() -> None:
    """Settle the language of this run, before any text is shown."""
    if link.read(KEY) not in ("", *LANGUAGES):
        link.write(KEY, "")
    st.session_state[_SPOKEN] = link.read(KEY) or _of_browser()


def switch() -> None:
    """The languages to choose from, in the side bar; the page around says which one it is in."""
    with st.sidebar, st.container(gap=None):
        st.session_state[_CHOICE] = words.spoken()
        st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key=_CHOICE,
            required=True,
            on_change=_take,
            label_visibility="collapsed",
        )
        _PAGE(data={"language": words.spoken()}, key="language-of-page")


def _take() -> None:
    link.write(KEY, st.session_state[_CHOICE])


def _of_browser() -> str:
    code = (st.context.locale or "").partition("-")[0].lower()
    return code if code in LANGUAGES else SOURCE


def _of_session() -> str:
    return st.session_state.get(_SPOKEN, "") if get_script_run_ctx(suppress_warning=True) else ""


words.ask(_of_session)
