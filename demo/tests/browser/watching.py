"""What a browser must never see while somebody uses the demo, whatever the test is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

#: What a browser writes into its console for any page that is not there.
_NOT_THERE = re.compile(r"^error: Failed to load resource: .* status of 4\d\d ")


@dataclass
class Watch:
    """Notes every fault in one browser context: errors, warnings, other hosts, answers from 500 up."""

    address: str
    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to watch *context*."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("response", self._response)

    def expect(self, pattern: str) -> None:
        """Strike what a test has provoked from the list: there must be some, and all of it matches *pattern*."""
        assert [fault for fault in self.faults if re.search(pattern, fault)], self.faults
        self.faults = [fault for fault in self.faults if not re.search(pattern, fault)]

    def _console(self, message: ConsoleMessage) -> None:
        said = f"{message.type}: {message.text} "
        if message.type in {"error", "warning", "assert"} and not _NOT_THERE.match(said):
            self.faults.append(said)

    def _error(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and f"{parts.scheme}://{parts.netloc}" != self.address:
            self.faults.append(f"another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"answer {response.status}: {response.request.method} {response.url}")
