"""Element-wise operations that stay with the interpreter, and why."""

from __future__ import annotations

_SERIES = "it is computed by series and continued fractions, whose length depends on the numbers"

#: Operations declared as element-wise that have no translation.
OMITTED: dict[str, str] = {
    "Betainc": _SERIES,
    "Conj": "complex numbers are not compiled",
    "Digamma": _SERIES,
    "Igamma": _SERIES,
    "Igammac": _SERIES,
    "Lgamma": _SERIES,
    "Polygamma": _SERIES,
    "Zeta": _SERIES,
}
