"""What a stranger finds on the documentation site."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.site.conftest import build

pytestmark = pytest.mark.long

#: What people search for, and the page that answers: it is among the first three.
SEARCHES = {
    "flask followers": {"docs/tutorial", "docs/flask", "docs/existing-app"},
    "sqlalchemy follow users": {"docs/index", "docs/api/models", "docs/async"},
    "fastapi follow": {"docs/fastapi"},
    "private account": {"docs/privacy"},
    "race condition follow twice": {"docs/promises"},
    "delete user": {"docs/databases", "docs/writing"},
    "import existing follows": {"docs/importing"},
    "BlockedError": {"docs/api/errors"},
    "RETINUE_USER_SLUG": {"docs/flask"},
    "django-friendship": {"docs/comparison"},
}

#: What leads nowhere, and what the build says of it.
BROKEN = {
    "[a page](nowhere.md)": "nowhere.md",
    "[a heading](other.md#nowhere)": "local id not found in doc 'docs/other': 'nowhere'",
    "![a picture](nowhere.svg)": "nowhere.svg",
    "{nowhere}`a role`": 'Unknown interpreted text role "nowhere"',
}


def test_what_leads_nowhere_ends_the_build(sphinx: None, tmp_path: Path) -> None:
    """A broken link, and a page that no other leads to; while all is well, nothing does."""
    source = tmp_path / "docs"
    source.mkdir()
    well = "# Index\n\n[somewhere](other.md#somewhere)\n\n```{toctree}\nother\n```\n"
    (source / "other.md").write_text("# Other\n\nText.\n\n## Somewhere\n\nText.\n")

    (source / "index.md").write_text(well)
    assert build(tmp_path, tmp_path / "site").returncode == 0

    (source / "index.md").write_text(well + "\n\n".join(BROKEN))
    (source / "orphan.md").write_text("# Orphan\n\nText.\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert [
        said for said in [*BROKEN.values(), "orphan.md: WARNING: document isn't included"] if said not in done.stderr
    ] == []


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    """Fonts, scripts and styles are the site's own; and each page has a title and a description of its own."""
    titles, descriptions = [], []
    pages = [page for page in site.rglob("*.html") if page.name not in {"index.html", "search.html", "genindex.html"}]
    pages.append(site / "docs" / "index.html")
    assert len(pages) >= 40
    for page in pages:
        text = page.read_text()
        asked = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"([^\"]+)\"", text)
        assert [one for one in asked if urlsplit(one).netloc] == []
        titles += re.findall(r"<title>(.*?)</title>", text.partition("</head>")[0])
        descriptions += re.findall(r'<meta name="description" content="([^"]+)"', text)
    styles = [style.read_text() for style in site.rglob("*.css")]
    assert [style for style in styles if re.search(r"url\(\s*['\"]?https?:|@import", style)] == []
    assert len(set(titles)) == len(pages)
    assert len(set(descriptions)) == len(pages)


def test_the_search_finds_what_people_ask_for(site: Path, browser: Browser) -> None:
    """From the box on the first page, from a file and without a network, among the first three that it lists."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    wrong = []
    for words, answers in SEARCHES.items():
        page.goto((site / "docs" / "index.html").as_uri())
        page.get_by_role("textbox", name="Search").first.fill(words)
        page.keyboard.press("Enter")
        page.wait_for_selector("#search-results p.search-summary:not(:empty)")
        page.wait_for_function(
            "() => /finished|matching|did not match/i.test(document.querySelector('#search-results').innerText)"
        )
        found = [link.get_attribute("href") or "" for link in page.locator("#search-results ul.search > li > a").all()]
        first = [link.partition(".html")[0] for link in found[:3]]
        if not set(first) & answers:
            wrong.append((words, first))
    page.close()
    assert not wrong
    assert {urlsplit(one).scheme for one in asked} <= {"file", "data"}


def test_pages_fit_a_phone_in_both_themes(site: Path, browser: Browser) -> None:
    """No page is wider than the window; and dark is dark."""
    for scheme in ("light", "dark"):
        window = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
        page = window.new_page()
        for name in (
            "index",
            "tutorial",
            "promises",
            "comparison",
            "flask",
            "benchmarks",
            "api/graph",
            "api/operations",
        ):
            page.goto((site / "docs" / f"{name}.html").as_uri())
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert too_wide <= 0, f"{name}: {too_wide} pixels"
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) is (scheme == "dark"), (name, paper)
        window.close()
