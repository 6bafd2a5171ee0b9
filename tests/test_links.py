"""Every link round-trips: the state of a page, its address, the page that opens there, the same state again."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs, urlencode

import cached
import lesson_state
import link
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lesion_plan import options, read_dial, read_names, read_swap, write_dial, write_names, write_swap
from pages import page_at
from streamlit.testing.v1 import AppTest
from widgets import map_pins

import dfn
from dfn.lessons.pages import KNOBS, PAGES, Knob

FUSED = "dbcbd2866a9c"  # the recorded fused net: six fusions, epochs 0 to 5
NET = options(dfn.fused(50, 14, 6, 8, in_channels=1), (1, 8, 8))
GAINS = st.sampled_from([gain / 20 for gain in range(21)])
AT = st.one_of(st.none(), st.integers(1, 6))
SPOTS = st.builds(lambda c, r, k: f"{c}.{r}.{k}", *[st.integers(0, 7)] * 3)


def several(blocks: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(blocks)).map(lambda some: tuple(block for block in blocks if block in some))


TEXTS: dict[str, st.SearchStrategy[str]] = {
    "x": st.text("01", min_size=1, max_size=12).filter(lambda digits: "1" in digits),
    "run": st.just(FUSED),
    "epoch": st.sampled_from("01234"),
    "a": st.sampled_from("012345"),
    "b": st.sampled_from("012345"),
    "at": SPOTS,
    "at2": SPOTS,
    "compare": st.just("1"),
    "target": st.sampled_from(["true", "0", "9"]),
    "unit": st.sampled_from(["deep.0.1.2", "joined.3.0.7"]),
    "beside": st.sampled_from(["untrained", "epoch.1"]),
    "cut": several(NET.blocks).filter(bool).map(lambda names: write_names(names, NET.lanes)),
    "edge": several(NET.edges).filter(bool).map(",".join),
    "dial": st.builds(write_dial, GAINS, AT).filter(bool),
    "swap": st.sampled_from(NET.swaps).map(write_swap),
    "cell": st.just("26-8-6"),
}
# What depends on the data set, and what a page can only hold together with something else.
WITHIN = {"image": range(360), "fusion": range(1, 7), "source": ("test",), "data": ("digits", "scales")}
# What stands on a page only beside something else: further base networks, larger data sets, a photograph, a grid.
NOT_ALWAYS = {"base3", "base4", "images", "pixels", "crop", "show", "cell"}


def values(name: str, knob: Knob) -> st.SearchStrategy[Any]:
    """Values of a knob that is not at its default."""
    if name in TEXTS:
        return TEXTS[name]
    some = st.sampled_from(WITHIN.get(name, knob.values))
    return st.lists(some, unique=True, min_size=1, max_size=4) if isinstance(knob.default, list) else some


def states(page: str, left_out: Collection[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    knobs = {name: values(name, knob) for name, knob in PAGES[page].items() if name not in left_out}
    return st.fixed_dictionaries({}, optional=knobs)


@pytest.mark.medium
@pytest.mark.parametrize("page", PAGES)
@given(data=st.data())
def test_what_a_link_says_is_what_was_written(page: str, data: st.DataObject) -> None:
    state = data.draw(states(page))
    said = parse_qs(urlencode(lesson_state.address(state), doseq=True))
    lists = {name for name, knob in KNOBS.items() if isinstance(knob.default, list)}
    read = {name: KNOBS[name].read(text if name in lists else text[0]) for name, text in said.items()}
    assert read == state


@given(several(NET.blocks), several(NET.edges), st.sampled_from([None, *NET.swaps]), GAINS, AT)
def test_what_is_done_to_a_net_fits_into_an_address(cut, edges, swap, gain, at) -> None:
    assert read_names(write_names(cut, NET.lanes), NET.lanes, NET.blocks) == (cut, True)
    assert read_names(",".join(edges), {}, NET.edges) == (edges, True)
    assert read_swap(write_swap(swap), NET.swaps) == swap
    assert (read_dial(write_dial(gain, at), 6) or (1.0, None)) == (gain, at)


@given(SPOTS)
def test_a_pinned_place_fits_into_an_address(words: str) -> None:
    assert map_pins._words(map_pins._spot(words)) == words


def _now(app: AppTest, page: str, name: str) -> Any:
    """What the page holds under this knob; its default where it says nothing."""
    knob = PAGES[page][name]
    slot = f"link-{name}" if knob.in_address else name
    said = app.session_state[slot] if slot in app.session_state else None  # noqa: SIM401, it has no `get`
    return knob.default if said in (None, "") else knob.read(said)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if PAGES[page]])
def test_a_page_opens_as_its_link_says(page: str, runs_dir) -> None:
    # every example opens the page twice: what fails is said as it is, not made smaller
    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(states(page, NOT_ALWAYS))
    def opens(state: dict[str, Any]) -> None:
        app = page_at(page, **lesson_state.address(state)).run()
        assert not app.exception and not any("link" in warning.value for warning in app.warning)
        assert {name: _now(app, page, name) for name in state} == state
        again = page_at(page, **{key: app.query_params[key] for key in app.query_params}).run()
        assert all(_now(again, page, name) == _now(app, page, name) for name in PAGES[page])

    opens()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["compare"])
def test_what_no_page_knows_and_what_no_knob_accepts_is_said_once(page: str, runs_dir) -> None:
    wrong = {name: "<b>" for name, knob in PAGES[page].items() if not knob.in_address}
    app = page_at(page, stranger="<i>", **wrong).run()
    assert not app.exception
    said = [warning.value for warning in app.warning if "The link names" in warning.value]
    assert len(said) == len(wrong) + 1 and not any("<" in text for text in said)
    assert not [warning for warning in app.run().warning if "The link" in warning.value]


def test_every_key_of_an_address_is_known() -> None:
    assert not set(link.OTHERS) & set(KNOBS) and cached.RECORDED.is_dir()
