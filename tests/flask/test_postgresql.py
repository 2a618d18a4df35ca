"""What PostgreSQL is sent by a request: each has a session of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, event

from tests.flask.plain_apps import plain_app
from tests.flask.test_extension import HERE, client_as, filled, slug


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", ["flask-sqlalchemy", "flask-sqlalchemy-lite"])
def test_a_page_is_asked_for_and_nothing_else(database: URL, kind: str, tmp_path: Path) -> None:
    """No BEGIN, no ROLLBACK, and nothing that the driver prepares anew; a verb has its transaction."""
    plain = plain_app(kind, database.render_as_string(hide_password=False))
    sent = tmp_path / "sent"
    with filled(plain), sent.open("wb") as file:
        client, ben = client_as(plain, "ann"), slug(plain, "bob")
        with plain.app.app_context():
            engine = plain.session().get_bind()

        def trace(connection: Any, _record: Any) -> None:
            connection.pgconn.trace(file.fileno())

        engine.dispose()
        event.listen(engine, "connect", trace)
        for _ in range(8):
            assert client.get(f"/people/@{ben}/followers").status_code == 200
        read = sent.read_text()
        assert client.post(f"/people/@{ben}/follow", headers=HERE).status_code == 303
        wrote = sent.read_text()[len(read) :]
        engine.dispose()
    assert "SELECT" in read
    assert not any(word in read for word in ('"BEGIN"', '"ROLLBACK"', "DEALLOCATE"))
    assert wrote.count('Query\t "BEGIN"') == wrote.count('Query\t "COMMIT"') == 1
