"""The words that people read, in their language. English is the source: it stands in the code, and English needs no
catalogue and no Babel.

Common ground: every room may import this, and it imports none. `_` translates where a text is shown, never where it
is defined; what stands in a module's constants is marked by `N_` there and translated by `_` where it is shown.
Values come in afterwards, `_("{count} of {all}").format(count=1, all=3)`: a translation may put them elsewhere.
"""

import gettext as _gettext
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

SOURCE = "en"
LANGUAGES = {SOURCE: "English", "ko": "한국어"}
"""Every language there is, by its code, in its own name."""

FOLDER = Path(__file__).with_name("locale")

_spoken: ContextVar[str] = ContextVar("spoken", default="")
_hosts: list[Callable[[], str]] = []


def speak(language: str) -> None:
    """Speak this language from now on, in this thread or task alone. Raises ValueError for one that is not there."""
    if language not in LANGUAGES:
        raise ValueError(f"language: {language!r} is not accepted; accepted: {', '.join(LANGUAGES)}")
    _spoken.set(language)


def ask(host: Callable[[], str]) -> None:
    """Have a host that knows whom it speaks to (the app: every session) asked for the language at every text, where
    nobody has called `speak`; it answers with nothing where it does not know."""
    _hosts[:] = [host]


def spoken() -> str:
    """The code of the language that is spoken here and now."""
    return _spoken.get() or (_hosts[0]() if _hosts else "") or SOURCE


def _(text: str) -> str:
    """The text in the language that is spoken."""
    if not text or spoken() == SOURCE:  # the empty text is where a catalogue keeps its own description
        return text
    return _translations(spoken()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """One of two texts by a count, in the language that is spoken; `{count}` is not filled in."""
    if spoken() == SOURCE:
        return one if count == 1 else many
    return _translations(spoken()).ngettext(one, many, count)


def N_(text: str) -> str:
    """The text as it is, marked for translation where it is shown."""
    return text


@cache
def of_files(language: str, files: tuple[str, ...]) -> dict[str, list[str]]:
    """What a language says for each text of these source files (paths from the root, with /): its forms by count."""
    if language == SOURCE:
        return {}
    found: dict[str, list[str]] = {}
    for message in _catalogue(language):
        if message.id and any(file in files for file, _line in message.locations):
            one = message.id if isinstance(message.id, str) else message.id[0]
            found[one] = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return found


@cache
def _catalogue(language: str) -> "Catalog":
    from babel.messages.pofile import read_po

    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: str) -> _gettext.GNUTranslations:
    """The catalogue in the form that `gettext` reads, made in memory: what is kept in git is text."""
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)
