"""
The library beside a follow system in plain Python: the parts of `test_state_machine`.

`world` is the plain one; `core` holds both, and the transactions; `edges` and `privacy` are the
steps; `agreement` says what must be equal after each; `awaited` takes them in async code.
"""

import pytest

for part in ("core", "edges", "privacy", "agreement"):
    pytest.register_assert_rewrite(f"{__name__}.{part}")
