"""
The language of what people read here: that of Flask-Babel where the application has it, else English.

The catalogs are ``translations/<language>/LC_MESSAGES/retinue.po``, read as they are: what is reviewed is what runs.
A catalog of the application's own, in one of its translation directories and compiled as any other
(``<language>/LC_MESSAGES/retinue.mo``), goes before them; so an application can add a language, or say a thing in its own words.
"""

from __future__ import annotations

import io
from datetime import UTC, tzinfo
from gettext import NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import Flask, current_app, has_app_context
from markupsafe import Markup, escape

from retinue.flask.state import current

if TYPE_CHECKING:
    from babel import Locale

#: The folder of the catalogs, and the name that they have in any folder.
TRANSLATIONS: Final = Path(__file__).parent / "translations"
DOMAIN: Final = "retinue"


class Language(NamedTuple):
    """How one language says things."""

    #: As in ``<html lang="..." dir="...">``.
    code: str
    direction: str
    words: NullTranslations
    #: How numbers and dates are written; None: as in English.
    locale: Locale | None


#: What everything is written in.
ENGLISH: Final = Language("en", "ltr", NullTranslations(), None)


def init_app(app: Flask) -> None:
    """Give the templates of *app* the words, as globals whose names begin with ``retinue_``."""
    for function in (gettext, ngettext, pgettext, language):
        app.add_template_global(function, f"retinue_{function.__name__}")


def gettext(text: str, /, **values: Any) -> str:
    """
    Return *text* in the language of the reader, with *values* in the place of each ``%(name)s``.

    As markup, if one of *values* is; text and values that are none are escaped then.
    """
    return _filled(language().words.gettext(text), values)


def ngettext(one: str, several: str, number: int, /, **values: Any) -> str:
    """As `gettext()`, of *one* or of *several*, by the plural of *number*, which is ``%(number)s``."""
    return _filled(language().words.ngettext(one, several, number), {"number": number_of(number), **values})


def pgettext(context: str, text: str, /, **values: Any) -> str:
    """As `gettext()`, of a *text* that means something else elsewhere: *context* tells them apart."""
    return _filled(language().words.pgettext(context, text), values)


def marked(text: str) -> str:
    """Return *text* as it is: it stands in the catalogs, and `gettext()` gets it later."""
    return text


def number_of(number: int) -> str:
    """Return *number* as the reader writes numbers: "1,204"."""
    locale = language().locale
    if locale is None:
        return f"{number:,}"
    from babel.numbers import format_decimal  # noqa: PLC0415 - only where the application has it

    return format_decimal(number, locale=locale)


def zone() -> tzinfo:
    """Return the time zone of the reader: that of Flask-Babel, else UTC."""
    if not has_app_context() or "babel" not in current_app.extensions:
        return UTC
    from flask_babel import get_timezone  # type: ignore[import-untyped]  # noqa: PLC0415 - only where there is one

    found: tzinfo | None = get_timezone()
    return found or UTC


def language() -> Language:
    """Return the language of the reader, if there is a catalog for it; else English."""
    babel = current_app.extensions.get("babel") if has_app_context() else None
    if babel is None:
        return ENGLISH
    from flask_babel import get_locale  # noqa: PLC0415 - only where the application has it

    locale: Locale | None = get_locale()
    known: dict[str, Language] = current().languages
    if str(locale) not in known:
        known[str(locale)] = ENGLISH if locale is None else _language_of(locale, babel.translation_directories)
    return known[str(locale)]


def _language_of(locale: Locale, directories: list[str]) -> Language:
    from babel.support import Translations  # noqa: PLC0415 - Flask-Babel has it

    found = [Translations.load(folder, [locale], DOMAIN) for folder in directories]
    own: list[NullTranslations] = [one for one in found if isinstance(one, Translations)]
    codes = dict.fromkeys([str(locale), locale.language])
    files = [TRANSLATIONS / code / "LC_MESSAGES" / f"{DOMAIN}.po" for code in codes]
    catalogs = own + [_read(file, locale) for file in files if file.exists()]
    if not catalogs and locale.language != ENGLISH.code:
        return ENGLISH
    words, *others = catalogs or [NullTranslations()]
    for other in others:
        words.add_fallback(other)
    return Language(str(locale).replace("_", "-"), locale.text_direction, words, locale)


def _read(catalog: Path, locale: Locale) -> NullTranslations:
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - Flask-Babel has it
    from babel.messages.pofile import read_po  # noqa: PLC0415
    from babel.support import Translations  # noqa: PLC0415

    compiled = io.BytesIO()
    with catalog.open("rb") as file:
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def _filled(text: str, values: dict[str, Any]) -> str:
    if any(hasattr(value, "__html__") for value in values.values()):
        return Markup(escape(text)) % values  # noqa: S704 - escaped
    return text % values if values else text
