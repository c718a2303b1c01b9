"""What tests say to what listens that say anything at all, and how often: `make fuzz` says more."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: As many times the examples of an ordinary run.
FACTOR = int(os.environ.get("WORKBENCH_FUZZ", "1"))
#: Numbers and words that may be no count, or nobody's address.
NUMBERS = st.integers(-2, 4) | st.sampled_from([1 << 70, float("inf"), float("nan"), -0.5])
WORDS = st.sampled_from(["", "a", "r", "tcp://127.0.0.1:1", "\0", "x" * 3000, "tcp://no such:1"])


def json_of(
    leaves: SearchStrategy[Any], keys: SearchStrategy[str] | None = None
) -> SearchStrategy[Any]:
    """JSON with these leaves, beside nothing and truths; the keys are any text where left out."""
    names = st.text(max_size=8) if keys is None else keys
    return st.recursive(
        st.none() | st.booleans() | leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    )


def examples(count: int) -> settings:
    """The settings of such a test, with `count` examples in an ordinary run.

    Its fixtures stay for all examples: what listens is to go on whatever came before.
    """
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
