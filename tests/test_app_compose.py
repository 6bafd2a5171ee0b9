"""The Compose page without a browser: its numbers follow the link, and bad links show a sentence."""

import json
import time

import pytest
from pages import cards_of, page_at
from streamlit.testing.v1 import AppTest
from widgets import net_controls, net_words
from widgets.net_controls import Chosen

import dfn


def _open(**query: str) -> AppTest:
    app = page_at("compose", **query)
    app.session_state["code"] = True  # the expander is open
    return app.run()


@pytest.mark.medium
def test_first_paint_shows_the_numbers_of_the_design(runs_dir):
    app = _open()
    assert not app.exception and not app.error
    cards = cards_of(app)
    assert cards["paths"] == "64"
    assert cards["groups of base networks"] == "32"
    assert cards["essential depth"] == "50 → 32"
    assert cards["parameters"] == "927 k"


@pytest.mark.medium
def test_the_link_is_the_state(runs_dir):
    app = _open(deep="26", shallow="5", fusions="3")
    assert cards_of(app)["paths"] == "8"
    assert cards_of(app)["essential depth"] == "26 → 19"
    assert app.slider(key="deep").value == 26


@pytest.mark.medium
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


@pytest.mark.medium
@pytest.mark.parametrize("join", ["sum", "mean", "max", "concat", "gate"])
def test_every_join_is_drawn(runs_dir, join):
    app = _open(join=join, fusions="4")
    assert not app.exception and not app.error
    groups = cards_of(app)["groups of base networks"]
    assert groups == ("8" if join in ("sum", "mean", "max") else "1")


@pytest.mark.medium
@pytest.mark.parametrize("fusions", range(0, 13))
def test_any_number_of_fusions_is_drawn(runs_dir, fusions):
    app = _open(fusions=str(fusions), deep="9", shallow="2")
    assert not app.exception and not app.error


@pytest.mark.medium
def test_more_base_networks(runs_dir):
    app = _open(bases="4", base3="20", base4="10")
    assert not app.exception
    assert cards_of(app)["paths"] == f"{4**6:,}"


@pytest.mark.medium
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


@pytest.mark.medium
def test_a_slider_answers_fast(runs_dir):
    app = _open()
    times = []
    for depth in (30, 44, 61, 70, 83):
        start = time.perf_counter()
        app.slider(key="deep").set_value(depth).run()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5  # AppTest itself takes most of this; benchmarks/ measures the page


@pytest.mark.parametrize(
    "event", [None, {}, [], "3", {"fusion": 0}, {"fusion": 5}, {"fusion": -1}, {"fusion": "2"}, {"fusion": 1e9}]
)
def test_an_exchange_of_a_fusion_that_is_not_there_changes_nothing(event):
    chosen = Chosen(dfn.fused(8, 5, 4), (8, 5), 4, 16, "sum", ((0, 1),) * 4)
    assert not net_controls.exchanged(event, chosen)


def test_every_join_has_its_own_formula_and_tells_its_groups():
    formulas = {}
    for join in net_controls.JOINS:
        chosen = Chosen(dfn.fused(8, 5, 4, join=join), (8, 5), 4, 16, join, ((0, 1),) * 4)
        formulas[join], words = net_words.formula_of(chosen)
        assert ("(K!)^(B−1)" in words) == (dfn.groups(chosen.design) > 1)
    assert len(set(formulas.values())) == len(formulas)
    votes, words = net_words.formula_of(Chosen(dfn.fused(8, 5, 0), (8, 5), 0, 16, "mean", ()))
    assert votes not in formulas.values() and "averaged" in words


@pytest.mark.medium
def test_without_fusions_the_page_says_that_the_nets_only_vote(runs_dir):
    assert _open(fusions="0").title[0].value == "Two networks that only vote"
    assert _open().title[0].value == "One fused net, two base networks"


def test_the_address_wins_over_what_the_session_remembers(runs_dir):
    app = _open(x="110000")
    assert _cards_depth(app) == "38"
    app.query_params["x"] = "100000"
    assert _cards_depth(app.run()) == "44"


def _cards_depth(app: AppTest) -> str:
    return cards_of(app)["essential depth"].split()[0]
