"""Drawings that live in the browser: the net diagram, live curves, bars, the feature-map grid, small pictures to
choose from, a curve to draw, and the family tree of methods.

Each is one plain ES module with one function `draw(root, data, emit)`: `root` an element, `data` plain JSON,
`emit(name, value)` the way back to Python. `draw` may be called again with new data on the same root: it updates in
place and keeps what the reader did (zoom, hidden curves, scrubbed epoch). `source` joins the files of a view into the
module's text, without a build step; a host appends its footer. All views need `"palette"`:
`dfn.figures.theme.PALETTES`, and in another language than English what `words` gives.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from dfn.words import SOURCE, of_files, spoken

Name = Literal["net", "curves", "bars", "maps", "tiles", "sketch", "tree"]
NAMES: tuple[Name, ...] = get_args(Name)

# `figure` stands below a figure of another library, in the app alone: there it saves what a notebook's own bar saves.
_FILES: dict[str, tuple[str, ...]] = {
    "net": ("common", "save", "net_plan", "net_marks", "net_streams", "net_frame", "net"),
    "curves": ("common", "save", "curves_scale", "curves"),
    "bars": ("common", "save", "bars"),
    "maps": ("common", "save", "maps_numbers", "maps_epochs", "maps_keys", "maps_reading", "maps_field", "maps"),
    "tiles": ("common", "save", "tiles"),
    "sketch": ("common", "save", "sketch"),
    "tree": ("common", "save", "tree"),
    "figure": ("common", "save", "figure"),
}

# Streamlit custom components v2: called again at every change of data or theme; the function that the last call gives
# back runs once, when the component leaves the page.
STREAMLIT_FOOTER = """
export default ({ data, parentElement, setTriggerValue }) => {
  let root = parentElement.querySelector(".dfn-view");
  if (!root) {
    root = document.createElement("div");
    root.className = "dfn-view";
    parentElement.append(root);
  }
  return draw(root, data, (name, value) => setTriggerValue(name, value));
};
"""

# anywidget: drawn once, again whenever the trait `data` changes; what happens goes back as a message.
NOTEBOOK_FOOTER = """
export default {
  render({ model, el }) {
    const root = document.createElement("div");
    el.append(root);
    if (model.get("has_still")) {
      const style = document.createElement("style");
      style.textContent = ".jp-OutputArea-child:has(.dfn-instead) + .jp-OutputArea-child { display: none }";
      el.append(style);
      el.classList.add("dfn-instead");
    }
    const paint = () => draw(root, model.get("data"), (name, value) => model.send({ name, value }));
    model.on("change:data", paint);
    const dispose = paint();
    return () => {
      model.off("change:data", paint);
      dispose();
    };
  },
};
"""


@cache
def source(name: Name | Literal["figure"]) -> str:
    """The text of one view as an ES module that exports `draw`. Raises ValueError for a name that is no view."""
    if name not in _FILES:
        raise ValueError(f"name: {name!r} is not a view; there are {', '.join(_FILES)}")
    folder = Path(__file__).parent
    return "\n".join((folder / f"{file}.js").read_text(encoding="utf-8") for file in _FILES[name])


def words(name: Name | Literal["figure"]) -> dict[str, Any]:
    """The part of a view's data that makes it speak the language that is spoken now; nothing in English."""
    language = spoken()
    if language == SOURCE:
        return {}
    return {"language": language, "words": of_files(language, tuple(f"dfn/views/{file}.js" for file in _FILES[name]))}
