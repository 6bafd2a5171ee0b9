"""Methods: a family tree round deep fusion, and a card for every method that can be trained beside it."""

import cached
import link
import method_data
import method_tree
import streamlit as st
from widgets import method_card, view

from dfn.training.comparisons import methods

KEY, OF = "method", "methods"  # Attribution keeps a method of its own under the same word

info = next(iter(cached.data_infos().values()))
known = methods()
root = next(iter(known))

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("One family around deep fusion", anchor=False, width="stretch")
    view.copy_link()
st.markdown("Each is the fused net with something changed. Choose one to see what, and train it beside the fused net.")
families = list(dict.fromkeys(method.family for method in known.values()))
left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
ticked = left.multiselect("Families", families, key="families", placeholder="all", bind="query-params")
search = middle.text_input("Search", key="find", max_chars=60, placeholder="gate, views, 1512", bind="query-params")
size = right.segmented_control(
    "Base networks drawn",
    list(method_data.SIZES),
    default=method_data.USUAL_SIZE,
    key="size",
    bind="query-params",
    required=True,
    help="Depths of the two base networks on the cards, on images of handwritten digits.",
)

said = link.read(KEY, OF)
if said and said not in known:
    st.warning(f"The link names a method that is not here. This is {known[root].title}.")
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
    st.caption("No method's card has these words. The card below stays.")
elif len(found) < len(known):
    st.caption(f"{len(found)} of {len(known)} methods, the others are dimmed or left out.")

size = size if size in method_data.SIZES else method_data.USUAL_SIZE
method_card.show(known[said or root], method_data.frame_of(size, info), size, info)
