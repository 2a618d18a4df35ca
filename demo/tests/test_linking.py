"""Addresses in posts become links, and nothing else does."""

from __future__ import annotations

import pytest

from retinue_demo.linking import linked


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a?b=1&c=2#d.", "https://example.org/a?b=1&amp;c=2#d"),
        ("HTTP://EXAMPLE.ORG", "HTTP://EXAMPLE.ORG"),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("“https://example.org/é”!", "https://example.org/é"),
        ("https://example.org/\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe", "https://example.org/"),
        ("<b>https://example.org/</b>", "https://example.org/"),
    ],
)
def test_an_address_of_the_web_is_a_link(text: str, address: str) -> None:
    """The whole address and no sentence's end; it says where it leads, and vouches for nothing."""
    html = str(linked(text))

    assert f'href="{address}" rel="nofollow ugc noopener noreferrer">{address}</a>' in html
    assert html.count("<a ") == 1
    assert "<b>" not in html


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", "www.example.org", "xhttps://example.org", "https://", "a <b>"]
)
def test_nothing_else_is(text: str) -> None:
    """Not what could do something else than lead to a page of the web, nor what is half an address."""
    assert "<a" not in linked(text)
    assert "<b>" not in linked(text)
