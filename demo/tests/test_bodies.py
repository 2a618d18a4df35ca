"""What somebody sends that is too large: refused before it is read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from demo.tests.browser.serving import serving
from demo.tests.conftest import Site, Visitor
from retinue_demo.app import LARGEST_BODY

#: What the server reads of a body at most, and one reading more.
READ_MOST = 16 * LARGEST_BODY + 64 * 1024

FORM = "POST /login HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def address(town: Site) -> Iterator[tuple[str, int]]:
    """Give where the demo's own server listens."""
    with serving(town.app) as address:
        host, port = address.removeprefix("http://").split(":")
        yield host, int(port)


def sent(address: tuple[str, int], head: str, pieces: Iterator[bytes]) -> tuple[str, int]:
    """Return the first line of the answer, and how many bytes of *pieces* were sent until then."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n")
        connection.settimeout(0.02)
        count, answer = 0, b""
        while not answer:
            with suppress(TimeoutError):
                answer = connection.recv(4096)
            if not answer:
                piece = next(pieces)
                connection.settimeout(20)
                connection.sendall(piece)
                connection.settimeout(0.02)
                count += len(piece)
        return answer.decode().partition("\r\n")[0], count


def nothing() -> Iterator[bytes]:
    """Yield a body that does not come."""
    while True:
        yield b""


def chunks() -> Iterator[bytes]:
    """Yield a body without an end, in pieces."""
    while True:
        yield b"8000\r\n" + b"a" * 0x8000 + b"\r\n"


@pytest.mark.parametrize("length", [16 * LARGEST_BODY, 10**9, 10**18])
def test_a_body_is_refused_by_its_length(address: tuple[str, int], length: int) -> None:
    """Before a byte of it is there."""
    assert sent(address, f"{FORM}Content-Length: {length}\r\n", nothing()) == (
        "HTTP/1.1 413 Request Entity Too Large",
        0,
    )


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_much(address: tuple[str, int]) -> None:
    """Sent in pieces without an end."""
    line, count = sent(address, f"{FORM}Transfer-Encoding: chunked\r\n", chunks())

    assert line == "HTTP/1.1 413 Request Entity Too Large"
    assert count <= READ_MOST + 4 * 0x8000  # what the system itself had taken on the way


def test_headers_without_an_end_are_refused(address: tuple[str, int]) -> None:
    """As a body is."""
    line, _ = sent(address, f"GET / HTTP/1.1\r\nX: {'x' * LARGEST_BODY}\r\n", nothing())

    assert line.endswith("431 Request Header Fields Too Large")


@pytest.mark.parametrize(
    "fields",
    [{"body": "x" * LARGEST_BODY}, {f"field_{n}": "" for n in range(2_000)}],
    ids=["a field", "fields"],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_somebody_may_have_pasted_is_answered_with_a_page(town: Site, fields: dict[str, str], kind: str) -> None:
    """Whatever kind of form it is."""
    visitor: Visitor = town.visitor()
    visitor.get("/login")

    with visitor.client.post("/login", data={"csrf_token": visitor.token, **fields}, content_type=kind) as answer:
        assert answer.status_code == 413
        assert "larger than anything this site accepts" in answer.get_data(as_text=True)


def test_more_parts_than_a_form_has_are_refused(town: Site) -> None:
    """Though they are small."""
    visitor = town.visitor()
    visitor.get("/login")
    fields = {"csrf_token": visitor.token, **{str(n): "" for n in range(100)}}

    with visitor.client.post("/login", data=fields, content_type="multipart/form-data") as answer:
        assert answer.status_code == 413
