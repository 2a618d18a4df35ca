"""docs/fastapi.md does what it says, word for word; and FastAPI does what the page says of it."""

# No annotations as strings: exec() would hand that on to the page's code.

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI

import retinue.fastapi
from tests.fastapi.client import Client

REFERENCE = (Path(__file__).resolve().parents[2] / "docs" / "reference.md").read_text()
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fastapi.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Give the names of main.py, with everything on the page in it."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "main"}
    for block in blocks("python"):
        exec(block, names)
    yield names
    names["sync_sessions"].kw["bind"].dispose()


def said(client: Client, command: str) -> str:
    """Return what a ``curl`` command prints."""
    words, method, headers, url = iter(shlex.split(command)[1:]), "GET", {}, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        else:
            url = word
    place = urlsplit(url)
    ask = {"GET": client.get, "POST": client.post}[method]
    return ask(f"{place.path}?{place.query}", headers=headers).text


def test_the_commands_print_what_the_page_prints(names: dict[str, Any]) -> None:
    """One after the other, on the app as the page has it."""
    (console,) = blocks("console")
    lines = console.splitlines()
    commands = [(line.removeprefix("$ "), lines[number + 1]) for number, line in enumerate(lines) if line[0] == "$"]
    assert len(commands) > 5
    with Client(names["app"]) as client:
        for command, printed in commands:
            pattern = re.escape(printed).replace(r"\.\.\.", ".*")
            assert re.fullmatch(pattern, said(client, command)), command


def test_what_the_page_adds_works_too(names: dict[str, Any]) -> None:
    """Links, discreet look-ups, one place that commits, retries, background tasks, events, sync endpoints."""
    me = {"X-User": "1"}
    with Client(names["app"]) as client:
        for name in ("ann", "bob", "cy"):
            client.post(f"/users?username={name}")
        assert client.post("/follow_many", json=[2, 3], headers=me).json() == 2
        assert client.post("/follow_many", json=[2, 3], headers=me).json() == 0
        assert client.post("/follow_many", json=[2, 9], headers=me).status_code == 404
        assert client.post("/users/1/follow_and_tell", headers={"X-User": "2"}).json() is True
        assert client.post("/users/1/follow_and_tell", headers={"X-User": "2"}).json() is False
        assert names["sent"] == ["2 follows 1"]
        assert names["inbox"].qsize() == 3
        assert names["all_followers"](client, 2) == ["ann"]
        first = client.get("/users/1/following?limit=1").json()
        rest = client.get(first["next"]).json()
        assert [item["user"]["id"] for item in first["items"] + rest["items"]] == [3, 2]
        assert client.post("/users/2/remove_from_followers", headers=me).status_code == 204
        assert client.post("/users/1/remove_from_followers", headers={"X-User": "2"}).status_code == 204
        assert client.get("/users/2/followers").json()["items"] == []
        assert client.get("/users/2").json() == {"id": 2, "username": "bob"}
        assert client.get("/users/9").status_code == 404


def test_the_test_on_the_page_passes(names: dict[str, Any], tmp_path: Path) -> None:
    """On the database that it makes, and not on that of the app."""
    asyncio.run(names["test_nobody_follows_themselves"]())

    assert (tmp_path / "test.sqlite3").exists()
    assert not (tmp_path / "app.sqlite3").exists()


@pytest.mark.parametrize("scope", ["request", "function"])
def test_when_fastapi_ends_a_dependency(scope: Any) -> None:
    """After the answer and its background tasks; with the scope of a function, before."""
    happened: list[str] = []
    app = FastAPI()

    def dependency() -> Iterator[None]:
        yield
        happened.append("commit")

    def task() -> None:
        happened.append("task")

    @app.get("/")
    def endpoint(_: Annotated[None, Depends(dependency, scope=scope)], tasks: BackgroundTasks) -> None:
        tasks.add_task(task)

    async def watched(asgi: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            happened.append(message["type"].removeprefix("http.response."))
            await send(message)

        await app(asgi, receive, note)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://testserver") as client:
            await client.get("/")

    asyncio.run(ask())

    assert happened == (
        ["start", "body", "task", "commit"] if scope == "request" else ["commit", "start", "body", "task"]
    )


@pytest.mark.parametrize("name", retinue.fastapi.__all__)
def test_a_public_name_is_explained(name: str) -> None:
    """By the reference, and by `help()` where it is a class or a function."""
    thing = getattr(retinue.fastapi, name)

    assert re.search(rf"\b{name}\b", REFERENCE)
    assert name == "Paging" or (thing.__doc__ or "").strip()


def test_the_public_names_are_sorted() -> None:
    """A reader finds a name at its place."""
    assert retinue.fastapi.__all__ == sorted(retinue.fastapi.__all__)
