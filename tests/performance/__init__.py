"""
A guard of what calls read and compute that does not depend on the machine: rows, plans, instructions.

`work.py` is the table of what is read; after a change, ``python -m tests.performance`` prints what it should say.
"""
