"""Every text in every language: the catalogues hold what the source says, every page speaks, and nobody speaks the
language of somebody else."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import catalogue
import pytest
from pages import page_at
from streamlit.testing.v1 import AppTest

from dfn import words
from dfn.data.info import data_sets
from dfn.data.own import PHOTOGRAPHS
from dfn.lessons import read, read_presets
from dfn.training.comparisons import methods
from dfn.training.recipe import PRESETS
from dfn.views import NAMES, source

ROOT = Path(__file__).parents[1]
LANGUAGES = catalogue.LANGUAGES_OF_CATALOGUES
PAGES = sorted(path.stem for path in (ROOT / "app" / "app_pages").glob("*.py"))


# ---- the catalogues --------------------------------------------------------------------------------------------


@pytest.mark.medium
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_every_text_and_no_other(language: str) -> None:
    assert not list(catalogue.troubles(language)), "make words, then translate what is empty"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_what_make_words_writes(language: str) -> None:
    assert catalogue.updated(language) == (catalogue.FOLDER / f"{language}.po").read_bytes(), "make words"


@pytest.mark.medium
def test_every_marked_text_can_be_extracted() -> None:
    files = [path for place in catalogue.PLACES for path in sorted((ROOT / place).rglob("*.*"))]
    assert not [line for path in files if path.suffix in (".py", ".js") for line in catalogue.unmarked(path)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('from dfn.words import _\n_(f"{1} path")', "values come in after"),
        ('from dfn.words import _\n_("{n} path".format(n=1))', "values come in after"),
        ("from dfn.words import N_\nN_(text)", "marks a text that stands here"),
        ("from dfn.words import _\nfor _ in range(3): pass", "cannot be the name of something else"),
    ],
)
def test_what_cannot_be_extracted_is_seen(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    (tmp_path / "page.py").write_text(text)
    assert says in "".join(catalogue.unmarked(tmp_path / "page.py"))


def test_a_text_of_a_view_that_cannot_be_extracted_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    catalogue.extracted()
    (tmp_path / "view.js").write_text('say(node, `${_("Fusion {number}", { number: 1 })}`); _(`path`);')
    assert len(list(catalogue.unmarked(tmp_path / "view.js"))) == 2


# ---- who speaks what -------------------------------------------------------------------------------------------


def test_english_needs_no_babel() -> None:
    program = (
        "import sys; from dfn.words import _, ngettext as n; print(_('paths'), n('a', 'b', 2), 'babel' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split()[:2] == ["paths", "b"] and "babel" not in said.split()


def test_two_who_speak_at_once_each_keep_their_own_language() -> None:
    both = threading.Barrier(2, timeout=30)

    def speaker(language: str) -> set[str]:
        words.speak(language)
        both.wait()
        return {words._("essential depth") for _turn in range(2000)}

    with ThreadPoolExecutor(2) as pool:
        english, korean = pool.map(speaker, ["en", "ko"])
    assert english == {"essential depth"} and korean == {"본질적 깊이"}
    assert words._("essential depth") == "essential depth"


@pytest.mark.medium
def test_two_sessions_at_once_each_keep_their_own_language(runs_dir: Path) -> None:
    one, other = page_at("compose", lang="ko").run(), page_at("compose").run()
    for depth in (30, 44):
        one.slider(key="deep").set_value(depth).run()
        other.slider(key="deep").set_value(depth).run()
        assert (one.title[0].value, other.title[0].value) == (
            "융합망 하나, 기반 망 둘",
            "One fused net, two base networks",
        )


def test_a_text_that_is_in_no_catalogue_stays_english_and_an_empty_one_empty() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: (words.speak("ko"), words._("no such text"), words._(""))[1:]).result() == (
            "no such text",
            "",
        )


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="accepted: en, ko"):
        words.speak("xx")


@pytest.mark.medium
def test_the_address_settles_the_language_and_a_switch_changes_it(runs_dir: Path) -> None:
    app = page_at("compose", lang="ko", deep="26").run()
    assert app.title[0].value == "융합망 하나, 기반 망 둘"
    app.segmented_control(key="language-choice").set_value("en").run()
    assert app.title[0].value == "One fused net, two base networks"
    assert app.query_params["lang"] == "en" and app.slider(key="deep").value == 26
    app.segmented_control(key="language-choice").set_value("ko").run()
    assert app.title[0].value == "융합망 하나, 기반 망 둘" and app.slider(key="deep").value == 26


@pytest.mark.medium
def test_the_language_stays_from_page_to_page(runs_dir: Path) -> None:
    app = page_at("compose", lang="ko").run()
    app.switch_page("app_pages/lessons.py").run()
    assert app.session_state["language-spoken"] == "ko" and not app.exception


@pytest.mark.medium
@pytest.mark.parametrize("said", ["xx", "<script>", "k" * 5000])
def test_a_language_in_the_address_that_is_not_there_is_english(said: str, runs_dir: Path) -> None:
    app = page_at("compose", lang=said).run()
    assert not app.exception and app.title[0].value == "One fused net, two base networks"


# ---- the views -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_view_gets_the_words_that_it_says_and_no_others(name: Any) -> None:
    from dfn.views import words as words_of

    def korean() -> dict[str, Any]:
        words.speak("ko")
        return words_of(name)

    assert words_of(name) == {}
    with ThreadPoolExecutor(1) as pool:
        data = pool.submit(korean).result()
    assert data["language"] == "ko"
    marked = set(re.findall(r'\b(?:_|N_|ngettext)\(\s*"((?:[^"\\]|\\.)*)"', source(name)))
    assert data["words"].keys() == marked


# ---- lessons ---------------------------------------------------------------------------------------------------

WORDS_OF_A_LESSON = {"title", "idea", "text", "look", "ask", "explain", "feedback", "button", "source"}


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(inner) for key, inner in value.items() if key not in WORDS_OF_A_LESSON}
    return [_without_words(inner) for inner in value] if isinstance(value, list | tuple) else value


LESSONS = sorted((ROOT / "assets" / "lessons").glob("*.md"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_differs_from_its_twin_in_words_only(language: str, path: Path) -> None:
    one, twin = read(path).model_dump(), read(path.parent / language / path.name).model_dump()
    assert _without_words(one) == _without_words(twin)
    said = [set(re.findall(r"`[^`]*`", json.dumps(lesson, ensure_ascii=False))) for lesson in (one, twin)]
    assert said[0] == said[1]  # names in code are the same in every language


@pytest.mark.parametrize("language", LANGUAGES)
def test_starting_points_differ_from_their_twins_in_words_only(language: str) -> None:
    file = ROOT / "assets" / "presets.toml"
    one, twin = (
        [preset.model_dump() for preset in read_presets(path)] for path in (file, file.parent / language / file.name)
    )
    assert _without_words(one) == _without_words(twin)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_twin_is_without_its_lesson(language: str) -> None:
    folder = ROOT / "assets" / "lessons"
    assert not {path.name for path in (folder / language).glob("*")} - {path.name for path in folder.glob("*.md")}


# ---- every page, read off the screen ---------------------------------------------------------------------------

SEEN = {"label", "help", "body", "value", "placeholder", "options", "content", "alt", "caption", "text", "header"}
UNSEEN_IN_VIEWS = {"id", "role", "kind", "state", "palette", "data", "sheet", "words", "language", "of", "scale"}
UNSEEN_IN_VIEWS |= {"pins", "pixels", "orientation", "elements", "lanes", "name_of_file", "done", "forget", "read"}
UNSEEN_IN_VIEWS |= {"arithmetic", "reveals"}
SEEN_IN_FIGURES = {"text", "name", "hovertemplate", "ticktext", "x", "y", "label", "labels"}

# Names that are the same in every language: of people, nets, methods, joins, tools, files and keys.
NAMES_OF_THE_FIELD = """
DFN Lab Wang Wei Zhang Zeng arXiv ReLU ResNet Highway Inception FitNets Captum PyTorch Python CSV PNG SVG HTML JSON TOML
Enter Tab Shift Esc Ctrl Home End GPU CPU MB CIFAR MNIST SmoothGrad DeepLIFT Grad CAM ImageNet English
JupyterLab VS Code sum mean max concat gate adaptive zlmzju fusenet AMD EPYC torch cpu dfn MV He
"""
NAMES = set(NAMES_OF_THE_FIELD.split())
PHRASES = ["Deeply-Fused Nets", "Fashion-MNIST", "Path-SGD", *PHOTOGRAPHS, *data_sets(), *PRESETS]
PHRASES += [name for info in data_sets().values() for name in info.classes]
for method in methods().values():
    PHRASES += [f"{method.family}: {method.title}", method.title, method.title[0].upper() + method.title[1:]]
# Labels of runs, as they lie on the disk: fused 50 + 14, plain 50.
LABEL = r"(?:fused|plain|late|decision|resnet) \d+(?: \+ \d+)*"
ID = r"(?<=· )[0-9a-f]{4}\b"  # the beginning of a run's id
MARKUP = r"<style>[^`]*</style>|`[^`]*`|%\{[^}]*\}|\$[^$]*\$|:material/\w+:|:\w+\[|https?://\S+|\]\([^)]*\)|<[^>]*>"
IN_BRACKETS = r"\([a-z -]+\)"  # a term of the field behind its translation
NAMED = "|".join(map(re.escape, sorted(PHRASES, key=len, reverse=True)))
# Korean particles follow a name without a space, so that no boundary of a word stands between them.
UNREAD = re.compile(rf"{MARKUP}|{IN_BRACKETS}|{ID}|(?<![A-Za-z])(?:{LABEL}|{NAMED})(?![A-Za-z])")


def english_in(text: str) -> list[str]:
    """Words of two or more Latin letters that are no name."""
    return [word for word in re.findall(r"[A-Za-z]{2,}", UNREAD.sub(" ", text)) if word not in NAMES]


def asterisks_in(text: str) -> list[str]:
    """Bold that Markdown leaves as asterisks: it ends in a sign, and a letter follows, as a Korean particle does."""
    bold = re.finditer(r"\*\*[^*]*([^*])\*\*(?=(\w?))", text)
    return [found[0] for found in bold if found[2] and not re.match(r"\w", found[1])]


def shown_on(app: AppTest) -> Iterator[str]:
    """Every text that a page shows, in the widgets, the figures and the views alike."""

    def of_json(value: Any, unseen: set[str], seen: set[str] | None = None, key: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for inner, content in value.items():
                if inner not in unseen:
                    yield from of_json(content, unseen, seen, inner)
        elif isinstance(value, list):
            for content in value:
                yield from of_json(content, unseen, seen, key)
        elif isinstance(value, str) and (seen is None or key in seen):
            yield value

    def of_message(message: Any) -> Iterator[str]:
        for field, value in message.ListFields():
            values = value if isinstance(value, list) or hasattr(value, "append") else [value]
            for one in values if field.message_type is None or not hasattr(value, "keys") else ():
                if field.message_type:
                    yield from of_message(one)
                elif field.name == "spec":
                    yield from of_json(json.loads(one), {"template", "uid"}, SEEN_IN_FIGURES)
                elif field.name == "json":
                    yield from of_json(json.loads(one), UNSEEN_IN_VIEWS)
                elif field.name == "html_content" or (isinstance(one, str) and field.name in SEEN):
                    yield one

    def of_node(node: Any) -> Iterator[str]:
        if getattr(node, "type", "") in ("code", "latex"):
            return
        if getattr(node, "proto", None) is not None:
            yield from of_message(node.proto)
        for child in getattr(node, "children", {}).values():
            yield from of_node(child)

    return of_node(app._tree)


def test_english_is_seen_where_it_should_not_be() -> None:
    assert english_in("맵을 **더합니다** `st.write` ResNet 50 :material/code: :blue[digits] $x_i$") == []
    assert english_in("융합망 fused 50 + 14, 가리기 (occlusion), **concat**은 digits와") == []
    assert english_in("맵을 더합니다. Click a deep block") == ["Click", "deep", "block"]


def test_bold_that_would_show_its_asterisks_is_seen() -> None:
    assert asterisks_in("**둘**은 **84.0 %**, **넷(4)** 그리고 **5**") == []
    assert asterisks_in("**둘**은 **84.0 %**입니다") == ["**84.0 %**"]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_korean_says_nothing_in_english(page: str, runs_dir: Path) -> None:
    app = page_at(page, lang="ko")
    for expander in ("sources", "code"):
        app.session_state[expander] = True
    app.run()
    assert not app.exception
    # a method's name in the shell is what its button stands for, and no text
    left = {text: english_in(text) for text in shown_on(app) if text not in methods()}
    assert not {text[:200]: found for text, found in left.items() if found}
    assert not [found for text in left for found in asterisks_in(text)]
