"""How many examples tests try that say anything at all to what listens: `make fuzz` tries more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: As many times the examples of an ordinary run.
FACTOR = int(os.environ.get("WORKBENCH_FUZZ", "1"))


def examples(count: int) -> settings:
    """The settings of such a test, with `count` examples in an ordinary run.

    Its fixtures stay for all examples: what listens is to go on whatever came before.
    """
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
