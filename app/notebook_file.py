"""What a page shows as a notebook: the words of its link, and the code that gives the same. No drawing and no cache."""

from collections.abc import Mapping
from urllib.parse import urlencode

from dfn.lessons.pages import KNOBS


def write(page: str, address: str, query: Mapping[str, str], code: str) -> str:
    """The text of a notebook (.ipynb) of two cells; `address` and `query` are those of the page with this title."""
    from nbformat import v4, writes

    cells = [v4.new_markdown_cell(in_words(page, address, query)), v4.new_code_cell(code)]
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell{number}"  # the same state is the same file
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}))


def in_words(page: str, address: str, query: Mapping[str, str]) -> str:
    """The state that the link names, in Markdown. A link is anybody's text: only what a knob accepts is repeated."""
    said = {name: value for name, value in query.items() if name in KNOBS and KNOBS[name].read(value) is not None}
    state = "".join(f"\n- {name}: `{value}`" for name, value in said.items())
    link = f"{address}?{urlencode(said)}" if said else address
    return (
        f"# {page}\n\nThe state of the page [{page}]({link}) of DFN Lab{':' if state else '.'}\n{state}\n\n"
        "Open this notebook in the folder of the project: runs are looked for in `runs` beside it, or where the "
        "variable `DFN_RUNS` says."
    )
