"""What goes wrong with pools."""

from __future__ import annotations


class PoolError(RuntimeError):
    """A pool cannot be started, reached or changed; the message says why and what helps."""


def need(package: str, module: str, what: str) -> None:
    """PoolError where a package is missing that something is done with."""
    import importlib.util

    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise PoolError(f"{what} needs the package {package!r}: pip install {package}")
