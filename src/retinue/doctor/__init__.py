"""Whether what is stored beside the edges says what the edges say; and making it say so."""

from retinue.doctor.counts import CountReport, Miscount, drift, recount

__all__ = ["CountReport", "Miscount", "drift", "recount"]
