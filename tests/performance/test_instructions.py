"""The hot calls take as many instructions as the committed figures say, in `instructions.json`."""

from __future__ import annotations

import pytest

from tests.performance.instructions import FLOOR, committed, count

#: With the very programs of the committed figures, what they do differs by one percent from run to run.
SAME_PROGRAMS = 0.05
#: With others, what a call takes beyond the floor differs more.
OTHER_PROGRAMS = 0.25


@pytest.mark.usefixtures("valgrind")
def test_hot_calls_take_the_instructions_that_are_committed() -> None:
    """A change on purpose, also to the better: ``python -m tests.performance.instructions --write``."""
    then, now = committed(), count()
    assert then.of_call.keys() == now.of_call.keys()
    same = then.made_with == now.made_with
    for call, number in now.of_call.items():
        if same:
            assert number == pytest.approx(then.of_call[call], rel=SAME_PROGRAMS), call
        elif call != FLOOR:
            assert now.times_floor(call) <= then.times_floor(call) * (1 + OTHER_PROGRAMS), call
