"""The glossary: a sentence beside the name of a number, and all words in a list that opens over any page.

`?word=cosine` opens the list where “cosine” stands; closing it takes that out of the address.
"""

import link
import streamlit as st

from dfn.lessons.glossary import Term, found, meaning
from dfn.words import _

KEY = "word"
_OPEN = "glossary-open"
_SAID = "glossary-said"


def sentence(name: str) -> str | None:
    """What stands behind a name in a card, in Markdown; None where the glossary does not have it."""
    term = meaning(name)
    return _in_words(term) if term else None


def show() -> None:
    """The button in the side bar, and the list where it is open."""
    with st.sidebar:
        st.button(
            _("Words"),
            key="glossary",
            type="tertiary",
            icon=":material/menu_book:",
            shortcut="w",
            help=_("What every word and every measure of this lab means."),
            on_click=_open,
        )
    if link.read(KEY) or st.session_state.get(_OPEN):
        st.dialog(_("Words"), width="large", on_dismiss=_close)(_list)()


def _list() -> None:
    st.session_state[_SAID] = link.read(KEY)
    said = st.text_input(_("Search"), key=_SAID, on_change=_search, icon=":material/search:")
    terms = found(said)
    for term in terms:
        st.markdown(f"**{_(term.word)}**  \n{_in_words(term)}")
    if not terms:
        st.text(_("No word of this lab has “{said}” in it.").format(said=said))


def _in_words(term: Term) -> str:
    formula = f" ${term.formula}$" if term.formula else ""
    source = f" ({term.source})" if term.source else ""
    return f"{_(term.says)}{formula}{source}"


def _open() -> None:
    st.session_state[_OPEN] = True


def _search() -> None:
    link.write(KEY, st.session_state[_SAID][: link.LONGEST].strip())


def _close() -> None:
    st.session_state[_OPEN] = False
    link.write(KEY, "")
