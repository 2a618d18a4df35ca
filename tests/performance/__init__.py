"""
A guard of what calls cost that does not depend on the machine: statements, rows read, plans, instructions.

`costs.py` is the table of it all; after a change, ``python -m tests.performance`` prints what it should say.
"""
