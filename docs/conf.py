"""
How the pages of this folder become a site: `python3 dev.py docs`.

The sources are Markdown that reads as well on a code host, so what a site needs beside it is made here: the description
of a page is its first paragraph, a name in code leads to its place in the reference, and the reference is written from
docstrings.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import tomllib
import warnings
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

import retinue

ROOT = Path(__file__).resolve().parent.parent

project = "Retinue"
author = "The Retinue authors"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
version = release

# The clone is the source, not this folder: so a link from a page to CHANGELOG.md is the same on a code host and here.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "examples/*/README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = ["**/.*", ".*", "site", "src", "tests", "demo", "benchmarks", "requirements", "build", "dist"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# A link to a heading that is not there is a warning, and a warning fails.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "deflist"]
show_warning_types = True

# Docstrings say `Graph`, as plain text; what is no public name stays code.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autoclass_content = "class"
python_use_unqualified_type_names = True
python_display_short_literal_types = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
add_module_names = False
maximum_signature_line_length = 88
warnings.filterwarnings("ignore", message="Unmanaged access of declarative attribute")

html_theme = "furo"
html_title = "Retinue"
html_baseurl = ""
html_static_path = ["_site/static"]
html_favicon = str(ROOT / "demo" / "src" / "retinue_demo" / "static" / "icon.svg")
html_css_files = ["site.css"]
html_search_scorer = str(ROOT / "docs" / "_site" / "scorer.js")
templates_path = ["_site/templates"]
html_additional_pages = {"index": "redirect.html"}
html_copy_source = False
html_domain_indices = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_last_updated_fmt = None
# The colours of the extension's own buttons.
html_theme_options = {
    "navigation_with_keys": True,
    "top_of_page_buttons": [],
    "light_css_variables": {"color-sidebar-link-text--top-level": "var(--color-foreground-primary)"}
    | dict.fromkeys(["color-brand-primary", "color-brand-content", "color-api-name"], "#b93a16")
    | {"color-brand-visited": "#8a4b2f"},
    "dark_css_variables": {"color-sidebar-link-text--top-level": "var(--color-foreground-primary)"}
    | dict.fromkeys(["color-brand-primary", "color-brand-content", "color-api-name"], "#ff9872")
    | {"color-brand-visited": "#d9a48c"},
}
pygments_style = "github-light"
pygments_dark_style = "github-dark"

#: What a description has room for in a list of results.
DESCRIPTION = 155


def described(text: str) -> str:
    """Return as many whole sentences of *text* as a list of results shows, at least one of them cut at a word."""
    text = " ".join(text.split())
    if len(text) <= DESCRIPTION:
        return text
    ends = [end.end() for end in re.finditer(r"[.!?](?= |$)", text[:DESCRIPTION])]
    return text[: ends[-1]] if ends else text[:DESCRIPTION].rsplit(" ", 1)[0] + " ..."


def describe(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Let a page's first paragraph be its description, and the first page have its own title."""
    if page == root_doc:
        context["docstitle"] = None
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None) if doctree else None
    if paragraph is not None:
        text = app.builder.env.metadata.get(page, {}).get("description") or described(paragraph.astext())
        context["metatags"] = f'{context.get("metatags", "")}\n<meta name="description" content="{_escaped(text)}">'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def full_name(env: BuildEnvironment, said: str, within: str = "") -> str | None:
    """Return the documented name that *said* stands for, in a class or module *within*; None if there is none."""
    name = said.removesuffix("()").removeprefix("~")
    if name.startswith("graph."):
        name = f"Graph.{name.removeprefix('graph.')}"
    known = env.domains.python_domain.objects
    last = name.rpartition(".")[2]
    tried = [name, f"{within}.{name}" if within else name, f"retinue.{name}"]
    if name.startswith("retinue.") and last in retinue.__all__:
        tried.append(f"retinue.{last}")
    return next((one for one in tried if one in known), None)


def find(app: Sphinx, env: BuildEnvironment, node: pending_xref, contents: nodes.Element) -> nodes.Element | None:
    """Resolve what a docstring, or a signature, calls by another name than the reference does."""
    if node.get("refdomain") != "py":
        return None
    within = node.get("py:class") or node.get("py:module") or ""
    module = node.get("py:module") or ""
    name = full_name(env, node["reftarget"], within) or full_name(env, node["reftarget"], module)
    return link_to(app, env, name, node["refdoc"], contents) if name else None


def link_to(app: Sphinx, env: BuildEnvironment, name: str, page: str, contents: nodes.Element) -> nodes.Element:
    """Return *contents* as a link from *page* to the place of *name* in the reference."""
    place = env.domains.python_domain.objects[name]
    return make_refnode(app.builder, page, place.docname, place.node_id, [contents], name)


def unsigned(
    _app: Sphinx, _what: str, _name: str, thing: object, _options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Leave out how a value is made that Retinue makes and applications read: its fields say what it has."""
    is_class = isinstance(thing, type) and thing is not retinue.Settings
    if signature and is_class and (issubclass(thing, (enum.Enum, Exception, tuple)) or dataclasses.is_dataclass(thing)):
        return "", None
    return signature, returns


def pages_lead(_app: Sphinx, _what: str, _name: str, _thing: object, _options: Any, lines: list[str]) -> None:
    """Let a page that a docstring names by its file, as for a reader of the code, be a link."""
    lines[:] = [re.sub(r"\bdocs/(\w+)\.md", r":doc:`/docs/\1`", line) for line in lines]


class Colons:
    """Keeps Napoleon from the text of attributes: it would take the words before a colon for a type."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def keep(self, _app: Sphinx, what: str, _name: str, _thing: object, _options: Any, lines: list[str]) -> None:
        """Note what is said, before Napoleon reads it."""
        self.kept = list(lines) if what in {"attribute", "data"} else []

    def give_back(self, _app: Sphinx, what: str, _name: str, _thing: object, _options: Any, lines: list[str]) -> None:
        """Say it as it was."""
        if what in {"attribute", "data"}:
            lines[:] = self.kept


class NamesLead(SphinxPostTransform):
    """A public name in the code of a sentence leads to its place in the reference."""

    default_priority = 20

    def run(self, **_: Any) -> None:
        """Put a link around each."""
        for node in list(self.document.findall(nodes.literal)):
            said = node.astext()
            if not re.fullmatch(r"(retinue\.|Graph\.|graph\.)?[A-Za-z_]+(\.[A-Za-z_]+)*(\(\))?", said):
                continue
            bare = said.removesuffix("()")
            if "." not in bare and bare not in retinue.__all__:
                continue
            if _is_inside(node, nodes.reference, nodes.title, pending_xref):
                continue
            if name := full_name(self.env, said):
                node.replace_self(link_to(self.app, self.env, name, self.env.docname, node.deepcopy()))


def _is_inside(node: nodes.Node | None, *kinds: type[nodes.Node]) -> bool:
    while node is not None:
        if isinstance(node, kinds):
            return True
        node = node.parent
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    """Add what is made here to Sphinx."""
    app.connect("html-page-context", describe)
    app.connect("missing-reference", find)
    app.connect("autodoc-process-signature", unsigned)
    colons = Colons()  # Napoleon's own place is 500
    app.connect("autodoc-process-docstring", colons.keep, priority=400)
    app.connect("autodoc-process-docstring", colons.give_back, priority=600)
    app.connect("autodoc-process-docstring", pages_lead, priority=700)
    app.add_post_transform(NamesLead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
