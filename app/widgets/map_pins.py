"""What is pinned on the maps, as the address keeps it: one or two places, epochs A and B, and whether these are
compared. What comes from the browser or the address and is none of that is left out."""

import re
from collections.abc import Sequence
from typing import Any

import link
import streamlit as st

PLACES = ("at", "at2")
EPOCHS = ("a", "b")
SPOT = ("channel", "row", "col")
POSITION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")


def take(key: str, epochs: Sequence[int], fusions: int) -> None:
    """What was just done in the view goes into the address; called before the widgets of the page are drawn."""
    event = st.session_state.get(key) or {}
    if event.get("epoch") in epochs:
        link.write("epoch", "" if event["epoch"] == epochs[-1] else str(event["epoch"]))
    if event.get("fusion") in range(1, fusions + 1):
        st.session_state["fusion"] = event["fusion"]
    pins = event.get("pin")
    if isinstance(pins, dict):
        spots = pins.get("places")
        words = [word for word in map(_words, spots if isinstance(spots, list) else []) if word]
        for name, word in zip(PLACES, [*words, "", ""], strict=False):
            link.write(name, word)
        for name in EPOCHS:
            link.write(name, str(pins[name]) if pins.get(name) in epochs else "")
        link.write("compare", "1" if pins.get("compare") is True else "")


def chosen(epochs: Sequence[int]) -> dict[str, Any]:
    """The pins that the address names, as the view takes them."""
    a, b = (_kept(link.read(name), epochs) for name in EPOCHS)
    spots = [spot for spot in (_spot(link.read(name)) for name in PLACES) if spot]
    return {"places": spots, "a": a, "b": b, "compare": link.read("compare") == "1"}


def first_place(shape: Sequence[int]) -> dict[str, int] | None:
    """The first pinned place that maps of this shape (channels, rows, columns) have."""
    spots = (_spot(link.read(name)) for name in PLACES)
    return next((spot for spot in spots if spot and all(spot[n] < s for n, s in zip(SPOT, shape, strict=True))), None)


def _words(spot: Any) -> str:
    numbers = [spot.get(name) for name in SPOT] if isinstance(spot, dict) else []
    words = ".".join(map(str, numbers))
    return words if POSITION.fullmatch(words) else ""


def _spot(words: str) -> dict[str, int] | None:
    found = POSITION.fullmatch(words)
    return dict(zip(SPOT, map(int, found.groups()), strict=True)) if found else None


def _kept(words: str, epochs: Sequence[int]) -> int | None:
    return int(words) if words in map(str, epochs) else None
