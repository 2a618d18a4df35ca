"""What a page costs the database, as its reader is told."""

from __future__ import annotations

from demo.tests.browser.windows import Desk
from retinue.testing import count_statements


def test_a_list_of_forty_costs_as_much_as_a_list_of_four(desk: Desk) -> None:
    """The followers of somebody, 40 or 4 on a page, are read with the same few statements; the page says how many."""
    famous, me, *others = desk.site.people
    for name in (famous, *others):
        desk.site.set(name, active=True, locked=False)
    for name in others[:50]:
        desk.site.do("follow", name, famous)
    window = desk.window(me)
    counted, told = {}, {}

    for rows in (4, 20, 40):
        with count_statements(desk.site.engine) as statements:
            assert window.open(f"/@{famous}/followers?limit={rows}") == 200
        assert window.main.locator("li:has(.who, .retinue-who)").count() == rows
        counted[rows] = len(statements)
        told[rows] = window.page.locator(".cost").inner_text()

    assert len(set(counted.values())) == 1, counted
    assert set(told.values()) == {f"{counted[40]} SQL statements for this page"}
    assert counted[40] <= 10
