"""The watch over the browser windows sees what it is there for."""

from __future__ import annotations

import pytest

from demo.tests.browser.windows import Desk


def test_a_page_of_the_demo_gives_no_cause(quiet_desk: Desk, famous: str) -> None:
    """Logging in and looking at a list is quiet; so is a page that is not there."""
    window = quiet_desk.window(famous)

    assert window.open(f"/@{famous}/followers") == 200
    assert window.open("/@nobody_here") == 404
    assert window.watch.faults == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("console.error('a')", "error: a"),
        ("console.warn('b')", "warning: b"),
        ("setTimeout(() => { throw new Error('c') })", "uncaught: .*c"),
        ("Promise.reject(new Error('d'))", "uncaught: .*d"),
        (
            "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:9/x.png'}))",
            "Content Security Policy",
        ),
        ("document.body.innerHTML = '<p style=\"color: red\">'", "Content Security Policy"),
        ("location = 'http://127.0.0.2:9/'", "another host"),
    ],
)
def test_a_fault_is_seen(quiet_desk: Desk, script: str, fault: str) -> None:
    """Each kind of fault is noted within a moment."""
    window = quiet_desk.window()
    window.open("/people")

    window.page.evaluate(f"() => {{ {script} }}")
    window.page.wait_for_timeout(300)

    window.watch.expect(fault)
    window.watch.faults.clear()


def test_an_answer_of_500_is_seen(quiet_desk: Desk) -> None:
    """Also one that a page's script gets."""
    window = quiet_desk.window()
    window.page.route("**/people", lambda route: route.fulfill(status=500, body="broken"))

    assert window.open("/people") == 500

    window.watch.expect("answer 500: GET")
    window.watch.expect("status of 500")
