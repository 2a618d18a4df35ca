"""What ``import retinue`` loads: no more than every application needs."""

from __future__ import annotations

import subprocess
import sys


def loaded(program: str) -> set[str]:
    """Return the modules that *program* has loaded when it ends, in a Python of its own."""
    program = f"import sys\n{program}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_no_dialect_is_loaded_before_an_engine_has_it() -> None:
    """SQLAlchemy's dialects are half of what an import would cost."""
    modules = loaded("import retinue")
    assert "retinue.graph" in modules
    assert not [name for name in modules if name.startswith("sqlalchemy.dialects.")]


def test_an_engine_loads_its_own_dialect() -> None:
    """The rules of SQLite come with an engine for SQLite, and no other's with them."""
    modules = loaded(
        "from sqlalchemy import create_engine\n"
        "from retinue.engines import engine_of\n"
        "engine_of(create_engine('sqlite://'))"
    )
    assert "retinue.engines.sqlite" in modules
    assert not modules & {"retinue.engines.mariadb", "retinue.engines.postgresql"}
