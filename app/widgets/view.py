"""The project's own drawings as Streamlit components: net, curves, bars, maps, tiles, sketch and tree."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2 import component
from streamlit.delta_generator import DeltaGenerator

from dfn.figures.theme import PALETTES
from dfn.views import NAMES, STREAMLIT_FOOTER, Name, source, words
from dfn.words import SOURCE, _, spoken
from widgets import glossary

# a metric whose second line explains it and is no change of a value
QUIET: dict[str, Any] = {"border": True, "delta_color": "off", "delta_arrow": "off"}

_EVENTS = {
    "net": ("exchange", "select"),
    "curves": (),
    "bars": (),
    "maps": ("epoch", "pin", "fusion"),
    "tiles": ("select",),
    "sketch": ("drawn",),
    "tree": ("select",),
}

_COMPONENTS = {
    name: component(f"dfn_{name}", html='<div class="dfn-view"></div>', js=source(name) + STREAMLIT_FOOTER)
    for name in NAMES
}

_SAVE = component("dfn_save", html='<div class="dfn-view"></div>', js=source("figure") + STREAMLIT_FOOTER)

_COPY = component(
    "dfn_copy_link",
    html="<button type='button'></button>",
    css="""
button {
  font: inherit; color: var(--st-text-color); background: transparent; cursor: pointer; width: 100%;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: 0.45rem 0.9rem;
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
""",
    js="""
export default ({ data, parentElement }) => {
  const button = parentElement.querySelector("button");
  button.textContent = data.copy;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      button.textContent = data.copied;
    } catch {
      button.textContent = data.refused;
    }
    setTimeout(() => { button.textContent = data.copy; }, 2000);
  };
};
""",
)


def show(name: Name, data: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw a view; returns what the user just did in it, `{"exchange": {"fusion": 3}}`, or an empty dict."""
    events: dict[str, Any] = {f"on_{event}_change": _nothing for event in _EVENTS[name]}
    result = _COMPONENTS[name](data={**data, **words(name), "palette": PALETTES}, key=drawn_as(key), **events)
    happened = {event: result.get(event) for event in _EVENTS[name]}
    return {event: value for event, value in happened.items() if value is not None}


def plotly(figure: Any, key: str, alt: str, name: str, rows: Sequence[Sequence[str | float | None]]) -> None:
    """Draw a plotly figure that can be saved like a view: `name` becomes the file's, `rows` are its numbers, the names
    of the columns first."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})
    save(key, name, rows)


def save(key: str, name: str, rows: Sequence[Sequence[str | float | None]]) -> None:
    """The row that saves what stands in the element with this key, as it does below a view."""
    data = {"of": f"st-key-{key}", "name_of_file": name, "rows": rows, "palette": PALETTES}
    _SAVE(data={**data, **words("figure")}, key=drawn_as(f"{key}-save"))


def copy_link() -> None:
    """A button that puts the page's address, which holds its whole state, on the clipboard."""
    said = {"copy": _("Copy link"), "copied": _("Link copied"), "refused": _("Copy the address bar")}
    _COPY(data=said, key="copy-link", width="content")


def part(name: str, border: bool = True, height: Literal["content", "stretch"] = "content") -> DeltaGenerator:
    """A part of a page under the name by which a lesson highlights it."""
    return st.container(border=border, key=f"part-{name}", height=height)


def figure(value: str, name: str, more: str, of: str = "") -> None:
    """A number in a card, with what it is (the glossary says it in a sentence) and what to hold beside it; `of` is its
    name as a part of the page."""
    with st.container(border=True, key=f"part-{of}" if of else None, height="stretch", gap=None):
        # no heading: whoever goes from heading to heading would hear numbers without their names
        st.markdown(f"<span class='figure'>{escape(value)}</span>", unsafe_allow_html=True)
        st.markdown(name, help=glossary.sentence(name))
        st.caption(more)


def drawn_as(key: str) -> str:
    """The key under which the session keeps what was done in a drawing: another one in every language, as what a
    drawing says is written when it is made."""
    return key if spoken() == SOURCE else f"{key}-{spoken()}"


def _nothing() -> None:
    """Streamlit reports a trigger only where a callback is named."""
