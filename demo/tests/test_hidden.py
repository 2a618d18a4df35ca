"""What the demo must never tell: a block to whom it is against, a list to whom it is closed, anything by GET."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true

import retinue_demo
from demo.tests.conftest import Answer, Site, Visitor
from demo.tests.test_pages import PAGES
from retinue import ALL, BlockedError, Graph, flask
from retinue_demo.models import User

#: The forms that nobody has to log in for.
FORMS_OF_THE_DOOR = ["/login", "/logout", "/signup"]
FORMS_OF_THE_ACCOUNT = ["/settings/profile", "/settings/password", "/settings/delete"]
FORMS_OF_THE_LOG_IN = ["/settings/logout-everywhere"]
#: Forms at the address of the page that they are on.
FORMS_ON_THEIR_PAGE = {"/settings", *FORMS_OF_THE_ACCOUNT, "/login", "/signup"}

#: Every form there is, as `test_these_are_all_the_forms` sees to.
FORMS = [
    *(f"/@{{0}}/{verb}" for verb in ("follow", "unfollow", "remove", "dismiss", "undismiss", "accept", "reject")),
    *(f"/@{{0}}/{verb}" for verb in ("block", "unblock", "mute", "unmute")),
    "/requests/accept",
    "/requests/reject",
    "/notifications/read",
    "/settings",
    *FORMS_OF_THE_ACCOUNT,
    *FORMS_OF_THE_LOG_IN,
    *FORMS_OF_THE_DOOR,
    "/posts",
    "/posts/1/delete",
]

#: Every page about one person.
PAGES_OF_ONE = ["/@{0}", "/@{0}/followers", "/@{0}/following", "/@{0}/mutuals", "/@{0}/known"]


def test_these_are_all_the_forms(town: Site) -> None:
    """A form that is added is added to the tests below."""
    rules = [rule for rule in town.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    adapter = town.app.url_map.bind("localhost")

    served = {adapter.match(form.format("ada"), "POST", return_rule=True)[0].rule for form in FORMS}
    assert served == {rule.rule for rule in rules}
    assert all((rule.methods or set()) <= {"POST", "OPTIONS"} for rule in rules)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_changed_without_the_token_of_ones_own_page(town: Site, famous: str, form: str) -> None:
    """A form on another site can press none of the buttons, and no link does what a button does."""
    visitor, other = town.visitor_as(famous), town.stranger_of(famous)
    before = town.all_rows()
    path = form.format(other)

    with visitor.client.post(path, data={"username": other}) as response:
        assert response.status_code == 400
        assert "This form has expired" in response.get_data(as_text=True)
    # Addresses that are a page as well are pages by GET.
    assert visitor.get(path).status == (200 if path in FORMS_ON_THEIR_PAGE else 405)

    assert town.all_rows() == before
    assert "Hello" in visitor.get("/").text


@pytest.mark.parametrize("form", [form for form in FORMS if form not in FORMS_OF_THE_DOOR])
def test_nobody_is_asked_to_log_in_first(town: Site, famous: str, form: str) -> None:
    """A form of somebody who is not logged in changes nothing, and leads back to where it was."""
    visitor = town.visitor()
    visitor.get("/login")
    before = town.all_rows()

    back = f"/people%23user-{famous}" if form.startswith("/@") else "/people"
    assert visitor.post(form.format(famous), next="/people").place == f"/login?next={back}"
    assert visitor.post(form.format(famous), next="//elsewhere").place == "/login"
    assert town.all_rows() == before


@pytest.mark.parametrize("page", PAGES)
def test_opening_a_page_changes_nothing(town: Site, famous: str, page: str) -> None:
    """Not a row, not even that a notification has been seen."""
    before = town.all_rows()

    for visitor in (town.visitor(), town.visitor_as(famous)):
        visitor.get(page.format(town.stranger_of(famous)))
        visitor.client.head(page.format(famous)).close()

    assert town.all_rows() == before


# --- Across a block ------------------------------------------------------------------------------


def likeness(answer: Answer, name: str) -> tuple[Any, ...]:
    """Return all of an answer but the name that was asked for, and what is different each time."""
    # A token is signed anew for each page; an error's page has none, and must not begin to.
    headers = {key: value for key, value in answer.headers.items() if key not in {"Set-Cookie", "Date"}}
    return (
        answer.status,
        answer.text.replace(name, "?"),
        {key: value.replace(name, "?") for key, value in headers.items()},
    )


@pytest.fixture
def blocked(site: Site) -> tuple[str, str]:
    """Give two people, of whom the first blocks the second, after they had followed each other."""
    blocker, victim = [name for name in site.people if site.user(name).active and not site.user(name).locked][:2]
    site.do("follow", blocker, victim)
    site.do("follow", victim, blocker)
    site.do("block", blocker, victim)
    return blocker, victim


QUERIES = ["", "?limit=0", "?limit=x", "?limit=5", "?cursor=x", "?cursor="]


@pytest.mark.parametrize("page", PAGES_OF_ONE)
def test_a_page_across_a_block_is_that_of_a_name_nobody_has(site: Site, blocked: tuple[str, str], page: str) -> None:
    """The blocked get the very same answer, to the byte, as for a name that nobody has."""
    blocker, victim = blocked
    visitor, unknown = site.visitor_as(victim), "x" * len(blocker)

    for query in QUERIES:
        answers = [likeness(visitor.get(page.format(name) + query), name) for name in (blocker, unknown)]
        assert answers[0] == answers[1]
        assert answers[0][0] in {400, 404}
    assert site.visitor().get(page.format(blocker)).status in {200, 303}


def test_a_button_across_a_block_is_that_of_a_name_nobody_has(site: Site, blocked: tuple[str, str]) -> None:
    """So do their forms, which change nothing."""
    blocker, victim = blocked
    visitor, unknown = site.visitor_as(victim), "x" * len(blocker)
    before = site.all_rows()

    for form in FORMS:
        if "{0}" in form:
            answers = [likeness(visitor.post(form.format(name)), name) for name in (blocker, unknown)]
            assert answers[0] == answers[1], form
            assert answers[0][0] == 404
    assert site.all_rows() == before


def test_the_blocked_meet_the_blocker_nowhere(site: Site, blocked: tuple[str, str]) -> None:
    """No page but the log-in names them: not the lists of others, the directory, the search, nor what is told."""
    blocker, victim = blocked
    known = set(site.names("followers", blocker)) | set(site.names("following", blocker))
    visitor = site.visitor_as(victim)
    pages = [*PAGES, "/people?limit=100", f"/people?q={blocker}", "/notifications?limit=100"]

    for other in sorted(known):
        pages += [
            page.format(other) for page in (*PAGES_OF_ONE, "/@{0}/followers?limit=99", "/@{0}/following?limit=99")
        ]
    for page in pages:
        if page == "/login":
            continue
        text = visitor.get(page.format(victim)).text
        assert f"@{blocker}" not in text, page
        assert site.user(blocker).name not in text, page


def test_the_blocker_meets_the_blocked_on_their_own_list_alone(site: Site, blocked: tuple[str, str]) -> None:
    """Who blocks finds them on no other list either; their profile stays, to take it back."""
    blocker, victim = blocked
    visitor = site.visitor_as(blocker)
    pages = ["/", "/people?limit=100", "/notifications?limit=100", f"/@{blocker}/followers?limit=100"]

    assert not any(f"@{victim}" in visitor.get(page).text for page in pages)
    assert visitor.get("/blocked").rows == [victim]
    assert visitor.get(f"/@{victim}").status == 200
    assert visitor.get(f"/@{victim}/followers").status == 404


def test_who_blocks_too_does_not_learn_that_it_is_mutual(site: Site, blocked: tuple[str, str]) -> None:
    """The profile that the blocker sees is the same, whether they are blocked in turn or not."""
    blocker, victim = blocked
    visitor = site.visitor_as(blocker)
    pages = [*PAGES_OF_ONE, "/blocked", f"/people?q={victim}"]

    def seen() -> list[str]:
        texts = [visitor.get(page.format(victim)).text for page in pages]
        return [re.sub(r'name="csrf_token" value="[^"]+"', "", text) for text in texts]

    before = seen()
    site.do("block", victim, blocker)
    after = seen()

    assert after == before
    visitor.post(f"/@{victim}/follow")
    assert "You can’t follow" in visitor.get("/people").text


def test_a_block_in_the_same_instant_says_no_more(
    site: Site, blocked: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the block comes between the look and the press, both sides read the same sentence."""
    blocker, victim = blocked
    monkeypatch.setattr(Graph, "visible_to", lambda *_, **__: true())
    texts = []

    for one, other in ((blocker, victim), (victim, blocker)):
        visitor = site.visitor_as(one)
        assert visitor.post(f"/@{other}/follow", next="/people").place == "/people"
        found = re.search(r'<p class="flash" role="alert">.*?</p>', visitor.get("/people").text, re.DOTALL)
        assert found
        texts.append(found[0].replace(site.user(other).name, "?"))

    assert texts[0] == texts[1]
    assert "You can’t follow ?." in texts[0]


def test_no_page_is_given_who_blocks_the_viewer(
    site: Site, blocked: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a card of the blocker was made for the blocked, it does not say so."""
    blocker, victim = blocked
    monkeypatch.setattr(Graph, "visible_to", lambda *_, **__: true())
    visitor = site.visitor_as(victim)

    text = visitor.get(f"/@{blocker}").text

    assert "lock" not in re.sub(r"/block|[\w-]*block-period|Block\b|clock", "", text.partition("<main")[2])
    assert "blocked_by" not in "".join(
        path.read_text()
        for package in (retinue_demo, flask)
        for path in Path(str(package.__file__)).parent.rglob("*.html")
    )


# --- Who looks is always said --------------------------------------------------------------------

#: The graph's lists: what takes a viewer.
LISTS = [
    name
    for name, method in inspect.getmembers(Graph, inspect.isfunction)
    if not name.startswith("_") and {"viewer", "cursor"} <= set(inspect.signature(method).parameters)
]


def watched(name: str, calls: Counter[str], expected: list[Any]) -> Callable[..., Any]:
    """Return the list *name*, which notes that it was called, and by whom."""
    original = getattr(Graph, name)

    def call(*arguments: Any, **named: Any) -> Any:
        given = inspect.signature(original).bind(*arguments, **named).arguments
        assert "viewer" in given, f"{name}() without a viewer"
        assert given["viewer"] is not ALL, f"{name}() for everybody"
        assert getattr(given["viewer"], "username", None) == expected[0], f"{name}() for somebody else"
        calls[name] += 1
        return original(*arguments, **named)

    return call


def test_every_list_is_asked_for_whom_it_is(town: Site, famous: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever page is opened by whomever: each list of the graph is asked for the very one who looks."""
    assert len(LISTS) >= 9
    calls, expected = Counter[str](), [None]
    visitors: list[tuple[Visitor, Any]] = [(town.visitor(), None), (town.visitor_as(famous), famous)]
    for name in LISTS:
        monkeypatch.setattr(Graph, name, watched(name, calls, expected))

    for visitor, username in visitors:
        expected[0] = username
        for page in PAGES:
            for owner in (famous, town.people[1]):
                assert visitor.get(page.format(owner)).status != 500

    assert calls.keys() == set(LISTS)


def test_nothing_in_the_demo_sees_everything() -> None:
    """`ALL` is named nowhere but as a default, and no list of the lesson's, which know no viewer, is used."""
    lessons = {"followers", "following", "follows", "followed_by"}
    for path in (
        path for package in (retinue_demo, flask) for path in Path(str(package.__file__)).parent.rglob("*.py")
    ):
        if path.name == "state.py" or path.parent.name == "cli":  # for operators, too
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Name) and node.id == "ALL"), path
            if isinstance(node, ast.Attribute) and node.attr in lessons:
                of = ast.unparse(node.value)
                assert of in {
                    "graph",
                    "Graph",
                    "FollowCount",
                    "self",
                    "found",
                    "person.relationship",
                    "counts",
                }, f"{path.name}:{node.lineno} reads .{node.attr} of {of}"


def test_an_error_across_a_block_carries_no_direction() -> None:
    """What the demo catches names the two, and not which of them blocks."""
    assert vars(BlockedError(1, 2)).keys() == {"follower_id", "followed_id"}
    assert User.__retinue__.max_following == 7_500
    assert User.__retinue__.max_follows_per_day == 400
    assert User.__retinue__.max_pending_requests == 50
