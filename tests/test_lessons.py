"""Lessons as data: those of the lab are right, broken ones are told by line and field, conditions hold as written."""

import json
from pathlib import Path

import pytest

from dfn.cli import main
from dfn.lessons import LessonError, read, read_presets
from dfn.lessons.conditions import COMPARED, MEASURES, MeasureIs, PageIs, StateIs, Term, Told, condition, holds, term
from dfn.lessons.files import LARGEST, parse
from dfn.lessons.pages import KNOBS, PAGES

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "assets" / "lessons").glob("*.md"))

GOOD = """+++
title = "Essential depth"
minutes = 5
idea = "One sentence."
source = "arXiv 1605.07716"
+++

## Predict

Some text.

```toml
page = "compose"
state = { deep = 26, shallow = 8 }
look = "the card"
free = ["deep"]
done = ["state: deep >= 30", "predicted"]

[question]
kind = "number"
ask = "How deep?"
truth = "essential_depth"
low = 2
high = 50
explain = "So."
```

## Answer

More text.

```toml
page = "lessons"

[question]
kind = "choice"
ask = "Which?"

[[question.answers]]
text = "this"
right = true
feedback = "Yes."

[[question.answers]]
text = "that"
feedback = "No."
```
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_lesson_of_the_lab_is_right(file: Path):
    lesson = read(file)
    assert lesson.source and lesson.idea and 1 <= lesson.minutes <= 10
    assert all(step.conditions for step in lesson.steps)
    assert any(step.question and step.question.kind != "choice" for step in lesson.steps) or lesson.id.startswith(
        ("02", "06")
    ), "a lesson asks for a prediction where there is something to measure"


def test_the_lessons_of_the_lab_are_numbered_without_gaps():
    assert [int(file.stem.split("-")[0]) for file in FILES] == list(range(1, len(FILES) + 1))
    assert len(FILES) >= 8


def test_the_starting_points_are_right():
    presets = read_presets(ROOT / "assets" / "presets.toml")
    assert len({preset.title for preset in presets}) == len(presets) >= 6


def test_what_is_not_said_is_derived():
    first, second = parse(GOOD, "good.md").steps
    assert first.conditions == (StateIs("deep", ">=", 30), Told("predicted"))
    assert second.conditions == (Told("answered"),)
    assert first.state == {"deep": 26, "shallow": 8} and first.text == "Some text."


BROKEN = [
    ('title = "Essential depth"', 'title = ""', 2, "title", "at least 1 character"),
    ("minutes = 5", "minutes = 5000", 3, "minutes: 5000", "less than or equal to 120"),
    ("minutes = 5", "minutes = five", 3, "front matter", "accepted: TOML"),
    ('source = "arXiv 1605.07716"', 'sauce = "arXiv"', 5, "sauce", "no such field"),
    ("+++\ntitle", "---\ntitle", 1, "front matter", "line 1"),
    ("## Predict", "Predict\n\n## Predict", 8, "text before the first step", "## ..."),
    ('page = "compose"', 'page = "composer"', 13, "step “Predict”, page: composer", "one of lessons, compose"),
    ("deep = 26", "deep = 260", 14, "step “Predict”, state.deep: 260", "from 2 to 110"),
    ("deep = 26", "depth = 26", 14, "state.depth: 26", "only knobs of the page compose: data, deep"),
    ('free = ["deep"]', 'free = ["depth"]', 16, "free", "names of knobs: data, deep"),
    ('free = ["deep"]', 'highlight = "maps"', 16, "highlight", "what the page compose shows: data, deep"),
    ('"state: deep >= 30"', '"state: deep > many"', 17, "done: state: deep > many", "a whole number from 2 to 110"),
    ('"state: deep >= 30"', '"state: seed == 1"', 17, "done: state: seed == 1", "state: one of data, deep"),
    ('"state: deep >= 30"', '"state: join > sum"', 17, "done: state: join > sum", "compared by == or !="),
    ('"state: deep >= 30"', '"deep >= 30"', 17, "done: deep >= 30", "begins with page:, state: or measure:"),
    ('"state: deep >= 30"', '"measure: fun > 3"', 17, "done: measure: fun > 3", "one of paths, groups"),
    ('"state: deep >= 30"', '"measure: test_accuracy > 3"', 17, "done:", "test_accuracy(...) with one of fused"),
    ('"state: deep >= 30"', '"measure: paths(3) > 3"', 17, "done:", "paths without brackets"),
    ('"state: deep >= 30"', '"measure: paths"', 17, "done:", "with one of >= <= == != > < between them"),
    ('"state: deep >= 30"', '"page: home"', 17, "done:", "page: one of lessons"),
    ('"state: deep >= 30"', '"pressed"', 17, "done: pressed", "no such question or button"),
    ('kind = "number"', 'kind = "essay"', 20, "question.kind: essay", "kind = one of choice, number, pick, curve"),
    ('truth = "essential_depth"', 'truth = "__import__(os)"', 22, "question.truth", "one of paths, groups"),
    ("low = 2", "low = 60", 23, "question.low: 60.0", "a number below high, which is 50"),
    ('explain = "So."', "", 19, "question.explain: nothing", "this field is required"),
    ("right = true", "right = false", 41, "question.answers.right: nothing", "true in at least one"),
    ('feedback = "No."', 'feedbac = "No."', 46, "question.answers[1].feedbac: No.", "no such field"),
    ('kind = "choice"', 'kind = "choice', 36, "step “Answer”", "accepted: TOML"),
    ('```toml\npage = "lessons"', 'page = "lessons"', 28, "step “Answer”: no block", "```toml"),
]


@pytest.mark.parametrize(("old", "new", "line", "says", "accepted"), BROKEN)
def test_a_broken_file_is_told_by_line_field_value_and_what_is_accepted(old, new, line, says, accepted):
    assert old in GOOD
    with pytest.raises(LessonError) as told:
        parse(GOOD.replace(old, new, 1), "broken.md")
    messages = [f"{problem.line}: {problem.says}" for problem in told.value.problems]
    assert any(m.startswith(f"{line}: ") and says in m and accepted in m for m in messages), messages
    assert str(told.value).startswith("broken.md, line ")


def test_all_problems_are_told_at_once_in_the_order_of_the_lines():
    text = GOOD.replace("minutes = 5", "minutes = 0").replace("deep = 26", "deep = 1").replace("right = true", "")
    with pytest.raises(LessonError) as told:
        parse(text, "broken.md")
    lines = [problem.line for problem in told.value.problems]
    assert len(lines) == 3 and lines == sorted(lines)


@pytest.mark.parametrize("name", ["Lesson.md", "my lesson.md", "a.txt"])
def test_only_plain_names_are_lessons(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(LessonError, match="small letters, digits and hyphens"):
        read(path)


def test_files_that_are_no_text_or_too_large_are_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LessonError, match="UTF-8"):
        read(path)
    path.write_text("x" * (LARGEST + 1))
    with pytest.raises(LessonError, match="200,000"):
        read(path)


# ---- conditions -------------------------------------------------------------------------------------------------


def _holds(text: str, page: str = "compose", told: set[str] = frozenset(), measured=None, **state) -> bool:
    measured = measured or {}
    found = condition(text, page)
    return holds(found, told=set(told), page=page, state=state, measure=lambda name, a: measured.get((name, a)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state: deep >= 60", True),
        ("state: deep > 60", False),
        ("state: deep == 60", True),
        ("state: deep != 60", False),
        ("state: deep<=60", True),
        ("state: deep < 61", True),
        ("state: join == sum", True),
        ("state: join != concat", True),
        ("state: x != nothing", False),
        ("state: x == nothing", True),
    ],
)
def test_a_state_is_compared_as_written(text, expected):
    assert _holds(text, deep=60, join="sum", x="") is expected


def test_a_knob_without_a_value_holds_nothing():
    assert not _holds("state: epochs >= 1", "train", epochs=None)
    assert not _holds("state: epochs != 1", "train", epochs=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("measure: test_accuracy(fused) > test_accuracy(plain)", True),
        ("measure: test_accuracy(fused) > test_accuracy(plain) + 30", False),
        ("measure: test_accuracy(fused) - 10 >= test_accuracy(plain)", True),
        ("measure: test_accuracy(fused) > 83.5", True),
        ("measure: test_accuracy( fused )<=84", True),
        ("measure: exchange_difference(2) < 1e-6", True),
        ("measure: test_accuracy(resnet) > 0", False),
        ("measure: 0 < test_accuracy(resnet)", False),
    ],
)
def test_measures_are_compared_and_what_is_not_measured_holds_nothing(text, expected):
    measured = {("test_accuracy", "fused"): 84.0, ("test_accuracy", "plain"): 60.0, ("exchange_difference", "2"): 0.0}
    assert _holds(text, "train", measured=measured) is expected


def test_what_was_done_and_which_page_is_open():
    assert _holds("answered", told={"answered"}) and not _holds("answered")
    assert _holds("page: maps", "maps") and not _holds("page: maps", "compose")
    assert condition("page: maps", "compose") == PageIs("maps")


@pytest.mark.parametrize(
    "text", ["", "1e", "paths + ", "paths()", "paths; drop", "a.b", "alone(deep) * 2", "9" * 50, "(1)"]
)
def test_other_terms_are_refused(text):
    with pytest.raises(ValueError):
        term(text)


def test_a_term_is_plain_data():
    assert term("alone(deep) - 2.5") == Term("alone", "deep", -2.5)
    assert term("-3") == Term(plus=-3.0)
    assert condition("measure: paths >= 8", "compose") == MeasureIs(Term("paths"), ">=", Term(plus=8.0))
    assert set(COMPARED) == {">=", "<=", "==", "!=", ">", "<"}
    assert all(measure.about for measure in MEASURES.values())


@pytest.mark.parametrize("page", PAGES)
def test_the_default_of_every_knob_is_accepted(page):
    for name, knob in PAGES[page].items():
        if knob.default not in ("", None):
            assert knob.read(knob.default) == knob.default, name
        assert knob.read("<script>") is None and KNOBS[name].accepted


# ---- the shell --------------------------------------------------------------------------------------------------


def test_the_shell_says_what_is_wrong_and_what_is_right(tmp_path, capsys):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("deep = 26", "deep = 1"))
    assert main(["lessons", "check", str(good)]) == 0
    assert "2 steps" in capsys.readouterr().out
    assert main(["lessons", "check", str(good), str(bad)]) == 2
    said = capsys.readouterr()
    assert "bad.md, line 14: step “Predict”, state.deep: 1 is not accepted" in said.err
    assert "1 problem found" in said.err
    assert main(["lessons", "check", "--json", str(bad)]) == 2
    out = json.loads(capsys.readouterr().out)
    assert out["steps"] is None and out["problems"][0]["line"] == 14
    assert main(["lessons", "check", str(tmp_path / "none.md")]) == 2
    assert "cannot be read" in capsys.readouterr().err
