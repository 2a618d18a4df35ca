"""A client of an ASGI application: HTTPX, for tests that are not async themselves."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx


class Client:
    """Asks *app* one thing after the other, in one event loop, as a server would."""

    def __init__(self, app: Any, *, root_path: str = "", raises: bool = True) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=raises, root_path=root_path)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
        self._lifespan = app.router.lifespan_context(app)

    def __enter__(self) -> Self:
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._lifespan.__aexit__(kind, error, trace))
        self._runner.run(self._client.aclose())
        self._runner.close()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)


def asked(app: Any, url: str, *, raises: bool = True, **options: Any) -> httpx.Response:
    """Return what *app* answers to one GET."""
    with Client(app, raises=raises) as client:
        return client.get(url, **options)
