"""Home timelines; and with them, who is dormant, as it is by their posts that this is known."""

from retinue.timeline import dormancy

__all__ = ["dormancy"]
