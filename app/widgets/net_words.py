"""What stands behind a net on demand: formula, words and sources, and the same net from Python and from the shell.

The typesetter and the highlighter are heavy in the browser, so both are fetched only when somebody opens them.
"""

import streamlit as st

from dfn.data.info import DataInfo
from dfn.design.nodes import SYMMETRIC_JOINS, Join
from dfn.words import N_, _
from widgets import python_code
from widgets.net_controls import Chosen

_JOINED: dict[Join, str] = {
    "sum": r"\sum_{k=1}^{K} G_b^k(x_{b-1})",
    "mean": r"\frac{1}{K} \sum_{k=1}^{K} G_b^k(x_{b-1})",
    "max": r"\max_{k} \, G_b^k(x_{b-1})",
    "concat": r"\big[G_b^1(x_{b-1}); \dots; G_b^K(x_{b-1})\big]",
    "gate": r"\sum_{k=1}^{K} w_b^k(x_{b-1}) \odot G_b^k(x_{b-1})",
}
_WORDS = N_("""
- A **block** G is what lies between two fusions in one base network; the **joined** map is the next input of every
  base network (Wang, Wei, Zhang, Zeng: *Deeply-Fused Nets*, arXiv 1605.07716, section 2; the paper's join is the sum).
- A **path** chooses one block at each fusion: K base networks and B fusions have K^B paths.
- {groups}
- **Essential depth**: the depth of the deepest member of the group whose deepest member is shallowest. The paper gives
  the idea, the operational definition is ours.
- Order of layers in a block (conv, batch norm, ReLU; the last ReLU after the join): reconstruction after the
  group's own code, zlmzju/fusenet.
""")
_GROUPS = N_(
    "Exchanging blocks inside a fusion gives other base networks and the same net; there are (K!)^(B−1) such "
    "**groups** (derived here)."
)
_ONE_GROUP = N_(
    "This join gives every block a place of its own, so its blocks cannot be exchanged: there is one **group**."
)
_VOTES = r"y = \frac{1}{K} \sum_{k=1}^{K} \mathrm{net}_k(\mathrm{image})"
_VOTES_WORDS = N_("""
- **Decision fusion**: whole networks share nothing, and their logits are averaged. The paper sets it against deep
  fusion as averaging predictors (Wang, Wei, Zhang, Zeng: *Deeply-Fused Nets*, arXiv 1605.07716).
""")


def show(chosen: Chosen, info: DataInfo) -> None:
    """Two expanders at the foot of a page."""
    sources = st.expander(
        _("Formula, words and sources"), icon=":material/functions:", key="sources", on_change="rerun"
    )
    if sources.open:
        with sources:
            formula, words = formula_of(chosen)
            st.latex(formula)
            st.markdown(words)
    code = st.expander(
        _("The same from Python and from the shell"), icon=":material/code:", key="code", on_change="rerun"
    )
    if code.open:
        with code:
            python_code.listing(in_python(chosen, info), "compose")
            st.code(in_shell(chosen), language="shell")


def formula_of(chosen: Chosen) -> tuple[str, str]:
    """What this net computes, in LaTeX, and what the letters mean, in Markdown."""
    if chosen.fusions == 0:
        return _VOTES, _(_VOTES_WORDS)
    start = r"b = 1 \dots B, \qquad x_0 = \mathrm{stem}(\mathrm{image})"
    formula = rf"x_b = \mathrm{{ReLU}}\Big({_JOINED[chosen.join]}\Big), \quad {start}"
    return formula, _(_WORDS).format(groups=_(_GROUPS if chosen.join in SYMMETRIC_JOINS else _ONE_GROUP))


def made(chosen: Chosen) -> str:
    """The code that makes the design of this net, exchanges included; it needs `dfn` and gives `d`."""
    deep, shallow, *further = chosen.bases
    bases = f"bases={list(chosen.bases)}" if further else f"deep={deep}, shallow={shallow}"
    turned = [b + 1 for b, row in enumerate(chosen.origins) for _turn in range(row[0]) if chosen.fusions]
    exchanged = "".join(f"\nd = dfn.exchange(d, fusion={b})" for b in turned)
    return f"""d = dfn.fused({bases}, fusions={chosen.fusions}, width={chosen.width}, join="{chosen.join}",
              classes={chosen.design.classes}, in_channels={chosen.design.in_channels}){exchanged}"""


def in_python(chosen: Chosen, info: DataInfo) -> str:
    """The code that makes this net and says what the page says of it."""
    return f"""import dfn

{made(chosen)}
print(dfn.path_spectrum(d), dfn.groups(d), dfn.essential_depth(d), dfn.cost(d, {info.shape}).parameters)
net = dfn.build(d, seed=0)"""


def in_shell(chosen: Chosen) -> str:
    """The command that counts the paths of this net (before exchanges)."""
    deep, shallow, *further = chosen.bases
    depths = f"--bases {','.join(map(str, chosen.bases))}" if further else f"--deep {deep} --shallow {shallow}"
    return f"dfn paths {depths} --fusions {chosen.fusions} --width {chosen.width} --join {chosen.join}"
