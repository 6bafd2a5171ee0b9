"""What is cut, turned down and exchanged: every control of the Lesions page, and the address that holds them all."""

from typing import cast

import link
import lock
import streamlit as st
from lesion_plan import (
    HOWS,
    How,
    Lesion,
    Options,
    edge_words,
    pair_words,
    read_dial,
    read_names,
    read_swap,
    words,
    write_dial,
    write_names,
    write_swap,
)

from dfn.insight.maps import lane_words
from dfn.words import N_, _
from widgets import link_choice

ALL = "all"
NONE = "none"
CHANGES = ("cut", "edge", "dial", "swap")
ABOUT = {
    "zero": N_("Zeros stand for its map. The blocks behind were not trained on zeros."),
    "mean": N_(
        "Each channel's mean over test images stands for its map: its level stays, what it says of the image goes."
    ),
    "resample": N_("The map of another test image stands for its map: a usual map, but of the wrong image."),
}
_HOWS = {"zero": N_("zero"), "mean": N_("mean"), "resample": N_("resample")}


def how(options: Options) -> How:
    """What takes the place of a cut block."""
    if "plain" in options.lanes:
        st.caption(_("A cut block of a plain net is bypassed: its input goes on in its place."))
        return "zero"
    said = link_choice.show(
        st.pills, _("In place of a cut block"), HOWS, "how", HOWS[0], lambda how: _(_HOWS[how]), required=True
    )
    st.caption(_(ABOUT[said]))
    return cast(How, said)


def read(options: Options, chosen: How) -> Lesion:
    """The lesion that the address describes, as far as this net can have it."""
    cut, clean = read_names(link.read("cut"), options.lanes, options.blocks)
    edges, clean_edges = read_names(link.read("edge"), {}, options.edges)
    lanes = list(options.lanes)
    dialled = lanes[-1] if lanes else ""
    said = link.read("dial")
    gain, at = (read_dial(said, options.fusions) if options.fusions else None) or (1.0, None)
    clean_dial = not said or (bool(options.fusions) and read_dial(said, options.fusions) is not None)
    swap = read_swap(link.read("swap"), options.swaps)
    clean_swap = not link.read("swap") or swap is not None
    if not (clean and clean_edges and clean_dial and clean_swap):
        st.warning(_("The link names something to cut that this net does not have; the rest is done."))
    lesion = Lesion(cut, chosen, edges, gain, at, dialled, swap)
    write(lesion, options)
    return lesion


def write(lesion: Lesion, options: Options) -> None:
    """Put a lesion into the address."""
    link.write("cut", write_names(lesion.cut, options.lanes))
    link.write("edge", ",".join(lesion.edges))
    link.write("dial", write_dial(lesion.dial, lesion.dial_at))
    link.write("swap", write_swap(lesion.swap))


def show(lesion: Lesion, options: Options) -> None:
    """All controls but the drawing."""
    left, right = st.columns(2)
    with left:
        _cuts(lesion, options)
        if options.edges:
            link.give("lesion-edge", list(lesion.edges))
            st.multiselect(
                _("Cut ways back"),
                options.edges,
                key="lesion-edge",
                disabled=lock.on("edge"),
                format_func=edge_words,
                on_change=_take_edges,
                placeholder=_("Each fusion feeds all base networks"),
                help=_(
                    "The joined map of this fusion does not go back to this base network: its next block reads its "
                    "own map. The other base networks read the joined one."
                ),
            )
    with right:
        if options.fusions:
            _dial(lesion, options)
        if options.swaps:
            pairs = {write_swap(pair): pair_words(pair) for pair in options.swaps}
            link_choice.show(
                st.selectbox,
                _("Exchange two blocks of one base network"),
                [NONE, *pairs],
                "swap",
                NONE,
                words=lambda text: _("none") if text == NONE else pairs[text],
                help=_(
                    "Between two fusions, where the maps have one shape. Unlike the exchange inside one fusion this "
                    "makes another function."
                ),
            )


def _cuts(lesion: Lesion, options: Options) -> None:
    link.give("lesion-cut", list(lesion.cut))
    st.multiselect(
        _("Cut blocks"),
        options.blocks,
        key="lesion-cut",
        disabled=lock.on("cut"),
        format_func=words,
        on_change=_take_cuts,
        args=(options,),
        placeholder=_("Click a block in the drawing, or choose here"),
    )
    fixed = any(map(lock.on, CHANGES))
    with st.container(horizontal=True):
        if options.fusions > 1:
            for lane, blocks in options.lanes.items():
                st.button(
                    _("Cut all {lane}").format(lane=lane_words(lane)),
                    key=f"lesion-all-{lane}",
                    on_click=_cut_lane,
                    args=(blocks, lesion, options),
                    disabled=lock.on("cut"),
                )
        said = _("Put everything back")
        st.button(said, key="lesion-none", on_click=_restore, disabled=fixed or not lesion.changes)


def _dial(lesion: Lesion, options: Options) -> None:
    link.give("lesion-dial", lesion.dial)
    st.slider(
        _("Dial g on what {lane} gives").format(lane=lane_words(lesion.dialled)),
        0.0,
        1.0,
        step=0.05,
        key="lesion-dial",
        disabled=lock.on("dial"),
        on_change=_take_dial,
        help=_(
            "1 is the net as it was trained, 0 takes the block away. An experiment on the trained net, not a model of "
            "the paper."
        ),
    )
    fusions = [ALL, *map(str, range(1, options.fusions + 1))]
    if len(fusions) > 2:
        link.give("lesion-dial-at", str(lesion.dial_at or ALL))
        draw = st.pills if len(fusions) < 14 else st.selectbox
        draw(
            _("At fusion"),
            fusions,
            key="lesion-dial-at",
            on_change=_take_dial,
            disabled=lock.on("dial"),
            format_func=lambda at: _("all") if at == ALL else at,
        )


def _take_cuts(options: Options) -> None:
    link.write("cut", write_names(st.session_state["lesion-cut"], options.lanes))


def _take_edges() -> None:
    link.write("edge", ",".join(st.session_state["lesion-edge"]))


def _take_dial() -> None:
    at = st.session_state.get("lesion-dial-at") or ALL
    link.write("dial", write_dial(round(st.session_state["lesion-dial"], 2), None if at == ALL else int(at)))


def _cut_lane(blocks: tuple[str, ...], lesion: Lesion, options: Options) -> None:
    link.write("cut", write_names((*lesion.cut, *(name for name in blocks if name not in lesion.cut)), options.lanes))


def _restore() -> None:
    for key in CHANGES:
        link.write(key, "")
