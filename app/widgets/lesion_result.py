"""What a lesion did: accuracy before and after, the paths that are left, and the images that are called otherwise."""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import streamlit as st
from lesion_data import Answers, Flip, Outcome
from lesion_plan import Lesion, edge_words, pair_words, words
from picked import Picked, numbered_image

from dfn.design.paths import Spectrum
from dfn.insight.maps import lane_words
from dfn.words import _, ngettext
from widgets import view
from widgets.flow_image import enlarged
from widgets.words import percent

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
            _("test accuracy"),
            _("Share of {images} called right, whole and with the lesion.").format(images=on),
        ),
        (
            percent(outcome.same),
            _("called as before"),
            _("{lost} right ones turn wrong, {won} wrong ones right.").format(lost=lost, won=won),
        ),
    ]
    if left is not None:
        count = sum(left.values())
        said = _("{count:,} of {all:,}").format(count=count, all=paths) if paths < 10_000 else percent(count / paths)
        cards.append((said, _("paths left"), _arrives(left)))
    for column, (value, name, more) in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            view.figure(value, name, more)
    st.caption(
        _(
            "Worked out in {milliseconds:.0f} ms: the maps up to the first cut are kept, only what follows runs again."
        ).format(milliseconds=1000 * outcome.seconds)
    )


def _arrives(left: Spectrum) -> str:
    """How deep the paths are that are left."""
    if not left:
        return _("Nothing of the image arrives.")
    if len(left) == 1:
        return _("of {depth} layers, from the image to the classifier.").format(depth=max(left))
    text = _("of {low} to {high} layers, from the image to the classifier.")
    return text.format(low=min(left), high=max(left))


def verdict(outcome: Outcome, lesion: Lesion, classes: int, left: Spectrum | None) -> str:
    """The effect in one or two sentences made from the numbers."""
    change = 100 * (outcome.after - outcome.before)
    what = done(lesion)
    if left == {}:
        text = _("With {what} no path is left: what the net answers has nothing to do with the image any more.")
    elif abs(change) < 0.05:
        text = _("With {what} the accuracy stays as it was.")
    elif outcome.after <= 1 / classes + 0.03 < outcome.before:
        text = _(
            "With {what} the net calls {after} right instead of {before}: about what guessing among {classes} classes "
            "would give."
        )
    elif change < 0:
        text = _("With {what} the net calls {after} right instead of {before}: **{change:.1f} points less**.")
    else:
        text = _("With {what} the net calls {after} right instead of {before}: **{change:.1f} points more**.")
    before, after = percent(outcome.before), percent(outcome.after)
    return text.format(what=what, before=before, after=after, classes=classes, change=abs(change))


def done(lesion: Lesion) -> str:
    """What a lesion does, in words."""
    parts = []
    if lesion.cut:
        count, named = len(lesion.cut), ", ".join(words(name) for name in lesion.cut)
        text = _("{blocks} cut") if count < 6 else ngettext("{count} block cut", "{count} blocks cut", count)
        parts.append(text.format(blocks=named, count=count))
    if lesion.edges:
        count, ways = len(lesion.edges), ", ".join(edge_words(name) for name in lesion.edges)
        text = ngettext("{count} way back cut", "{count} ways back cut", count)
        parts.append((_("no way back from {ways}") if count < 3 else text).format(ways=ways, count=count))
    if lesion.dial < 1:
        text = _("{lane} at g = {dial:g} at fusion {fusion}") if lesion.dial_at else _("{lane} at g = {dial:g}")
        parts.append(text.format(lane=lane_words(lesion.dialled), dial=lesion.dial, fusion=lesion.dial_at))
    if lesion.swap:
        parts.append(_("{blocks} exchanged").format(blocks=pair_words(lesion.swap)))
    both = _("{one} and {other}")
    return reduce(lambda one, other: both.format(one=one, other=other), parts) if parts else ""


def chosen_image(picked: Picked, answers: Answers, names: Sequence[str]) -> str:
    """What became of the image that is chosen."""
    (before, sure), (after, surely) = answers
    image = picked.name
    if picked.label is not None:
        image = _("{image}, of **{true}**,").format(image=image, true=names[picked.label])
    if before == after:
        text = _("{image} is called **{after}** as before, with probability {surely} instead of {sure}.")
    else:
        text = _("{image} was called **{before}** ({sure}) and is now called **{after}** ({surely}).")
    return text.format(
        image=image, before=names[before], after=names[after], sure=percent(sure), surely=percent(surely)
    )


def flips(found: Sequence[Flip], images: "Dataset") -> None:
    """The first images that are called otherwise, those that were right before the others."""
    if not found:
        return
    ordered = sorted(found, key=lambda flip: (flip.before != flip.true, flip.image))[:MOST_SHOWN]
    text = _("**Called otherwise**, {count} of {all}") if len(found) > len(ordered) else _("**Called otherwise**")
    st.markdown(text.format(count=len(ordered), all=len(found)))
    names = images.classes
    with st.container(horizontal=True):
        for flip in ordered:
            said = f"{names[flip.before]} → {names[flip.after]}"
            if flip.before != flip.true:
                said += "  \n" + _("is {name}").format(name=names[flip.true])
            alt = _("Test image {number}, {true}, called {before} before, {after} after").format(
                number=flip.image, true=names[flip.true], before=names[flip.before], after=names[flip.after]
            )
            with st.container(width=92, gap=None):
                st.image(enlarged(numbered_image(images, flip.image), SIDE), width=SIDE, alt=alt, output_format="PNG")
                st.caption(said)
