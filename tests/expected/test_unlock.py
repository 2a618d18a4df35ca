"""SQLite: unlock() looks for its user before it may write, so the user can be gone by then."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm.exc import StaleDataError

from tests.database.races import exact
from tests.database.races.actions import B, choose, leave, unlock
from tests.database.races.exact import COMMIT
from tests.database.races.scenes import cast
from tests.database.races.table import GRAPHS


@pytest.mark.tables(GRAPHS["private"].metadata)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.xfail(strict=True, raises=StaleDataError, reason="what is locked with FOR UPDATE begins no transaction")
def test_unlock_beside_the_deletion_of_its_user(engine: Engine) -> None:
    """Whoever has gone meanwhile is nobody: `UnknownUserError`."""
    scene = cast(0, "AB", [choose(B, locked=True)], [leave(B), unlock(B)])
    exact.meet(engine, GRAPHS["private"], [(COMMIT, scene)], patient=True)
