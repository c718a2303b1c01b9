"""Stopping at the first value that is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.plan.node import Node
from workbench.core.runtime import failures


def check_finite(node: Node, values: tuple[Any, ...]) -> None:
    """Raises the error that names `node` where one of its floating results is not finite."""
    for index, value in enumerate(values):
        dtype = node.dtypes[index]
        if value is None or not (dtype.is_floating or dtype.is_complex):
            # Conditionals and loops give nothing out that nobody uses.
            continue
        # A sum is finite only where all its terms are, or where it overflows: look closer then.
        with np.errstate(all="ignore"):
            if np.isfinite(np.sum(value)):
                continue
        if not bool(np.isfinite(value).all()):
            raise failures.not_finite_error(node, value, index)
