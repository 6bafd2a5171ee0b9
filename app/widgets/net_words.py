"""What stands behind a net on demand: formula, words and sources, and the same net from Python and from the shell.

The typesetter and the highlighter are heavy in the browser, so both are fetched only when somebody opens them.
"""

import streamlit as st

from dfn.data.info import DataInfo
from widgets.net_controls import Chosen

_SOURCES = """
- A **block** G is what lies between two fusions in one base network; the **joined** map is the next input of every
  base network (Wang, Wei, Zhang, Zeng: *Deeply-Fused Nets*, arXiv 1605.07716, section 2).
- A **path** chooses one block at each fusion: K base networks and B fusions have K^B paths. Exchanging blocks inside
  a fusion gives other base networks and the same net; there are (K!)^(B−1) such **groups** (derived here).
- **Essential depth**: the depth of the deepest member of the group whose deepest member is shallowest. The paper gives
  the idea, the operational definition is ours.
- Order of layers in a block (conv, batch norm, ReLU; the last ReLU after the join): reconstruction after the
  group's own code, zlmzju/fusenet.
"""


def show(chosen: Chosen, info: DataInfo) -> None:
    """Two expanders at the foot of a page."""
    sources = st.expander("Formula, words and sources", icon=":material/functions:", key="sources", on_change="rerun")
    if sources.open:
        with sources:
            st.latex(
                r"x_b = \mathrm{ReLU}\Big(\sum_{k=1}^{K} G_b^k(x_{b-1})\Big), \quad b = 1 \dots B, \qquad "
                r"x_0 = \mathrm{stem}(\mathrm{image})"
            )
            st.markdown(_SOURCES)
    code = st.expander("The same from Python and from the shell", icon=":material/code:", key="code", on_change="rerun")
    if code.open:
        with code:
            st.code(in_python(chosen, info), language="python")
            st.code(in_shell(chosen), language="shell")


def in_python(chosen: Chosen, info: DataInfo) -> str:
    """The code that makes this net, exchanges included."""
    deep, shallow, *further = chosen.bases
    bases = f"bases={list(chosen.bases)}" if further else f"deep={deep}, shallow={shallow}"
    turned = [b + 1 for b, row in enumerate(chosen.origins) for _ in range(row[0]) if chosen.fusions]
    exchanged = "".join(f"\nd = dfn.exchange(d, fusion={b})" for b in turned)
    return f"""import dfn

d = dfn.fused({bases}, fusions={chosen.fusions}, width={chosen.width}, join="{chosen.join}",
              classes={chosen.design.classes}, in_channels={chosen.design.in_channels}){exchanged}
print(dfn.path_spectrum(d), dfn.groups(d), dfn.essential_depth(d), dfn.cost(d, {info.shape}).parameters)
net = dfn.build(d, seed=0)"""


def in_shell(chosen: Chosen) -> str:
    """The command that counts the paths of this net (before exchanges)."""
    deep, shallow, *further = chosen.bases
    depths = f"--bases {','.join(map(str, chosen.bases))}" if further else f"--deep {deep} --shallow {shallow}"
    return f"dfn paths {depths} --fusions {chosen.fusions} --width {chosen.width} --join {chosen.join}"
