"""Signals: one for each thing that happens between people, from the application where it happened, after COMMIT."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from blinker import Signal
from flask import Flask, appcontext_pushed
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from retinue import Event, Settings, events, prepare_engine
from retinue.events import EdgeEvent, TimelineWork, listeners_of
from retinue.flask import signals
from retinue.testing import make_users
from tests.database.models_private import PrivateModels, declare

Heard = list[tuple[str, object, Event]]


class Scene:
    """Three people in a database of their own, and an application or two that have them as users."""

    def __init__(self) -> None:
        self.models: PrivateModels = declare(Settings())
        self.engine: Engine = prepare_engine(
            create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        )
        self.models.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            people = make_users(session, self.models.user, 3)
            people[2].locked = True
            session.commit()
            self.a, self.b, self.locked = (user.id for user in people)

    def app(self, name: str = "app") -> Flask:
        app = Flask(name)
        signals.init_app(app, self.models.user)
        return app

    def do(self, verb: str, *users: int, **options: Any) -> None:
        with Session(self.engine) as session:
            getattr(self.models.graph(session), verb)(*users, **options)
            session.commit()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.engine.dispose()


@contextmanager
def listening(*names: str) -> Iterator[Heard]:
    """Collect what these signals say, or all of them: (name, sender, event)."""
    heard: Heard = []
    receivers = []
    for name, signal in signals.signals.items():
        if not names or name in names:

            def receive(sender: object, event: Event, name: str = name) -> None:
                heard.append((name, sender, event))

            signal.connect(receive)
            receivers.append((signal, receive))
    yield heard
    for signal, receive in receivers:
        signal.disconnect(receive)


def names(heard: Heard) -> list[str]:
    return [name for name, _, _ in heard]


def test_every_event_about_people_has_a_signal() -> None:
    """And each signal says in a sentence what it is for."""
    every = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} - {
        Event,
        EdgeEvent,
        TimelineWork,
    }
    assert set(signals.SIGNALS) == every
    public = {
        name: value
        for name, value in vars(signals).items()
        if isinstance(value, Signal) and value is not appcontext_pushed
    }
    assert set(public.values()) == set(signals.SIGNALS.values()) == set(signals.signals.values())
    for name, signal in public.items():
        assert signals.signals[name.replace("_", "-")] is signal
        assert signal.__doc__
        assert signal.__doc__.endswith(".")


def test_each_verb_sends_its_signal(scene: Scene) -> None:
    """With the event, and from the application itself."""
    app = scene.app()
    a, b, locked = scene.a, scene.b, scene.locked
    with listening() as heard, app.app_context():
        for verb, users, sent in (
            ("follow", (a, b), ["user-followed"]),
            ("follow", (a, b), []),
            ("unfollow", (a, b), ["user-unfollowed"]),
            ("follow", (b, a), ["user-followed"]),
            ("remove_follower", (a, b), ["follower-removed"]),
            ("follow", (a, locked), ["follow-requested"]),
            ("accept", (locked, a), ["follow-request-accepted", "user-followed"]),
            ("follow", (b, locked), ["follow-requested"]),
            ("reject", (locked, b), ["follow-request-rejected"]),
            ("block", (b, a), ["user-blocked"]),
            ("unblock", (b, a), ["user-unblocked"]),
            ("block", (locked, a), ["follower-removed", "user-blocked"]),
            ("mute", (a, b), ["user-muted"]),
            ("unmute", (a, b), ["user-unmuted"]),
        ):
            heard.clear()
            scene.do(verb, *users)
            assert names(heard) == sent, verb
            assert all(sender is app for _, sender, _ in heard)
        heard.clear()
        scene.do("unblock", locked, a, restore=True)
        assert sorted(names(heard)) == ["follow-restored", "user-followed", "user-unblocked"]
        restored = [event for name, _, event in heard if name in ("follow-restored", "user-followed")]
        assert restored[0] is restored[1]
        assert isinstance(restored[0], events.FollowRestored)
        assert (restored[0].follower_id, restored[0].followed_id) == (a, locked)
        until = datetime.now(UTC) + timedelta(hours=1)
        scene.do("mute", a, b, until=until)
        said = heard[-1][2]
        assert isinstance(said, events.Muted)
        assert said.until == until


def test_nothing_is_sent_before_commit_or_after_a_rollback(scene: Scene) -> None:
    app = scene.app()
    with listening() as heard, app.app_context(), Session(scene.engine) as session:
        graph = scene.models.graph(session)
        graph.follow(scene.a, scene.b)
        session.rollback()
        graph.follow(scene.b, scene.a)
        assert heard == []
        session.commit()
        assert names(heard) == ["user-followed"]


def test_the_application_whose_context_is_current_sends(scene: Scene) -> None:
    """Without one each of them does; an application that has other users, or no graph, is like none."""
    one, two = scene.app("one"), scene.app("two")
    stranger = Flask("stranger")
    with listening("user-followed", "user-unfollowed") as heard:
        with two.app_context():
            scene.do("follow", scene.a, scene.b)
        assert [sender for _, sender, _ in heard] == [two]
        heard.clear()
        with two.app_context(), one.test_request_context():
            scene.do("unfollow", scene.a, scene.b)
        assert [sender for _, sender, _ in heard] == [one]
        heard.clear()
        scene.do("follow", scene.a, scene.b)
        assert {sender for _, sender, _ in heard} == {one, two}
        heard.clear()
        with stranger.app_context():
            scene.do("unfollow", scene.a, scene.b)
        assert {sender for _, sender, _ in heard} == {one, two}
        heard.clear()
        with one.app_context():  # a thread has a context of its own, or none
            thread = threading.Thread(target=scene.do, args=("follow", scene.a, scene.b))
            thread.start()
            thread.join()
        assert {sender for _, sender, _ in heard} == {one, two}


def test_who_is_connected_to_one_application_hears_no_other(scene: Scene) -> None:
    one, two = scene.app("one"), scene.app("two")
    heard: list[object] = []

    @signals.user_followed.connect_via(two)
    def receive(sender: object, **_rest: object) -> None:
        heard.append(sender)

    with one.app_context():
        scene.do("follow", scene.a, scene.b)
    assert heard == []
    with two.app_context():
        scene.do("follow", scene.b, scene.a)
    assert heard == [two]


def test_registering_twice_sends_once(scene: Scene) -> None:
    app = scene.app()
    signals.init_app(app, scene.models.user)
    with listening() as heard, app.app_context():
        scene.do("follow", scene.a, scene.b)
    assert len(heard) == 1


def waiting_for_ever() -> Flask:
    """Return an application that asks itself for its class of users, in vain."""
    app = Flask("never")
    signals.init_app(app, lambda: app.extensions["nothing"])
    return app


def test_a_class_that_is_known_late_is_asked_for_until_it_is(scene: Scene) -> None:
    """Whenever a context begins; an application that never learns of it is forgotten like any other."""
    asked: list[bool] = []
    models: list[PrivateModels] = []

    def find() -> type[Any]:
        asked.append(bool(models))
        if not models:
            message = "no class of users is imported yet"
            raise RuntimeError(message)
        return models[0].user

    app = Flask("late")
    signals.init_app(app, find)
    with listening() as heard:
        with app.app_context():
            scene.do("follow", scene.a, scene.b)
        assert (heard, asked) == ([], [False])
        models.append(scene.models)
        for _ in range(2):
            with app.app_context():
                scene.do("follow", scene.b, scene.a)
                scene.do("unfollow", scene.b, scene.a)
        assert asked == [False, True]
        assert names(heard) == ["user-followed", "user-unfollowed"] * 2
        heard.clear()
        reference = weakref.ref(app)
        del app
        other = weakref.ref(waiting_for_ever())
        gc.collect()
        assert (reference(), other()) == (None, None)
        scene.do("follow", scene.b, scene.a)
        assert heard == []


def test_an_application_that_is_gone_is_forgotten(scene: Scene) -> None:
    """Neither the signals nor the class of users keep it alive, and its listeners go with it."""
    kept, gone = scene.app("kept"), scene.app("gone")
    reference = weakref.ref(gone)
    listeners = listeners_of(scene.models.user)
    assert sum(map(len, listeners._of.values())) == 2 * len(signals.SIGNALS)
    del gone
    gc.collect()
    assert reference() is None
    assert sum(map(len, listeners._of.values())) == len(signals.SIGNALS)
    with listening() as heard:
        scene.do("follow", scene.a, scene.b)
    assert [sender for _, sender, _ in heard] == [kept]


def test_a_receiver_that_fails_breaks_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the change stands, and other signals and applications are heard."""
    one, two = scene.app("one"), scene.app("two")

    def fail(_sender: object, **_rest: object) -> None:
        message = "no mail today"
        raise RuntimeError(message)

    heard: list[object] = []

    def receive(sender: object, **_rest: object) -> None:
        heard.append(sender)

    with (
        signals.user_followed.connected_to(fail, sender=one),
        signals.user_followed.connected_to(receive, sender=two),
    ):
        scene.do("follow", scene.a, scene.b)
    assert heard == [two]
    assert "no mail today" in caplog.text
    with Session(scene.engine) as session:
        assert scene.models.graph(session).is_following(scene.a, scene.b)
