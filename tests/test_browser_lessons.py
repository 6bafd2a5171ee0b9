"""Every lesson walked to its end in a real Chromium, as a learner would: act, predict, look, go on."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from conftest import NewPage, RunningApp
from playwright.sync_api import Page, expect
from test_lessons import FILES
from widgets.lesson_guide import selector

from dfn.lessons import read
from dfn.lessons.pages import PARTS
from dfn.runs.store import Store

SECONDS = 1000
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def patient() -> None:
    expect.set_options(timeout=60 * SECONDS)


class Walk:
    """A learner in a lesson: every step is waited for, acted in, found done, and left by its button."""

    def __init__(self, page: Page, lesson: int) -> None:
        self.page, self.lesson, self.number = page, read(FILES[lesson - 1]), 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """The next step; what is done in it is the learner's."""
        self.number += 1
        expect(self.page.get_by_text(f"step {self.number} of {len(self.lesson.steps)}")).to_be_visible()
        yield
        expect(self.page.get_by_text("This step is done")).to_be_visible()
        on = self.page.get_by_role("button", name=re.compile("^(Next step|Finish)"))
        expect(on).to_have_count(1)  # that of the step before stands until the page is whole
        on.click()

    def finished(self) -> None:
        assert self.number == len(self.lesson.steps)
        expect(self.page.get_by_text(f"Finished: {self.lesson.title}")).to_be_visible()


def _begin(page: Page, app: RunningApp, lesson: int) -> Walk:
    page.goto(f"{app.url}/?lesson={lesson}")
    return Walk(page, lesson)


def _answer(page: Page, words: str, feedback: str) -> None:
    """Choose an answer, or what a row of choices offers, and read what is said to it."""
    page.get_by_role("radio", name=re.compile(f"^{re.escape(words)}")).check(force=True)
    expect(page.get_by_text(feedback)).to_be_visible()


def _choose(page: Page, row: str, words: str) -> None:
    """One of a row of pills."""
    group = page.get_by_test_id("stButtonGroup").filter(has_text=row)
    group.get_by_role("radio", name=words, exact=True).click()


def _predict(page: Page, ask: str, number: str, gap: str) -> None:
    field = page.get_by_role("spinbutton", name=re.compile(f"^{re.escape(ask)}"))
    field.fill(number)
    field.press("Enter")
    page.get_by_role("button", name="Measure it").click()
    expect(page.get_by_text(gap)).to_be_visible()


def _pick(page: Page, ask: str, words: str, gap: str) -> None:
    _choose(page, ask, words)
    page.get_by_role("button", name="Measure it").click()
    expect(page.get_by_text(gap)).to_be_visible()


def _press(page: Page, slider: str, keys: Sequence[str]) -> None:
    for key in keys:
        page.get_by_role("slider", name=slider).press(key)


@pytest.mark.parametrize("name", [name for name, parts in PARTS.items() if parts])
def test_a_page_shows_what_a_lesson_can_highlight(streamlit_app: RunningApp, new_page: NewPage, name):
    page = new_page()
    page.goto(f"{streamlit_app.url}/{'' if name == 'compose' else name}")
    for part in PARTS[name]:
        expect(page.locator(selector(part))).to_have_count(1)
        expect(page.locator(selector(part))).to_be_visible()


def test_on_a_phone_what_opens_the_side_bar_is_framed_too(streamlit_app: RunningApp, new_page: NewPage):
    page = new_page(width=420)
    _begin(page, streamlit_app, 2)
    opener = page.get_by_role("button", name="Expand sidebar")
    expect(opener).to_have_css("outline-style", "dashed")
    opener.click()
    expect(page.locator(selector("fusions"))).to_have_css("outline-style", "dashed")
    expect(page.locator(selector("fusions"))).to_be_in_viewport()


def test_the_tour(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    page.goto(streamlit_app.url + "/lessons")
    page.get_by_role("button", name="Begin").first.click()
    walk = Walk(page, 1)
    with walk.step():
        _press(page, "Deep depth", ["End"])

    with walk.step():
        expect(page).not_to_have_url(re.compile("deep="))
        page.get_by_role("button", name=re.compile("^Fusion 2: sum")).press("Enter")

    with walk.step():
        expect(page.get_by_role("button", name="Show the measured curve")).to_be_disabled()
        _press(page, "epoch 0", ["PageDown"] * 4)
        _press(page, "epoch 5", ["PageUp"] * 3)
        page.get_by_role("button", name="Show the measured curve").click()
        told = page.get_by_text(re.compile(r"On average your curve is .* points from the measured one"))
        expect(told).to_be_visible()
        page.screenshot(path=artifacts / "lesson-curve.png")

    with walk.step():
        page.get_by_role("button", name="Play").click()

    with walk.step():
        _press(page, "Epoch", ["Home"])

    with walk.step():
        page.get_by_role("radio", name=re.compile("^Nothing: zeros")).check(force=True)
        expect(page.get_by_text("To go on: a cut set")).to_be_visible()
        page.get_by_role("button", name=re.compile("^Fusion 3, deep lane")).press("Enter")
        page.screenshot(path=artifacts / "lesson-cut.png")

    walk.finished()
    page.reload()
    expect(page.get_by_text("6 of 6 done")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("6 of 6 done")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("An honest comparison")).to_be_visible()
    page.wait_for_timeout(2000)
    expect(page.get_by_text("6 of 6 done")).to_have_count(0)


def test_the_lesson_of_block_exchange_by_link(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    page.goto(streamlit_app.url + "/?lesson=3&lock=all")
    walk = Walk(page, 3)
    with walk.step():
        _predict(page, "By how much", "2", "You said 2, measured 0: 2 apart.")

    with walk.step():
        expect(page.get_by_role("slider", name="Deep depth")).to_be_disabled()
        page.get_by_role("button", name=re.compile("^Fusion 6: sum")).press("Enter")

    with walk.step():
        for fusion, deepest in ((1, 44), (2, 38), (3, 32)):
            page.get_by_role("button", name=re.compile(f"^Fusion {fusion}: sum")).press("Enter")
            expect(page.get_by_text(f"{deepest} → 32")).to_be_visible()
        _answer(page, "Three, and any three", "50 - 18 = 14 + 18 = 32")

    with walk.step():
        _predict(page, "How many", "80", "measured 30.6 %: 49.4 apart")
        page.screenshot(path=artifacts / "lesson-number.png")

    with walk.step():
        expect(page.get_by_text("30.6 %").first).to_be_visible()
        page.get_by_role("combobox", name=re.compile("^Exchange two blocks")).click()
        page.get_by_role("option", name="shallow 1 and shallow 2").click()
    walk.finished()


def test_deep_fusion(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 2)
    with walk.step():
        _press(page, "Fusions", ["ArrowRight"] * 6)
        expect(page.get_by_text("To go on: answer the question.")).to_be_visible()
        _answer(page, "12, two for each fusion", "the choices multiply")
        _answer(page, "64, as every fusion doubles them", "64 paths through one net")

    with walk.step():
        maps = page.get_by_role("application").first
        maps.focus()
        maps.press("ArrowDown")
        maps.press("Enter")
        page.screenshot(path=artifacts / "lesson-place.png")

    with walk.step():
        _choose(page, "Join", "concat")
        _answer(page, "Every block has a place of its own", "hand every channel to the wrong reader")

    with walk.step():
        _press(page, "Shallow depth", ["Home"])
        _answer(page, "A residual net", "special examples of it")
        page.screenshot(path=artifacts / "lesson-resnet.png")
    walk.finished()


def test_essential_depth(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 4)
    with walk.step():
        _predict(page, "How deep is that deeper member?", "40", "You said 40, measured 32 layers: 8 apart.")

    with walk.step():
        for fusion, deepest in ((1, 44), (3, 38), (5, 32)):
            page.get_by_role("button", name=re.compile(f"^Fusion {fusion}: sum")).press("Enter")
            expect(page.get_by_text(f"{deepest} → 32")).to_be_visible()

    with walk.step():
        _press(page, "Fusions", ["ArrowLeft"] * 3)
        _answer(page, "Three equal blocks", "an odd one cannot")

    with walk.step():
        expect(page.get_by_text("60 → 37")).to_be_visible()
        _press(page, "Shallow depth", ["Home"])
        page.screenshot(path=artifacts / "lesson-task.png")

    with walk.step():
        _answer(page, "Some pair of base networks", "not a proof of it")
    walk.finished()


def test_information_flow(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 5)
    with walk.step():
        _press(page, "Shallow depth", ["ArrowLeft"] * 4)

    with walk.step():
        _predict(page, "Gradient at the stem", "0.1", "You said 0.1, measured")

    with walk.step():
        _pick(page, "Which paths bring the largest part", "14", "You said 14 with")
        page.screenshot(path=artifacts / "lesson-pick.png")

    with walk.step():
        _choose(page, "Measured on", "several images")

    with walk.step():
        _press(page, "Epoch", ["Home"])
        _answer(page, "Along which paths", "with its conditions")
        page.screenshot(path=artifacts / "lesson-flow.png")
    walk.finished()


def test_multi_scale_representations(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 6)
    with walk.step():
        _answer(page, "Many paths are equally long", "not in which block")

    with walk.step():
        _choose(page, "Base networks", "3")
        expect(page.get_by_role("slider", name="Base network 3")).to_be_visible()
        page.screenshot(path=artifacts / "lesson-scales.png")

    with walk.step():
        _choose(page, "Scale", "per map")
        _answer(page, "shared, as then equal colours", "the scale must be the same")

    with walk.step():
        _choose(page, "Explain", "deep block")
        _answer(page, "How much a far pixel really counts", "often lies near the middle")
        page.screenshot(path=artifacts / "lesson-attribution.png")
    walk.finished()


def test_joint_learning(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 7)
    with walk.step():
        _predict(page, "How many test images", "60", "You said 60, measured")

    with walk.step():
        _pick(page, "Which base network is the better one alone", "deep", "You said deep")

    with walk.step():
        _answer(page, "On these small data the deep part is not needed", "with one seed")

    with walk.step():
        _press(page, "Dial g on what shallow gives", ["ArrowLeft"] * 10)
        _answer(page, "One net is trained before", "both learn at the same time")
        page.screenshot(path=artifacts / "lesson-dial.png")
    walk.finished()


def test_an_honest_comparison(streamlit_app: RunningApp, new_page: NewPage, artifacts):
    for run in Store(streamlit_app.runs).runs():
        shutil.rmtree(run.folder)  # of a walk before this one: what is trained cannot be played
    page = new_page(height=1300)
    walk = _begin(page, streamlit_app, 8)
    with walk.step():
        _pick(page, "Which has the best test accuracy", "fused", "resnet has most, 93.3 %")

    with walk.step():
        _press(page, "epoch 1", ["PageUp"])
        page.get_by_role("button", name="Show the measured curve").click()

    for seed in (1, 2):
        with walk.step():
            expect(page.get_by_role("spinbutton", name="Seed")).to_have_value(str(seed))
            page.get_by_role("button", name="Play").click()
            if seed == 2:
                _answer(page, "Both, with the spread", "more seeds may tell")
            expect(page.get_by_text("This step is done")).to_be_visible()
            page.screenshot(path=artifacts / f"lesson-race-{seed}.png")

    with walk.step():
        _answer(page, "On small digits, in five epochs", "One seed, so the small gaps may be chance")
    walk.finished()
