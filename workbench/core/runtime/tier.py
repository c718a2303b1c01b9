"""The tiers that can run a plan, and which one a session is told to use."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any

_VARIABLE = "WORKBENCH_TIER"


class Tier(Enum):
    """What a session is told about tiers."""

    #: Interpreted first, compiled as soon as that is done.
    AUTO = "auto"
    #: Always the interpreter: the NumPy kernels.
    INTERPRETED = "interpreted"
    #: Compiled before the first run.
    COMPILED = "compiled"


def chosen_tier(tier: str | None, deterministic: bool, config: Any) -> Tier:
    """The tier of a session.

    A `ConfigProto` says it in TensorFlow's words: `global_jit_level` OFF is the interpreter, ON_1
    and above is compiled before the first run. `tier` goes before it; where neither says anything
    the environment's WORKBENCH_TIER does.

    Raises:
      ValueError: there is no such tier, or a deterministic session is to change it.

    >>> chosen_tier(None, True, None)
    <Tier.COMPILED: 'compiled'>
    """
    if tier is not None:
        chosen = _named(tier, "tier")
        if deterministic and chosen is Tier.AUTO:
            raise ValueError(
                "deterministic=True needs one tier from the first run on, and tier='auto' changes "
                "it: leave tier out, or give 'compiled' or 'interpreted'"
            )
        return chosen
    if config is not None:
        level = config.graph_options.optimizer_options.global_jit_level
        if level < 0:
            return Tier.INTERPRETED
        if level > 0:
            return Tier.COMPILED
    if deterministic:
        return Tier.COMPILED
    return _named(os.environ.get(_VARIABLE) or Tier.AUTO.value, f"the environment's {_VARIABLE}")


def _named(name: str, what: str) -> Tier:
    try:
        return Tier(name)
    except ValueError:
        known = ", ".join(repr(t.value) for t in Tier)
        raise ValueError(f"{what} must be one of {known}, but got {name!r}") from None
