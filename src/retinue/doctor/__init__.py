"""
Whether what is stored says what the verbs would have stored; and making it say so.

- `examine()` looks for all that can be wrong, and `repair()` puts right what is safe.
- `drift()` and `recount()` are about the counts alone.
"""

from retinue.doctor.counts import CountReport, Miscount, drift, recount
from retinue.doctor.examining import examine, repair
from retinue.doctor.findings import Finding, Treatment
from retinue.faults import Severity

__all__ = ["CountReport", "Finding", "Miscount", "Severity", "Treatment", "drift", "examine", "recount", "repair"]
