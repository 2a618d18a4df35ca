"""Fail unless every name of the library has a known type: what a user's type checker sees of it."""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> None:
    """Ask pyright, and list what it does not know."""
    command = ["pyright", "--verifytypes", "retinue", "--ignoreexternal", "--outputjson"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    symbols = json.loads(answer)["typeCompleteness"]["symbols"]
    library = [symbol for symbol in symbols if symbol["isExported"]]
    unknown = [symbol["name"] for symbol in library if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    if not library or unknown:
        sys.exit(f"{len(library)} names, of unknown type: " + (", ".join(unknown) or "all"))


if __name__ == "__main__":
    main()
