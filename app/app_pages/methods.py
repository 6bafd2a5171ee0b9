"""Methods: a family tree round deep fusion, and a card for every method that can be trained beside it."""

import cached
import link
import method_data
import method_tree
import streamlit as st
from widgets import method_card, view

from dfn.training.comparisons import methods
from dfn.words import _

KEY, FAMILIES, OF = "method", "families", "methods"  # Attribution keeps a method of its own under the same word

info = next(iter(cached.data_infos().values()))
known = methods()
root = next(iter(known))


def families() -> list[str]:
    """The families that are ticked; the address has them with commas between."""
    offered = list(dict.fromkeys(method.family for method in known.values()))
    said = [name for name in offered if name in link.read(FAMILIES).split(",")]
    link.give(f"{FAMILIES}-choice", said)
    st.multiselect(
        _("Families"),
        offered,
        key=f"{FAMILIES}-choice",
        format_func=lambda family: _(family),
        on_change=take_families,
        placeholder=_("all"),
    )
    return said


def take_families() -> None:
    link.write(FAMILIES, ",".join(st.session_state[f"{FAMILIES}-choice"]))


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("One family around deep fusion"), anchor=False, width="stretch")
    view.copy_link()
st.markdown(
    _("Each is the fused net with something changed. Choose one to see what, and train it beside the fused net.")
)
left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
with left:
    ticked = families()
search = middle.text_input(
    _("Search"), key="find", max_chars=60, placeholder=_("gate, views, 1512"), bind="query-params"
)
size = right.segmented_control(
    _("Base networks drawn"),
    list(method_data.SIZES),
    default=method_data.USUAL_SIZE,
    key="size",
    bind="query-params",
    required=True,
    help=_("Depths of the two base networks on the cards, on images of handwritten digits."),
)

said = link.read(KEY, OF)
if said and said not in known:
    st.warning(_("The link names a method that is not here. This is {title}.").format(title=known[root].title))
    link.write(KEY, "", OF)
    said = ""
tree = method_tree.tree(said or root, ticked, search or "")
event = view.show("tree", {**tree, "reveals": f".st-key-{method_card.HEAD}"}, key="tree").get("select")
chosen = event.get("name") if isinstance(event, dict) else None
if chosen in known and chosen != (said or root):
    link.write(KEY, "" if chosen == root else chosen, OF)
    st.rerun()
found = method_tree.shown(tree)
if not found:
    st.caption(_("No method's card has these words. The card below stays."))
elif len(found) < len(known):
    text = _("{count} of {all} methods, the others are dimmed or left out.")
    st.caption(text.format(count=len(found), all=len(known)))

size = size if size in method_data.SIZES else method_data.USUAL_SIZE
method_card.show(known[said or root], method_data.frame_of(size, info), size, info)
