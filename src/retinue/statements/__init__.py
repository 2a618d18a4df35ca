"""
Every statement of the graph, as a function that returns it, by what it is about.

A statement is built once for a schema; its functions' names are what `retinue.testing`
and the log call it by.
"""

from retinue.engines import Rows
from retinue.statements.building import OPTION, CompoundRows, moment

__all__ = ["OPTION", "CompoundRows", "Rows", "moment"]
