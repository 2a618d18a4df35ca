"""
For an application's own tests: make users, count statements, check pages, and run a contract.

`GraphContract` tests Retinue's promises on the application's own models. Nothing
here is for production; only these names are public::

    from retinue.testing import GraphContract, count_statements

For readable failures, let pytest rewrite the assertions, in ``conftest.py`` and
before the import: ``pytest.register_assert_rewrite("retinue.testing")``.
"""

from retinue.effects.outbox import deliver
from retinue.testing.auditor import Audit, audited, count_statements
from retinue.testing.contract import GraphContract, assert_pages_join_up, make_users
from retinue.testing.exempt import EXEMPT

__all__ = [
    "EXEMPT",
    "Audit",
    "GraphContract",
    "assert_pages_join_up",
    "audited",
    "count_statements",
    "deliver",
    "make_users",
]
