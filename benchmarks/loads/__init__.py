"""
What is measured otherwise than by timing one call: many connections at once, whole graphs, space.

Each module has ``measure(place) -> list[Row]``.
"""
