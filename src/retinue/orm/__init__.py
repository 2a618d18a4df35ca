"""
What the application writes through the ORM, taken whole: counted and announced like the graph's own verbs.

- `flush` has the rows that a session adds and deletes one by one.
- `bulk` has the statements that change many: it refuses what nobody can count, and hands
  each of the others to `follows` or to `users`. They run it as the caller wrote it (`running`).
"""

from retinue.orm import bulk, flush

__all__ = ["bulk", "flush"]
