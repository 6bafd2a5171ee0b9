"""What a comparison gave: every seed, the paired differences, plain words, and what each net cost."""

from collections.abc import Sequence

import compare_data
import streamlit as st

from dfn.figures.compare import accuracies, accuracies_alt, differences, differences_alt
from dfn.referee.budget import WORDS, Budget
from dfn.referee.judge import ASSUMPTION
from dfn.referee.results import Result, sentences
from widgets.words import plural

MOST_LINKED = 30
_COLUMNS = {
    "net": st.column_config.TextColumn("Net", pinned=True),
    "accuracy": st.column_config.NumberColumn("Test accuracy, mean", format="%.1f %%"),
    "spread": st.column_config.NumberColumn("Spread, points", format="%.1f", help="Highest less lowest seed."),
    "seeds": st.column_config.NumberColumn("Seeds", help="Runs that came to their end."),
    "width": st.column_config.NumberColumn("Width", help="Channels of the first stage."),
    "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
    "macs": st.column_config.NumberColumn("Multiply-adds", format="localized", help="For one image, forwards."),
    "epochs": st.column_config.NumberColumn("Epochs"),
    "seconds": st.column_config.NumberColumn("Seconds", format="%.1f", help="Of one run, mean over the seeds."),
    "excess": st.column_config.NumberColumn(
        "Off the budget", format="%+.1f %%", help="More (+) or less (−) than the fused net of what should be equal."
    ),
}


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
            st.caption("The differences by seed appear here when the fused net and another have finished one seed.")
    if gaps:
        st.markdown("\n".join(f"- {line}" for line in sentences(found) if "in common" not in line))
    table = {name: values for name, values in compare_data.columns(found).items() if name in shown(budget)}
    st.dataframe(table, hide_index=True, column_config=_COLUMNS, placeholder="–", alt="What every net reached and cost")
    paces = [f"{row.label} {row.pace:.2f} s" for row in found if row.pace]
    measured = f" Measured for one epoch: {', '.join(paces)}." if paces else ""
    st.caption(f"{WORDS[budget]}{measured} {ASSUMPTION}")


def shown(budget: Budget) -> list[str]:
    """The columns of the table; what is off the budget only where something had to be fitted."""
    return [name for name in _COLUMNS if name != "excess" or budget != "epochs"]


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
            help="A line for every run that is done.",
        )
        if own and ids:
            picked = {"picked": "-".join(ids[:MOST_LINKED])}
            st.page_link(
                "app_pages/runs.py",
                label=f"Open {plural(min(len(ids), MOST_LINKED), 'run')}",
                icon=":material/history:",
                query_params=picked,
            )
