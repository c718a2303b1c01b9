"""How several replicas are to train a run together, as users ask for it and are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.live.commands import Fork

#: How replicas train together.
STRATEGIES = ("sync", "async", "parameter server")


def check_replicas(replicas: Any, strategy: Any, pool: Any, encoding: Any) -> None:
    """ValueError where so many replicas cannot train in this way.

    Where `strategy` or `encoding` is not None, it was asked for: that of one replica would change
    nothing.
    """
    if isinstance(replicas, bool) or not hasattr(replicas, "__index__") or replicas < 1:
        raise ValueError(f"replicas must be a positive number, but got {replicas!r}")
    if strategy is not None and strategy not in STRATEGIES:
        listed = ", ".join(map(repr, STRATEGIES))
        raise ValueError(f"strategy must be one of {listed}, but got {strategy!r}")
    if replicas > 1 and pool is None:
        raise ValueError(f"{replicas} replicas need a pool: pool=wb.pool.local(workers={replicas})")
    if replicas > 1:
        return
    if encoding is not None:
        raise ValueError(
            f"encoding={encoding!r} is for what replicas send each other: replicas is 1"
        )
    if strategy is not None:
        raise ValueError(f"strategy={strategy!r} is for several that train together: replicas is 1")


def check_fork(command: Fork, pool: Any, terms: Mapping[str, Any] | None) -> None:
    """ValueError where what a fork asks for cannot be.

    Args:
      command: the fork; what it does not ask for it has from the run that it is made from.
      pool: where it is to be trained; None for the process of that run.
      terms: those of that run, as `told_terms` gives them.
    """
    if command.replicas is None and command.strategy is None and command.encoding is None:
        return
    replicas = command.replicas
    if replicas is None:
        replicas = 1 if terms is None else terms["replicas"]
    check_replicas(replicas, command.strategy, pool, command.encoding)


def told_terms(terms: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Of the terms in a run's record those that `wb.run` takes, by their names there.

    None for a run of one process.

    >>> told_terms({"board": "tcp://10.0.0.1:4711", "wanted": 2, "strategy": "sync"})
    {'replicas': 2, 'strategy': 'sync', 'encoding': None}
    """
    if terms is None:
        return None
    return {
        "replicas": int(terms["wanted"]),
        "strategy": str(terms["strategy"]),
        "encoding": terms.get("encoding"),
    }
