"""What a lesion did: accuracy before and after, the paths that are left, and the images that are called otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from lesion_data import Answers, Flip, Outcome
from lesion_plan import Lesion, edge_words, words
from picked import Picked, numbered_image

from dfn.design.paths import Spectrum
from widgets import view
from widgets.flow_image import enlarged
from widgets.words import percent, plural

if TYPE_CHECKING:
    from dfn.data import Dataset

MOST_SHOWN = 12
SIDE = 56


def show(outcome: Outcome, whole: Spectrum, left: Spectrum | None, on: str) -> None:
    """Cards with the numbers; `on` names the judged images."""
    lost = sum(flip.before == flip.true for flip in outcome.flips)
    won = sum(flip.after == flip.true for flip in outcome.flips)
    before, after = percent(outcome.before), percent(outcome.after)
    paths = sum(whole.values())
    cards = [
        (
            before if before == after else f"{before} → {after}",
            "test accuracy",
            f"Share of {on} called right, whole and with the lesion.",
        ),
        (percent(outcome.same), "called as before", f"{lost} right ones turn wrong, {won} wrong ones right."),
    ]
    if left is not None:
        depths = f"of {min(left)} to {max(left)} layers" if len(left) > 1 else f"of {max(left, default=0)} layers"
        said = f"{sum(left.values()):,} of {paths:,}" if paths < 10_000 else percent(sum(left.values()) / paths)
        arrives = f"{depths}, from the image to the classifier." if left else "Nothing of the image arrives."
        cards.append((said, "paths left", arrives))
    for column, (value, name, more) in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            view.figure(value, name, more)
    st.caption(
        f"Worked out in {1000 * outcome.seconds:.0f} ms: the maps up to the first cut are kept, only what follows runs "
        "again."
    )


def verdict(outcome: Outcome, lesion: Lesion, classes: int, left: Spectrum | None) -> str:
    """The effect in one or two sentences made from the numbers."""
    change = 100 * (outcome.after - outcome.before)
    what = done(lesion)
    if left == {}:
        return f"With {what} no path is left: what the net answers has nothing to do with the image any more."
    if abs(change) < 0.05:
        return f"With {what} the accuracy stays as it was."
    said = f"With {what} the net calls {percent(outcome.after)} right instead of {percent(outcome.before)}"
    if outcome.after <= 1 / classes + 0.03 < outcome.before:
        return f"{said}: about what guessing among {classes} classes would give."
    return f"{said}: **{abs(change):.1f} points {'less' if change < 0 else 'more'}**."


def done(lesion: Lesion) -> str:
    """What a lesion does, in words."""
    parts = []
    if lesion.cut:
        named = ", ".join(words(name) for name in lesion.cut)
        parts.append(f"{named} cut" if len(lesion.cut) < 6 else f"{plural(len(lesion.cut), 'block')} cut")
    if lesion.edges:
        ways = ", ".join(edge_words(name) for name in lesion.edges)
        parts.append(f"no way back from {ways}" if len(lesion.edges) < 3 else f"{len(lesion.edges)} ways back cut")
    if lesion.dial < 1:
        at = f" at fusion {lesion.dial_at}" if lesion.dial_at else ""
        parts.append(f"{lesion.dialled} at g = {lesion.dial:g}{at}")
    if lesion.swap:
        lane, first, second = lesion.swap
        parts.append(f"{lane} {first} and {lane} {second} exchanged")
    return " and ".join(parts)


def chosen_image(picked: Picked, answers: Answers, names: Sequence[str]) -> str:
    """What became of the image that is chosen."""
    (before, sure), (after, surely) = answers
    said = picked.name if picked.label is None else f"{picked.name}, of **{names[picked.label]}**,"
    if before == after:
        return f"{said} is called **{names[after]}** as before, with probability {percent(surely)} instead of \
{percent(sure)}."
    return f"{said} was called **{names[before]}** ({percent(sure)}) and is now called **{names[after]}** \
({percent(surely)})."


def flips(found: Sequence[Flip], images: "Dataset") -> None:
    """The first images that are called otherwise, those that were right before the others."""
    if not found:
        return
    ordered = sorted(found, key=lambda flip: (flip.before != flip.true, flip.image))[:MOST_SHOWN]
    more = f", {len(ordered)} of {len(found)}" if len(found) > len(ordered) else ""
    st.markdown(f"**Called otherwise**{more}")
    names = images.classes
    with st.container(horizontal=True):
        for flip in ordered:
            said = f"{names[flip.before]} → {names[flip.after]}"
            said += "" if flip.before == flip.true else f"  \nis {names[flip.true]}"
            alt = f"Test image {flip.image}, {names[flip.true]}, called {names[flip.before]} before, \
{names[flip.after]} after"
            with st.container(width=92, gap=None):
                st.image(enlarged(numbered_image(images, flip.image), SIDE), width=SIDE, alt=alt, output_format="PNG")
                st.caption(said)
