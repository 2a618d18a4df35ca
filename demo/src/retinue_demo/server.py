"""Starting the demo: the database, the community, a port, and the server."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from flask import Flask
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from retinue import Graph, transact
from retinue_demo import places
from retinue_demo.app import LARGEST_BODY, create_app
from retinue_demo.migrating import OtherVersionError
from retinue_demo.models import User, db
from retinue_demo.passwords import PASSWORD
from retinue_demo.people import invented
from retinue_demo.places import Size
from retinue_demo.progress import progress
from retinue_demo.seed import seed

THREADS = 8
_LOOPBACK = ("127.", "::1")


class CannotStartError(Exception):
    """The demo cannot start; the text says why, and what to do."""


def run(host: str, port: int, database: str | None, size: Size) -> int:
    """
    Serve the demo until it is interrupted or terminated; return the exit code.

    *port* 0 takes any free one. A new database is given a community of that *size*.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # It warns whenever two requests come at once.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # It tells of every step.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, _stop)
    # Whatever is made, SQLite's own files as well, is for this user alone.
    os.umask(0o077)
    try:
        app = _prepare(database, size)
        with listen(host, port) as listener:
            _serve(app, listener, wished_for=port)
    except CannotStartError as error:
        print(f"retinue_demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _prepare(database: str | None, size: Size) -> Flask:
    """Return the app, on a database with a community in it."""
    try:
        folder, key = _keep()
        app, url = _open(database, size, folder, key)
        _fill(app, url, size)
    except ModuleNotFoundError as error:
        package = "psycopg[binary]" if error.name == "psycopg" else error.name
        message = f"{error.name} is not installed, which this database needs: pip install '{package}'"
        raise CannotStartError(message) from error
    except (OSError, ValueError) as error:
        raise CannotStartError(str(error)) from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        message = f"cannot use the database: {reason}"
        raise CannotStartError(message) from error
    return app


def _keep() -> tuple[Path, str]:
    """Return the folder for what outlives the demo, and the key in it; say so where it is not the usual one."""
    try:
        folder = places.data_folder()
        return folder, places.secret_key(folder)
    except (OSError, RuntimeError) as error:
        folder = places.passing_folder()
        key = places.secret_key(folder)
        print(f"Nothing can be kept in the usual place: {error}.")
        print(
            f"What the demo keeps is in {folder}, as long as temporary files stay; XDG_DATA_HOME names another place."
        )
        return folder, key


def _open(given: str | None, size: Size, folder: Path, key: str) -> tuple[Flask, URL]:
    """Return the app on the database that was *given*, or else on the first of our own that fits, and its address."""
    for url in places.database_urls(given, size, folder):
        if not given:
            places.keep_to_owner(Path(url.database or ""))
        try:
            return create_app(url, secret_key=key), url
        except OtherVersionError as error:
            where = url.render_as_string(hide_password=True) if given else url.database
            if given:
                message = f"{where} was made by another version of the demo: {error}; name another database"
                raise CannotStartError(message) from error
            print(f"The community in {where} was made by another version of the demo, and stays as it is.")
    raise AssertionError("our own files have no end")


def _fill(app: Flask, url: URL, size: Size) -> None:
    started = time.perf_counter()
    with app.app_context():
        engine = db.engine
        factory = db.session.session_factory
        found = seed(factory, size.people, until=datetime.now(UTC), follows=size.edges, watch=progress())
        transact(factory, lambda session: Graph(session, User).expire())
    seconds = time.perf_counter() - started
    where = url.database if url.get_backend_name() == "sqlite" else engine.url.render_as_string(hide_password=True)
    if found.made:
        what = f"{found.people:,} people, {found.follows:,} follows, {found.posts:,} posts"
        print(f"Made a community of {what}, in {seconds:.1f} s: {where}")
    else:
        print(f"The community of {found.people:,} people is in {where}")
    with app.app_context():
        somebody = invented(db.session(), 1)
    if somebody:
        print(f"Log in as {somebody[0].user.username} with the password {PASSWORD}, or sign up.")


def listen(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens on *port* of *host*, or on a free one if that is taken.

    Raises:
        CannotStartError: *host* is no address of this machine, or no port may be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        message = f"--host {host}: no such address"
        raise CannotStartError(message) from error
    for attempt in (port, 0):
        listener = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # where it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address[0], attempt, *address[2:]))
            listener.listen(128)
        except PermissionError as error:
            listener.close()
            message = f"port {port} may not be used by this user; try --port 8000"
            raise CannotStartError(message) from error
        except OSError as error:
            listener.close()
            if attempt == 0:
                message = f"--host {host}: {error.strerror}"
                raise CannotStartError(message) from error
        else:
            return listener
    raise AssertionError("the second attempt returns or raises")


def _serve(app: Flask, listener: socket.socket, wished_for: int) -> None:
    address, port = listener.getsockname()[:2]
    if wished_for not in (0, port):
        print(f"Port {wished_for} is taken, so this is port {port}.")
    if not address.startswith(_LOOPBACK):
        print("Anyone who can reach this machine can sign up, or log in as any of the made-up people.")
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(address, address)  # noqa: S104 - only compared
    print(f"Retinue demo: http://{here}:{port}/   (Ctrl+C stops it)", flush=True)
    server = server_of(app, listener)
    try:
        server.run()
    finally:
        server.close()


def server_of(app: Flask, listener: socket.socket) -> BaseWSGIServer | MultiSocketServer:
    """Return the server of *app* on *listener*; `run()` serves until the process is told to stop."""
    # A body that nobody has typed is refused before it is read: by its length, or as soon as its pieces are too many.
    # One that somebody may have pasted is answered with a page.
    return create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        ident=None,
        max_request_body_size=16 * LARGEST_BODY,
        max_request_header_size=LARGEST_BODY,
    )
