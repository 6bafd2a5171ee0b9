"""All texts that are marked for translation, read from the source, and the catalogues that hold what other languages
say for them. `python tests/catalogue.py` (`make words`) brings the catalogues up to date: new texts come in empty,
those that are gone go, and what was translated stays.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from dfn.words import FOLDER, LANGUAGES, SOURCE  # noqa: E402

PLACES = ("app", "dfn")
METHODS = [("**.py", "python"), ("**.js", "javascript")]
OPTIONS = {"**.js": {"parse_template_string": "true"}}
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
LANGUAGES_OF_CATALOGUES = tuple(language for language in LANGUAGES if language != SOURCE)


@cache
def extracted() -> Catalog:
    """A catalogue without translations: every marked text of the source, with the files where it stands."""
    found = Catalog()
    for place in PLACES:
        for file, _line, text, _comments, context in extract_from_dir(str(ROOT / place), METHODS, OPTIONS, KEYWORDS):
            found.add(text, None, [(f"{place}/{Path(file).as_posix()}", 0)], context=context)
    return found


def kept(language: str) -> Catalog:
    """The catalogue of a language as it lies in the project."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> bytes:
    """The text of the catalogue of a language, brought up to date with the source."""
    catalogue = kept(language) if (FOLDER / f"{language}.po").exists() else Catalog(language)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    text = BytesIO()
    # without lines and dates: they change with every commit, and what two people translate could not be merged
    plain = {"ignore_obsolete": True, "include_lineno": False, "omit_header": True}
    write_po(text, catalogue, width=120, sort_by_file=True, **plain)
    return text.getvalue()


def placeholders(text: str) -> list[str]:
    """What stands in braces, in the order of names: `{count}`, `{value:.2f}`."""
    return sorted(re.findall(r"\{[^{}]*\}", text))


def troubles(language: str) -> Iterator[str]:
    """What is wrong with the catalogue of a language: a line for every text."""
    source, catalogue = extracted(), kept(language)
    for message in source:
        if not message.id:
            continue
        said = catalogue.get(message.id)
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        forms = [] if said is None else [said.string] if isinstance(said.string, str) else list(said.string)
        if said is None or not forms or not all(forms):
            yield f"not translated: {texts[0]!r}, in {message.locations[0][0]}"
        elif said.fuzzy:
            yield f"fuzzy: {texts[0]!r}"
        elif any(placeholders(form) != placeholders(texts[-1]) for form in forms):
            yield f"other placeholders than in English: {texts[0]!r}"
        elif {file for file, _ in said.locations} != {file for file, _ in message.locations}:
            yield f"stands elsewhere than the catalogue says: {texts[0]!r}"
    for message in catalogue:
        if message.id and message.id not in source:
            yield f"no longer in the source: {message.id!r}"
    yield from (f"no longer in the source: {text!r}" for text in catalogue.obsolete)


def unmarked(path: Path) -> Iterator[str]:
    """Calls in a source file that cannot be extracted, and what would hide `_`: a line for each."""
    if path.suffix == ".js":
        yield from _unmarked_in_js(path)
        return
    tree = ast.parse(path.read_text("utf-8"))
    where = path.relative_to(ROOT).as_posix()
    translates = any(
        isinstance(node, ast.ImportFrom) and node.module == "dfn.words" and "_" in {name.name for name in node.names}
        for node in ast.walk(tree)
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            for text in node.args[:2]:
                inner = text.func if isinstance(text, ast.Call) else None
                if isinstance(text, ast.JoinedStr) or (isinstance(inner, ast.Attribute) and inner.attr == "format"):
                    yield f"{where}:{node.lineno}: values come in after translating: _(...).format(...)"
            if node.func.id != "_" and not isinstance(node.args[0], ast.Constant):
                yield f"{where}:{node.lineno}: {node.func.id} marks a text that stands here"
        if translates and isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store):
            yield f"{where}:{node.lineno}: `_` translates in this file and cannot be the name of something else"


def _unmarked_in_js(path: Path) -> Iterator[str]:
    where, source = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    found = {
        (file, message.id if isinstance(message.id, str) else message.id[0])
        for message in extracted()
        for file, _ in message.locations
    }
    for called in re.finditer(r"\b(?:_|N_|ngettext)\((?!\w)(?:\s*\"((?:[^\"\\]|\\.)*)\")?", source):
        if called[1] is None or (where, called[1].replace('\\"', '"')) not in found:
            line = source.count("\n", 0, called.start()) + 1
            yield f"{where}:{line}: a text in quotation marks, outside of `...${{}}...`, can be extracted"


if __name__ == "__main__":
    for language in LANGUAGES_OF_CATALOGUES:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{language}.po").write_bytes(updated(language))
        missing = list(troubles(language))
        print(f"{LANGUAGES[language]}: {len(kept(language))} texts, {len(missing)} to be looked at")
        print(*missing, sep="\n")
