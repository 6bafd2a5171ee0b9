"""The lessons in the app without a browser: every step opens, finishes when the learner has acted, and locks lock."""

from pathlib import Path

import cached
import lesson_measures
import lesson_shelf
import lesson_state
import pytest
from pages import MAIN, page_at, text_of
from streamlit.testing.v1 import AppTest
from test_lessons import FILES, GOOD
from widgets import lesson_progress, lesson_question

from dfn.lessons import read
from dfn.lessons.conditions import MEASURES
from dfn.lessons.pages import PAGES

LESSONS = {file.stem.split("-")[0].lstrip("0"): read(file) for file in FILES}
STEPS = [(id, number) for id, lesson in LESSONS.items() for number in range(1, len(lesson.steps) + 1)]
DONE = "This step is done"


def _step(id: str, number: int) -> AppTest:
    """The app on the page of a step, in the step's state, as the step's own link opens it."""
    step = LESSONS[id].steps[number - 1]
    return page_at(step.page, **lesson_state.address(step.state), lesson=id, step=str(number))


def _button(app: AppTest, key: str):
    return next(button for button in app.button if button.key == key)


def _open_expander(app: AppTest) -> str:
    return next(e.label for e in app.expander if e.label.startswith("Lesson: "))


@pytest.mark.slow
@pytest.mark.parametrize(("id", "number"), STEPS)
def test_every_step_opens_its_page_without_a_complaint(runs_dir, id, number):
    app = _step(id, number).run()
    assert not app.exception and not app.error and not app.warning
    step = LESSONS[id].steps[number - 1]
    assert f"step {number} of {len(LESSONS[id].steps)}" in _open_expander(app)
    assert step.title in text_of(app)
    assert DONE not in text_of(app), "nothing has been done yet"


@pytest.mark.slow
@pytest.mark.parametrize("preset", [preset.title for preset in cached.presets()])
def test_every_starting_point_opens_without_a_complaint(runs_dir, preset):
    found = next(p for p in cached.presets() if p.title == preset)
    app = page_at(found.page, **lesson_state.address(found.state)).run()
    assert not app.exception and not app.error and not app.warning


@pytest.mark.medium
def test_every_knob_with_a_state_stands_on_its_page(runs_dir):
    app = page_at("compose").run()
    for name, knob in PAGES["compose"].items():
        if not knob.in_address and not name.startswith("base3") and not name.startswith("base4"):
            assert app.session_state[name] == knob.default, name


@pytest.mark.medium
def test_a_link_to_a_lesson_opens_its_first_step(runs_dir):
    app = AppTest.from_file(MAIN, default_timeout=60)
    app.query_params["lesson"] = "2"
    app.run()
    assert not app.exception
    assert app.slider(key="fusions").value == 0
    assert "step 1 of" in _open_expander(app)


@pytest.mark.medium
def test_a_step_waits_for_the_state_and_goes_on(runs_dir):
    app = _step("1", 1).run()
    assert "To go on: Deep depth at least 70" in text_of(app)
    assert "Skip" in _button(app, "lesson-next").label
    app.slider(key="deep").set_value(72).run()
    assert DONE in text_of(app)
    app.slider(key="deep").set_value(30).run()
    assert DONE in text_of(app), "what was done stays done"
    _button(app, "lesson-next").click().run()
    assert "step 2 of" in _open_expander(app)
    assert app.slider(key="deep").value == 50, "a step opens in its own state"
    _button(app, "lesson-back").click().run()
    assert "step 1 of" in _open_expander(app) and DONE in text_of(app)


@pytest.mark.medium
def test_a_step_on_the_same_page_opens_in_its_own_state_too(runs_dir):
    app = _step("4", 3).run()
    app.slider(key="fusions").set_value(3).run()
    _button(app, "lesson-next").click().run()
    assert not app.exception and "step 4 of" in _open_expander(app)
    assert [app.slider(key=key).value for key in ("deep", "shallow", "fusions")] == [60, 14, 6]


@pytest.mark.medium
def test_a_choice_gives_feedback_to_every_answer(runs_dir):
    app = _step("4", 5).run()
    radio = app.radio[0]
    radio.set_value(0).run()
    assert "That does not follow" in app.info[0].value and DONE in text_of(app)
    app.radio[0].set_value(1).run()
    assert "a reason to expect" in app.success[0].value


def test_a_number_is_predicted_then_measured_and_the_gap_is_told(runs_dir):
    app = _step("4", 1).run()
    field = next(f for f in app.number_input if "How deep" in f.label)
    field.set_value(40.0).run()
    assert "32" not in text_of(app), "nothing is told before, nor given away by the shelf"
    _button(app, "lesson-answer-4-1-reveal").click().run()
    assert "You said **40**, measured **32 layers**: **8** apart." in text_of(app) and DONE in text_of(app)


@pytest.mark.slow
def test_a_block_is_picked_then_measured(runs_dir):
    app = _step("8", 1).run()
    next(p for p in app.pills if "best test accuracy" in p.label).set_value("fused").run()
    _button(app, "lesson-answer-8-1-reveal").click().run()
    assert "**resnet** has most, 93.3 %: **9.44** apart" in text_of(app)


@pytest.mark.parametrize("event", [None, [], {}, {"values": [1]}, {"values": "123456"}, {"values": [1] * 5 + [None]}])
def test_a_forged_drawing_is_no_drawing(event):
    assert lesson_question._values(event, 6) is None
    assert lesson_question._values({"values": [float("nan")] * 6}, 6) is None
    assert lesson_question._values({"values": [-5, 500, 1, 2, 3, 4]}, 6) == [0, 100, 1, 2, 3, 4]


@pytest.mark.medium
@pytest.mark.parametrize("query", [{"lesson": "99"}, {"lesson": "../../etc"}, {"lesson": "1", "step": "99"}])
def test_a_lesson_that_is_not_there_is_one_sentence(runs_dir, query):
    app = page_at("compose", **query).run()
    assert not app.exception
    assert len(app.warning) == 1 and "The link names" in app.warning[0].value


def test_locked_knobs_are_disabled_and_keep_their_value(runs_dir):
    app = page_at("compose", deep="26", lock="deep,join").run()
    assert app.slider(key="deep").disabled and app.slider(key="deep").value == 26
    assert not app.slider(key="shallow").disabled


@pytest.mark.medium
def test_lock_all_leaves_the_knobs_of_the_step(runs_dir):
    app = page_at("compose", lesson="1", step="1", lock="all").run()
    assert not app.exception and not app.warning
    assert not app.slider(key="deep").disabled
    assert app.slider(key="shallow").disabled and app.selectbox(key="data").disabled


def test_unknown_names_in_lock_are_one_sentence(runs_dir):
    app = page_at("compose", lock="deep,nonsense,<b>").run()
    assert len(app.warning) == 1 and "no knob of this lab" in app.warning[0].value
    assert "nonsense" not in app.warning[0].value
    assert app.slider(key="deep").disabled


@pytest.mark.slow
@pytest.mark.parametrize("page", ["compose", "train", "maps", "attribution", "flow", "lesions"])
def test_every_page_can_be_locked(runs_dir, page):
    app = page_at(page, lock="all").run()
    assert not app.exception and not app.warning
    bound = [w for kind in (app.slider, app.selectbox, app.number_input, app.multiselect) for w in kind]
    free = [w.key for w in bound if not w.disabled and w.key not in ("image-class",)]
    assert not free


@pytest.mark.medium
def test_a_lecturers_folder_is_listed_with_what_is_wrong(runs_dir, tmp_path: Path, monkeypatch):
    (tmp_path / "week-one.md").write_text(GOOD)
    (tmp_path / "week-two.md").write_text(GOOD.replace("deep = 26", "deep = 1"))
    monkeypatch.setenv("DFN_LESSONS", str(tmp_path))
    app = page_at("lessons").run()
    assert not app.exception
    assert any("From your lecturer" in s.value for s in app.header)
    assert "line 14: step “Predict”, state.deep: 1 is not accepted" in app.code[0].value
    _button(app, "lesson-open-own-week-one").click().run()
    assert "Lesson: Essential depth, step 1 of 2" in _open_expander(app)
    (tmp_path / "week-two.md").write_text(GOOD.replace("Essential depth", "Repaired"))
    assert cached.lessons()["own-week-two"].lesson is not None, "a changed file is read again"


@pytest.mark.medium
def test_the_cards_show_minutes_and_progress(runs_dir):
    app = page_at("lessons").run()
    assert "5 minutes · 6 steps" in text_of(app)
    assert len([b for b in app.button if str(b.key).startswith("lesson-open-")]) == len(FILES)
    app.session_state["lesson-done"] = {"1": {1, 2}}
    app.run()
    assert "2 of 6 done" in text_of(app)
    _button(app, "lesson-open-1").click().run()
    assert "step 3 of 6" in _open_expander(app), "goes on where it was left"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, measure in MEASURES.items() if name not in ("test_accuracy", "train_loss")]
)
def test_every_measure_can_be_taken(name):
    argument = {"accuracy_lost": "shallow 2", "exchange_difference": "2", "swapped_accuracy": "deep 1 2"}
    argument |= {"gradient_part": "32", "alone": "deep"}
    measure = MEASURES[name]
    state = {knob: found.default for knob, found in PAGES["lesions"].items()} | {"run": "dbcbd2866a9c"}
    value = lesson_measures.measure(name, argument.get(name, "fused" if measure.argument else ""), state)
    known = {"paths": 64, "groups": 32, "essential_depth": 32, "deepest": 50, "shortest": 14, "scales": 15}
    known |= {"exchange_difference": 0.0}
    assert value == known[name] if name in known else value is not None and 0 < value < 100


def test_the_learners_own_race_is_measured(runs_dir):
    state = {knob: found.default for knob, found in PAGES["train"].items()}
    assert lesson_measures.measure("test_accuracy", "fused", state) is None
    assert lesson_shelf.FOLDER.is_dir() and lesson_progress.finished("1") == set()
