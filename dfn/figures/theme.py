"""The one palette: every colour of the project, by role, for a light and a dark page.

A colour means a role and nothing else: deep blue, shallow orange, fused green, plain grey, further nets in a fixed
order. Hues start from Okabe and Ito's set (jfly.uni-koeln.de/color); lightness was moved apart so that any two roles
stay apart for protan, deutan and tritan eyes as well (a test measures it). A role's own colour is for marks; words in
a role's colour use `<role>_text`, which reaches 4.5:1 (WCAG AA) on every surface of the palette.
"""

from collections.abc import Iterable, Mapping
from typing import Any

ROLES = ("deep", "shallow", "fused", "plain", "resnet", "late", "decision", "extra1", "extra2")

# Base networks beyond the second borrow from the far end of the order, away from the nets that they race against.
_BASES = {"base1": "deep", "base2": "shallow", "base3": "extra1", "base4": "extra2", "base5": "decision"} | {
    "base6": "late",
    "base7": "resnet",
    "base8": "plain",
}

# Signed maps: blue, white, red around 0 (ColorBrewer RdBu, reversed). The same on both pages: a map does not change
# its look with the theme.
DIVERGING = (
    "#053061",
    "#2166AC",
    "#4393C3",
    "#92C5DE",
    "#D1E5F0",
    "#F7F7F7",
    "#FDDBC7",
    "#F4A582",
    "#D6604D",
    "#B2182B",
    "#67001F",
)

# Unsigned maps: cividis, even in lightness and the same for colour-blind eyes (Nuñez, Anderton, Renslow 2018).
SEQUENTIAL = (
    "#00224E",
    "#123570",
    "#3B496C",
    "#575D6D",
    "#707173",
    "#8A8678",
    "#A59C74",
    "#C3B369",
    "#E1CC55",
    "#FEE838",
)

_LIGHT = {
    "background": "#FBFBF9",
    "card": "#FFFFFF",
    "band": "#F1F2F6",
    "line": "#D9DDE6",
    "text": "#1B2130",
    "muted": "#5A6378",
    "focus": "#1B2130",
    "deep": "#0072B2",
    "shallow": "#E69F00",
    "fused": "#009E73",
    "plain": "#515A70",
    "resnet": "#C77FB1",
    "late": "#8F2F06",
    "decision": "#7FC6E8",
    "extra1": "#4A3093",
    "extra2": "#8A7500",
    "deep_text": "#00639C",
    "shallow_text": "#8A5A00",
    "fused_text": "#00714F",
    "plain_text": "#515A70",
    "resnet_text": "#94457D",
    "late_text": "#8F2F06",
    "decision_text": "#1B6F97",
    "extra1_text": "#4A3093",
    "extra2_text": "#6E5D00",
}

_DARK = {
    "background": "#10151B",
    "card": "#181C24",
    "band": "#1D2330",
    "line": "#323948",
    "text": "#E9ECF2",
    "muted": "#A0A9BC",
    "focus": "#E9ECF2",
    "deep": "#4FB9F7",
    "shallow": "#F8CF74",
    "fused": "#21B26C",
    "plain": "#7F879D",
    "resnet": "#F78AC8",
    "late": "#C55B22",
    "decision": "#B6F1F5",
    "extra1": "#A968F2",
    "extra2": "#9E9A2C",
    "deep_text": "#4FB9F7",
    "shallow_text": "#F8CF74",
    "fused_text": "#3CC987",
    "plain_text": "#A0A9BC",
    "resnet_text": "#F78AC8",
    "late_text": "#F0965F",
    "decision_text": "#B6F1F5",
    "extra1_text": "#C39BF7",
    "extra2_text": "#C9C545",
}


def palette(dark: bool) -> dict[str, str]:
    """Colour by name, `#RRGGBB`: the roles (`base1` to `base8` for base networks in order), `<role>_text`, and the
    surfaces `background`, `card`, `band`, `line`, `text`, `muted`, `focus`. `diverging` and `sequential` hold the
    stops of the two map scales, low to high, separated by commas."""
    colours = _DARK if dark else _LIGHT
    bases = {base + end: colours[role + end] for base, role in _BASES.items() for end in ("", "_text")}
    return {**colours, **bases, "diverging": _stops(DIVERGING), "sequential": _stops(SEQUENTIAL)}


def frame(colours: Mapping[str, str], title: str = "") -> dict[str, Any]:
    """The layout that every plotly figure has in common: the page behind it, words in its colour, and a title."""
    layout = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": colours["text"]}}
    return layout | ({"title": {"text": title, "font": {"size": 14}}} if title else {})


def _stops(colours: Iterable[str]) -> str:
    return ",".join(colours)


PALETTES = {"light": palette(dark=False), "dark": palette(dark=True)}
