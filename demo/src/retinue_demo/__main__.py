"""The command line: ``python -m retinue_demo``, or ``python3 dev.py demo`` in a clone of Retinue."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from retinue_demo import server
from retinue_demo.places import Size

PEOPLE_DEFAULT = 400
PEOPLE_MOST = 50_000
FOLLOWS_MOST = 2_000_000
PORT_DEFAULT = 8000

WHERE = """\
The community lives in an SQLite file of its own for each number of people and follows, beside the key that
signs the session cookies: in $XDG_DATA_HOME/retinue (~/.local/share/retinue where that is unset),
~/Library/Application Support/retinue on macOS, %LOCALAPPDATA%\\retinue on Windows. Where that
cannot be written, the demo says so, and they are in a folder of yours among the temporary files.
Delete the file to begin anew. One that another version of the demo has made stays there, and a
new one is made beside it.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command that the command line names; return the exit code.

    0: stopped as asked. 1: could not start, and said why. 2: the command line is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="python -m retinue_demo",
        description="Start a small community in which people follow each other, and print its address.",
        epilog=WHERE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_whole("a port", 0, 65_535),
        default=PORT_DEFAULT,
        help="the port to listen on; another one if it is taken, any free one if 0 (default: %(default)s)",
    )
    parser.add_argument("--database", metavar="URL", help="an SQLAlchemy URL (default: a file, see below)")
    parser.add_argument(
        "--users",
        type=_whole("the number of people", 2, PEOPLE_MOST),
        default=PEOPLE_DEFAULT,
        metavar="N",
        help=f"how many people a new community has, 2 to {PEOPLE_MOST:,} (default: %(default)s)",
    )
    parser.add_argument(
        "--follows",
        type=_whole("the number of follows", 0, FOLLOWS_MOST),
        metavar="M",
        dest="edges",
        help="how many follows a new community has in all, at most half of those that there can be among N people, "
        f"and {FOLLOWS_MOST:,} (default: about 14 for each of them)",
    )
    chosen = parser.parse_args(arguments)
    there_can_be = chosen.users * (chosen.users - 1) // 2
    if chosen.edges is not None and chosen.edges > there_can_be:
        parser.error(f"argument --follows: {chosen.users:,} people have room for {there_can_be:,} follows at most")
    return server.run(chosen.host, chosen.port, chosen.database, Size(chosen.users, chosen.edges))


class _whole:  # noqa: N801 - argparse calls it like a function
    """Reads a whole number within bounds from the command line."""

    def __init__(self, what: str, lowest: int, highest: int) -> None:
        self.what, self.lowest, self.highest = what, lowest, highest

    def __call__(self, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and self.lowest <= int(text) <= self.highest:
            return int(text)
        message = f"{self.what} is a whole number from {self.lowest} to {self.highest}, not {text!r}"
        raise argparse.ArgumentTypeError(message)


if __name__ == "__main__":
    sys.exit(main())
