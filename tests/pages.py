"""Pages of the app without a browser: opened at an address, and what they say."""

import re
from html import unescape
from pathlib import Path

from streamlit.testing.v1 import AppTest

FIGURE = re.compile("<span class='figure'>(.*)</span>")
MAIN = str(Path(__file__).parents[1] / "app" / "main.py")


def page_at(name: str, **query: str) -> AppTest:
    """A page of the app at an address, not run yet."""
    app = AppTest.from_file(MAIN, default_timeout=60)
    app.switch_page(f"app_pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app


def text_of(app: AppTest) -> str:
    """All that stands on the page in words."""
    return "\n".join(e.value for kind in (app.markdown, app.caption, app.text, app.info) for e in kind)


def cards_of(app: AppTest) -> dict[str, str]:
    """The figures in cards, by the name that stands under each, without their colour."""
    texts = [m.value for m in app.markdown]
    found = [(texts[at + 1], FIGURE.fullmatch(text)) for at, text in enumerate(texts[:-1])]
    return {name: re.sub(r":\w+\[(.*)\]", r"\1", unescape(value[1])) for name, value in found if value}
