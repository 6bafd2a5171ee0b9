"""A run as one HTML page to hand in or to publish: it needs no server, asks for nothing and runs in any browser.

The views of `dfn.views` stand in the page as they are, beside the numbers that they draw. A Content-Security-Policy
names the hash of every script and lets nothing be fetched. Maps take at most `MOST_BYTES`; where a run kept more,
epochs are left out evenly, then the largest places.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from dfn.figures.theme import PALETTES
from dfn.handout import words
from dfn.views import Name, source

if TYPE_CHECKING:
    from dfn.runs.run import Run

SURFACES = ("background", "card", "line", "text", "muted", "focus")

_FILES = Path(__file__).parent
# Every view has a shadow of its own: their styles share names.
_STAGE = """
const told = JSON.parse(document.getElementById("$name-data").textContent);
const shadow = document.getElementById("$name").attachShadow({ mode: "open" });
const stage = shadow.appendChild(document.createElement("div"));
"""
_DRAWN_ONCE = "draw(stage, told, $heard);\n"
# A click in the net chooses the place of the maps, which listens for it.
_SELECT = "(_, value) => document.dispatchEvent(new CustomEvent('place', { detail: value.id }))"


def write_page(run: "Run", path: Path, images: Sequence[int] | None = None) -> str:
    """Write the page of a run into a file; returns what it lacks, in a sentence, empty where nothing is missing.

    `images` are the numbers of up to eight test images whose maps it shows, by default the first three. Raises
    ValueError for a number that there is not.
    """
    text, lacking = page(run, images)
    path.write_text(text, encoding="utf-8", newline="\n")
    return lacking


def page(run: "Run", images: Sequence[int] | None = None) -> tuple[str, str]:
    """The text of the page, and what it lacks, as for `write_page`."""
    from dfn.handout.measured import curves, maps, net

    about = words.facts(run)
    shown, lacking = maps(run, images)
    drawn: dict[Name, dict[str, Any]] = {"net": net(run, about.alt)}
    if learned := curves(run):
        drawn["curves"] = learned
    if shown:
        drawn["maps"] = shown
    scripts = [_script(name) for name in drawn]
    blocks = [_block(name, {**data, "palette": PALETTES}) for name, data in drawn.items()]
    text = Template((_FILES / "page.html").read_text(encoding="utf-8")).substitute(
        policy=_policy(scripts),
        style=_colours() + (_FILES / "page.css").read_text(encoding="utf-8"),
        title=escape(about.title),
        result=escape(about.result),
        hidden_curves="" if learned else "hidden",
        hidden_maps="" if shown else "hidden",
        lacking=f'<p class="quiet">{escape(lacking)}</p>' if lacking else "",
        images=_options(shown["images"]) if shown else "",
        places=_options(shown["places"]) if shown else "",
        facts=_rows(about.facts),
        epochs=_table(about.epochs),
        recipe=escape(about.recipe),
        data="\n".join(blocks),
        scripts="\n".join(f'<script type="module">{script}</script>' for script in scripts),
    )
    return text, lacking


def _script(name: Name) -> str:
    footer = (_FILES / "maps.js").read_text(encoding="utf-8") if name == "maps" else _DRAWN_ONCE
    heard = _SELECT if name == "net" else "() => {}"
    return source(name) + (_STAGE + footer).replace("$name", name).replace("$heard", heard)


def _block(name: Name, data: Mapping[str, Any]) -> str:
    """Data beside their view. No `<` is left in them, so that nothing in them can end the block."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}-data">{text}</script>'


def _policy(scripts: Iterable[str]) -> str:
    """Nothing may be asked for; the scripts are these, and pictures are made in the page itself."""
    hashes = (b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _colours() -> str:
    def root(theme: str) -> str:
        return ":root { " + " ".join(f"--{name}: {PALETTES[theme][name]};" for name in SURFACES) + " }"

    return f"{root('light')}\n@media (prefers-color-scheme: dark) {{ {root('dark')} }}\n"


def _options(names: Iterable[str]) -> str:
    return "".join(f'<option value="{at}">{escape(name)}</option>' for at, name in enumerate(names))


def _rows(facts: Mapping[str, str]) -> str:
    return "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
