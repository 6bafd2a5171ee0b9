"""The Compose page without a browser: its numbers follow the link, and bad links show a sentence."""

import json
import time

import pytest
from pages import cards_of, page_at
from streamlit.testing.v1 import AppTest

import dfn


def _open(**query: str) -> AppTest:
    app = page_at("compose", **query)
    app.session_state["code"] = True  # the expander is open
    return app.run()


def test_first_paint_shows_the_numbers_of_the_design(runs_dir):
    app = _open()
    assert not app.exception and not app.error
    cards = cards_of(app)
    assert cards["paths"] == "64"
    assert cards["groups of base networks"] == "32"
    assert cards["essential depth"] == "50 → 32"
    assert cards["parameters"] == "927 k"


def test_the_link_is_the_state(runs_dir):
    app = _open(deep="26", shallow="5", fusions="3")
    assert cards_of(app)["paths"] == "8"
    assert cards_of(app)["essential depth"] == "26 → 19"
    assert app.slider(key="deep").value == 26


def test_moving_a_slider_moves_the_numbers(runs_dir):
    app = _open()
    app.slider(key="fusions").set_value(3).run()
    assert cards_of(app)["paths"] == "8" and not app.exception


def test_exchanges_in_the_link_change_the_base_networks_and_nothing_else(runs_dir):
    app = _open(x="101010")
    assert not app.exception
    cards = cards_of(app)
    assert cards["paths"] == "64" and cards["essential depth"] == "32 → 32"
    assert "exchange" in app.code[0].value


@pytest.mark.parametrize("join", ["sum", "mean", "max", "concat", "gate"])
def test_every_join_is_drawn(runs_dir, join):
    app = _open(join=join, fusions="4")
    assert not app.exception and not app.error
    groups = cards_of(app)["groups of base networks"]
    assert groups == ("8" if join in ("sum", "mean", "max") else "1")


@pytest.mark.parametrize("fusions", range(0, 13))
def test_any_number_of_fusions_is_drawn(runs_dir, fusions):
    app = _open(fusions=str(fusions), deep="9", shallow="2")
    assert not app.exception and not app.error


def test_more_base_networks(runs_dir):
    app = _open(bases="4", base3="20", base4="10")
    assert not app.exception
    assert cards_of(app)["paths"] == f"{4**6:,}"


@pytest.mark.parametrize(
    "query",
    [
        {"deep": "999999"},
        {"deep": "-4", "shallow": "abc"},
        {"fusions": "1e9"},
        {"join": "<script>alert(1)</script>"},
        {"bases": "77"},
        {"width": "0"},
        {"x": "9" * 5000},
        {"x": "../../etc"},
        {"data": "folder:/etc"},
    ],
)
def test_hostile_links_never_show_a_traceback(runs_dir, query):
    app = _open(**query)
    assert not app.exception
    assert cards_of(app)["paths"]


def test_the_code_shown_makes_the_net_shown(runs_dir):
    app = _open(x="010000", deep="20", shallow="8", fusions="4", join="mean")
    scope: dict = {}
    shown = [line for line in app.code[0].value.splitlines() if not line.startswith(("print", "net ="))]
    exec("\n".join(shown), scope)
    expected = dfn.exchange(dfn.fused(20, 8, 4, join="mean", in_channels=1), 2)
    assert dfn.to_json(scope["d"]) == dfn.to_json(expected)
    json.loads(dfn.to_json(scope["d"]))


def test_a_slider_answers_fast(runs_dir):
    app = _open()
    times = []
    for depth in (30, 44, 61, 70, 83):
        start = time.perf_counter()
        app.slider(key="deep").set_value(depth).run()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5  # AppTest itself takes most of this; benchmarks/ measures the page
