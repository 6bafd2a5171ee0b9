"""What a page shows, from Python: the snippet that gives the same numbers, to be copied or opened as a notebook."""

from collections.abc import Callable

import notebook_file
import streamlit as st

from dfn.words import _


def show(code: Callable[[], str], key: str) -> bool:
    """An expander with the code, which is written when it is opened; returns whether it is."""
    box = st.expander(_("The same from Python"), icon=":material/code:", key=f"{key}-code", on_change="rerun")
    if box.open:
        with box:
            listing(code(), key)
    return bool(box.open)


def listing(code: str, key: str) -> None:
    """The code, and below it a button that downloads it as a notebook of the state that the address names."""
    st.code(code, language="python")
    page = key.replace("-", " ").capitalize()
    address, query = str(st.context.url or ""), st.query_params.to_dict()
    st.download_button(
        _("Open as notebook"),
        lambda: notebook_file.write(page, address, query, code),
        file_name=f"dfn-{key}.ipynb",
        mime="application/x-ipynb+json",
        icon=":material/menu_book:",
        on_click="ignore",
        key=f"{key}-notebook",
        help=_("A notebook with this code and the state of the page, for JupyterLab or VS Code."),
    )
