"""What a comparison gave: every seed, the paired differences, plain words, and what each net cost."""

from collections.abc import Sequence

import compare_data
import streamlit as st

from dfn.figures.compare import accuracies, accuracies_alt, differences, differences_alt
from dfn.referee.budget import WORDS, Budget
from dfn.referee.judge import ASSUMPTION, difference
from dfn.referee.results import Result, sentences
from dfn.words import N_, _, ngettext

MOST_LINKED = 30
_COLUMNS: dict[str, tuple[str, str | None, str | None]] = {
    "accuracy": (N_("Test accuracy, mean"), "%.1f %%", None),
    "spread": (N_("Spread, points"), "%.1f", N_("Highest less lowest seed.")),
    "seeds": (N_("Seeds"), None, N_("Runs that came to their end.")),
    "width": (N_("Width"), None, N_("Channels of the first stage.")),
    "parameters": (N_("Parameters"), "localized", None),
    "macs": (N_("Multiply-adds"), "localized", N_("For one image, forwards.")),
    "epochs": (N_("Epochs"), None, None),
    "seconds": (N_("Seconds"), "%.1f", N_("Of one run, mean over the seeds.")),
    "excess": (
        N_("Off the budget"),
        "%+.1f %%",
        N_("More (+) or less (−) than the fused net of what should be equal."),
    ),
}
"""The columns with numbers: head, format and what they are."""


def show(found: Sequence[Result], budget: Budget) -> None:
    """Figures, sentences and table; the same places for a recorded comparison and for one that fills in."""
    dark = st.context.theme.type == "dark"
    left, right = st.columns(2)
    seeds, gaps = compare_data.seeds_of(found), compare_data.gaps_of(found)
    with left.container(border=True):
        st.plotly_chart(
            accuracies(seeds, dark), key="compare-accuracies", alt=accuracies_alt(seeds), config={"displaylogo": False}
        )
    with right.container(border=True, height="stretch"):
        if gaps:
            first = found[0].label
            alt = differences_alt(first, gaps)
            figure = differences(first, gaps, dark)
            st.plotly_chart(figure, key="compare-differences", alt=alt, config={"displaylogo": False})
        else:
            st.caption(_("The differences by seed appear here when the fused net and another have finished one seed."))
    if gaps:
        said = zip(found[1:], sentences(found), strict=True)
        both = [line for row, line in said if difference(found[0].by_seed, row.by_seed)]
        st.markdown("\n".join(f"- {line}" for line in both))
    table = {name: values for name, values in compare_data.columns(found).items() if name in shown(budget)}
    heads = {
        name: st.column_config.NumberColumn(_(title), format=form, help=about and _(about))
        for name, (title, form, about) in _COLUMNS.items()
    }
    st.dataframe(
        table,
        hide_index=True,
        column_config={"net": st.column_config.TextColumn(_("Net"), pinned=True), **heads},
        placeholder="–",
        alt=_("What every net reached and cost"),
    )
    paces = ", ".join(f"{row.label} {row.pace:.2f} s" for row in found if row.pace)
    measured = _("Measured for one epoch: {paces}.").format(paces=paces) if paces else ""
    st.caption(" ".join(filter(None, [_(WORDS[budget]), measured, _(ASSUMPTION)])))


def shown(budget: Budget) -> list[str]:
    """The columns of the table; what is off the budget only where something had to be fitted."""
    return [name for name in ("net", *_COLUMNS) if name != "excess" or budget != "epochs"]


def ways_on(found: Sequence[Result], *, own: bool) -> None:
    """The table as a file, and the runs behind it."""
    ids = [id for row in found for id in row.runs]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV",
            lambda: compare_data.table(found),
            file_name="comparison.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            disabled=not ids,
            help=_("A line for every run that is done."),
        )
        if own and ids:
            picked = {"picked": "-".join(ids[:MOST_LINKED])}
            opened = min(len(ids), MOST_LINKED)
            st.page_link(
                "app_pages/runs.py",
                label=ngettext("Open {count} run", "Open {count} runs", opened).format(count=opened),
                icon=":material/history:",
                query_params=picked,
            )
