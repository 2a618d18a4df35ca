"""
What may happen at the same moment, and what must hold then.

`actions` has what people do, `table` which of it happens side by side, `storm` and `exact` let it happen:
many sessions at once, or two of which one stops at a named statement. `judge` says whether the end is right.
"""
