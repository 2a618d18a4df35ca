"""A browser's part of the work and no more: one connection that stays open, and cookies. It costs little beside the server."""

from __future__ import annotations

import socket
from dataclasses import dataclass

#: How a browser sends the fields of a script's FormData.
_BOUNDARY = "----of-a-benchmark"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    #: Where a redirect leads.
    location: str
    body: bytes


class Browser:
    """Somebody at one of the apps, on a connection of their own."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._cookies: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def get(self, path: str) -> Answer:
        """Return a page."""
        return self._ask("GET", path, "Accept: text/html\r\n", "")

    def submit(self, path: str, next_path: str = "") -> Answer:
        """Send a form, as a browser does without a script; its answer, not the page to which that leads."""
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        # What else urlencode() would change is in none of the paths here.
        fields = next_path.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D").replace("@", "%40")
        return self._ask("POST", path, f"Accept: text/html\r\n{kind}", f"next={fields}&anchored=")

    def press(self, path: str, next_path: str = "") -> Answer:
        """Send a form as Retinue's script does: for the button alone."""
        field = '--{}\r\nContent-Disposition: form-data; name="next"\r\n\r\n{}\r\n--{}--\r\n'
        kind = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n"
        return self._ask(
            "POST", path, f"Accept: application/json\r\n{kind}", field.format(_BOUNDARY, next_path, _BOUNDARY)
        )

    def _ask(self, method: str, path: str, headers: str, body: str) -> Answer:
        lines = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}"
        if self._cookies:
            lines += f"Cookie: {'; '.join(f'{name}={value}' for name, value in self._cookies.items())}\r\n"
        if method == "POST":
            origin = f"Origin: http://{self._host}\r\nSec-Fetch-Site: same-origin\r\n"
            lines += f"{origin}Content-Length: {len(body)}\r\n"
        self._socket.sendall(f"{lines}\r\n{body}".encode())
        status, length, location = int(self._file.readline().split()[1]), 0, ""
        while (line := self._file.readline().strip().decode()) != "":
            name, _, value = line.partition(": ")
            if name == "Content-Length":
                length = int(value)
            elif name == "Location":
                location = value
            elif name == "Set-Cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self._cookies[cookie] = content
        return Answer(status, location, self._file.read(length))
