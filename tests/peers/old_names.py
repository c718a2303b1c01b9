"""Names that scripts of TensorFlow 1's time use and that NumPy and Python have since removed."""

from __future__ import annotations

import collections
import collections.abc
import inspect
import warnings

import numpy as np

REMOVED = {
    "Inf": np.inf,
    "Infinity": np.inf,
    "NaN": np.nan,
    "PINF": np.inf,
    "NINF": -np.inf,
    "alltrue": np.all,
    "asfarray": lambda values, dtype=np.float64: np.asarray(values, dtype),
    "asscalar": lambda value: value.item(),
    "bool": np.bool_,
    "bool8": np.bool_,
    "cfloat": np.complex128,
    "complex": complex,
    "complex_": np.complex128,
    "cumproduct": np.cumprod,
    "float": float,
    "float_": np.float64,
    "in1d": np.isin,
    "infty": np.inf,
    "int": int,
    "int0": np.intp,
    "long": int,
    "mat": np.asmatrix,
    "object": object,
    "product": np.prod,
    "row_stack": np.vstack,
    "sometrue": np.any,
    "str": str,
    "string_": np.bytes_,
    "trapz": np.trapezoid if hasattr(np, "trapezoid") else None,
    "unicode": str,
    "unicode_": np.str_,
}


def restore_names() -> None:
    """Bring the old names back in this process; the scripts themselves stay unchanged."""
    for name in collections.abc.__all__:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    for name, value in REMOVED.items():
        with warnings.catch_warnings():
            # Asking for some of these only warns; they are replaced all the same.
            warnings.simplefilter("ignore")
            present = name in vars(np)
        if not present:
            setattr(np, name, value)
    reshape = np.reshape
    if "newshape" not in inspect.signature(reshape).parameters:
        vars(np)["reshape"] = lambda a, *shape, newshape=None, **options: (
            reshape(a, *shape, **options)
            if newshape is None
            else reshape(a, newshape, *shape, **options)
        )
