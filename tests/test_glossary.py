"""The glossary: every name of a card has its sentence, and the list opens on any page, by a link or the button."""

import ast
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pages import cards_of, page_at, text_of

from dfn import words
from dfn.lessons.glossary import GLOSSARY, found, meaning

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.stem for path in (ROOT / "app" / "app_pages").glob("*.py"))


def test_every_word_of_the_architecture_is_there() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("## 2.")[1].split("## 3.")[0]
    named = re.findall(r"^\| ([a-z ]+) \|", section, flags=re.MULTILINE)
    assert len(named) > 8
    assert [name for name in named if name != "word" and meaning(name) is None] == []


def test_a_word_stands_once_and_is_said_in_one_sentence() -> None:
    labels = [label for term in GLOSSARY for label in (term.word, *term.cards)]
    assert len(labels) == len(set(labels))
    for term in GLOSSARY:
        assert term.says.endswith(".") and ". " not in term.says, term.word
        assert re.fullmatch(r"(arXiv \d{4}\.\d{5}(, § \d)?)?", term.source), term.word


def test_a_name_that_a_page_fills_in_is_found_and_another_is_not() -> None:
    term = meaning("cosine of deep and shallow")
    assert term is not None and term.word == "cosine"
    assert meaning("cosine of") is None and meaning("") is None


def test_names_are_found_in_the_language_that_is_spoken() -> None:
    def korean() -> list[str | None]:
        words.speak("ko")
        return [term and term.word for term in map(meaning, ("deep 블록과 shallow 블록의 코사인", "cosine"))]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(korean).result() == ["cosine", None]


def test_the_list_is_searched_in_words_sentences_and_names_of_cards() -> None:
    assert found("") == list(GLOSSARY) == found("  ")
    assert {"cosine"} < {term.word for term in found("OPPOSITE")}
    assert "pointing game" in {term.word for term in found("hits")}
    assert found("(.+)") == []


def _names_of_cards() -> Iterator[str]:
    """What stands second in a call of `figure`, also for cards that only a click brings."""
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and called == "figure" and not isinstance(node.args[1], ast.JoinedStr):
                texts = [inner.value for inner in ast.walk(node.args[1]) if isinstance(inner, ast.Constant)]
                yield from (text for text in texts if isinstance(text, str))


def test_every_card_that_the_source_names_is_in_the_glossary() -> None:
    names = list(_names_of_cards())
    assert {"infidelity", "sensitivity", "pointing game: hits"} <= set(names)
    assert [name for name in names if meaning(name) is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_card_of_a_page_is_in_the_glossary(page: str, runs_dir: Path) -> None:
    app = page_at(page).run()
    assert not app.exception
    names = [*cards_of(app), *(metric.label for metric in app.metric)]
    assert [name for name in names if meaning(name) is None] == []
    helps = {markdown.value: markdown.proto.help for markdown in app.markdown}
    assert all(helps[name] for name in cards_of(app))


@pytest.mark.slow
def test_the_button_opens_the_list_and_a_search_is_kept_in_the_link(runs_dir: Path) -> None:
    app = page_at("compose").run()
    assert "**cosine**" not in text_of(app)
    app.button(key="glossary").click().run()
    assert "**cosine**" in text_of(app) and "**seed**" in text_of(app)
    app.text_input(key="glossary-said").set_value("cosine").run()
    assert app.query_params["word"] == "cosine"
    assert "**cosine**" in text_of(app) and "**seed**" not in text_of(app)


@pytest.mark.slow
@pytest.mark.parametrize("said", ["nothing-like-it", "<script>", "[x](y)", "k" * 5000])
def test_a_link_without_such_a_word_says_so(said: str, runs_dir: Path) -> None:
    app = page_at("compose", word=said).run()
    assert not app.exception
    assert f"“{said[:40]}" in text_of(app)
