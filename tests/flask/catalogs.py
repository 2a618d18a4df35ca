"""
The catalogs of what people read in the extension: made from its code and its templates.

``python -m tests.flask.catalogs`` writes the template ``retinue.pot`` anew, and brings each catalog up to date with it:
what is new stands there without a translation, which a test does not let pass.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from retinue.flask.language import DOMAIN, TRANSLATIONS

#: The functions whose first arguments are translated.
KEYWORDS: Final[dict[str, Any]] = {
    "gettext": None,
    "ngettext": DEFAULT_KEYWORDS["ngettext"],
    "pgettext": DEFAULT_KEYWORDS["pgettext"],
    "marked": None,
    "retinue_gettext": None,
    "retinue_ngettext": DEFAULT_KEYWORDS["ngettext"],
    "retinue_pgettext": DEFAULT_KEYWORDS["pgettext"],
}

TEMPLATE: Final = TRANSLATIONS / f"{DOMAIN}.pot"


def extracted() -> Catalog:
    """Return everything that is marked, with the file that it is in."""
    catalog = Catalog(project="Retinue", charset="utf-8")
    package = TRANSLATIONS.parent
    methods = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    options = {"templates/**.html": {"trimmed": "true"}}
    for file, _, message, comments, context in extract_from_dir(package, methods, options, KEYWORDS):
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalog


def shipped() -> dict[str, Path]:
    """Return the catalog of each language."""
    return {file.parts[-3]: file for file in sorted(TRANSLATIONS.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))}


def read(file: Path) -> Catalog:
    """Return the catalog in *file*."""
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parts[-3] if file.suffix == ".po" else None)


def text_of(catalog: Catalog) -> str:
    """Return *catalog* as its file is written: sorted, without times, so that it changes when its words do."""
    written = io.BytesIO()
    write_po(written, catalog, width=100, sort_by_file=True, omit_header=catalog.locale is None, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date')))


def main() -> None:
    """Write them all."""
    template = extracted()
    TEMPLATE.write_text(text_of(template))
    for file in shipped().values():
        catalog = read(file)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        file.write_text(text_of(catalog))


if __name__ == "__main__":
    main()
