"""DFN Lab: `streamlit run app/main.py`. This file only frames the pages."""

from pathlib import Path

import language
import link
import streamlit as st
from widgets import glossary, lesson_guide

from dfn.words import _

ASSETS = Path(__file__).parents[1] / "assets"

language.settle()

PAGES = [
    st.Page(
        "app_pages/compose.py",
        title=_("Compose"),
        icon=":material/account_tree:",
        default=True,
        help=_("Set the depths of the base networks and see the fused net that they make."),
    ),
    st.Page(
        "app_pages/lessons.py",
        title=_("Lessons"),
        icon=":material/school:",
        help=_("Learn the ideas one by one: predict, try, and see the gap."),
    ),
    st.Page(
        "app_pages/methods.py",
        title=_("Methods"),
        icon=":material/family_history:",
        help=_("The methods around deep fusion as a family tree: what each changes, and its net."),
    ),
    st.Page(
        "app_pages/train.py",
        title=_("Train"),
        icon=":material/show_chart:",
        help=_("Train the fused net live, beside the same nets unfused."),
    ),
    st.Page(
        "app_pages/compare.py",
        title=_("Compare"),
        icon=":material/balance:",
        help=_("Any methods over several seeds on equal terms: is the gap larger than chance?"),
    ),
    st.Page(
        "app_pages/depth_map.py",
        title=_("Depth map"),
        icon=":material/apps:",
        help=_("Accuracy, loss and stem gradient over deep and shallow depth, a run for every square."),
    ),
    st.Page(
        "app_pages/maps.py",
        title=_("Maps"),
        icon=":material/grid_view:",
        help=_("The deep, the shallow and the joined maps of one image, epoch by epoch."),
    ),
    st.Page(
        "app_pages/attribution.py",
        title=_("Attribution"),
        icon=":material/center_focus_strong:",
        help=_("Where in the image, or in a map on the way, an answer of the net came from."),
    ),
    st.Page(
        "app_pages/flow.py",
        title=_("Flow"),
        icon=":material/waterfall_chart:",
        help=_("How the gradient comes back from the loss to the stem, and along which paths."),
    ),
    st.Page(
        "app_pages/lesions.py",
        title=_("Lesions"),
        icon=":material/content_cut:",
        help=_("Cut blocks, branches and ways back, and see what is left of the net."),
    ),
    st.Page(
        "app_pages/runs.py",
        title=_("Runs"),
        icon=":material/history:",
        help=_("Everything that was trained: overlay, rename, delete, download."),
    ),
]

# pictures of our own: a Material icon as page icon would be fetched from another host
st.set_page_config(page_title="DFN Lab", page_icon=str(ASSETS / "icon.svg"), layout="wide")
dark = st.context.theme.type == "dark"
st.logo(str(ASSETS / f"logo-{'dark' if dark else 'light'}.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
st.html(ASSETS / "app.css")
page = st.navigation(PAGES)
language.switch()
glossary.show()
lesson_guide.show(page.url_path)
link.check(page.url_path or lesson_guide.FIRST)
page.run()
lesson_guide.follow(page.url_path)
