"""Initializers: functions of a shape that give the initial values of variables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.graph.dtypes import DType, as_dtype, float32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.constant import constant


class Initializer:
    """A function of a shape: `initializer(shape, dtype=None, partition_info=None)`.

    Where `partition_info` is given, `shape` is only a part of a variable (see
    `tf.get_variable(partitioner=...)`).

    >>> import workbench as tf
    >>> initializer = tf.random_uniform_initializer(-1.0, 1.0, seed=7)
    >>> tf.random_uniform_initializer.from_config(initializer.get_config()).get_config()["minval"]
    -1.0
    """

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        """The initial value for this shape."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its values are")

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as plain Python values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer of a `get_config`."""
        return cls(**config)

    dtype: DType = float32

    def _dtype(self, dtype: Any) -> DType:
        return self.dtype if dtype is None else as_dtype(dtype).base_dtype


class Zeros(Initializer):
    """Zeros.

    >>> import workbench as tf
    >>> tf.zeros_initializer()([3]).eval().tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        zeros: Tensor = api.zeros(shape, self._dtype(dtype))
        return zeros

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Ones(Initializer):
    """Ones."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        ones: Tensor = api.ones(shape, self._dtype(dtype))
        return ones

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Constant(Initializer):
    """One value everywhere, or the elements of a list or array in order.

    A list with too few elements is filled up with its last one; with `verify_shape` its shape must
    be the variable's.

    >>> import workbench as tf
    >>> tf.constant_initializer([1, 2, 3])([2, 2]).eval().tolist()
    [[1.0, 2.0], [3.0, 3.0]]
    """

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                "Invalid type for initial value: "
                f"{type(value)} (expected Python scalar, list or tuple of values, or numpy.ndarray)"
            )
        self.value = value
        self.dtype = as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        partition_info: Any = None,
        verify_shape: bool | None = None,
    ) -> Tensor:
        verify = self._verify_shape if verify_shape is None else verify_shape
        return constant(self.value, self._dtype(dtype), shape, verify_shape=verify)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "dtype": self.dtype.name}


class RandomUniform(Initializer):
    """Uniform values from [minval, maxval); integers need a `maxval`."""

    def __init__(
        self, minval: Any = 0, maxval: Any = None, seed: int | None = None, dtype: Any = float32
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        maxval = self.maxval
        chosen = self._dtype(dtype)
        if maxval is None and chosen.is_floating:
            maxval = 1
        values: Tensor = api.random_uniform(shape, self.minval, maxval, chosen, seed=self.seed)
        return values

    def get_config(self) -> dict[str, Any]:
        return {
            "minval": self.minval,
            "maxval": self.maxval,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class RandomNormal(Initializer):
    """Normally distributed values."""

    def __init__(
        self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = float32
    ) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        chosen = self._dtype(dtype)
        values: Tensor = api.random_normal(shape, self.mean, self.stddev, chosen, seed=self.seed)
        return values

    def get_config(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "stddev": self.stddev,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class TruncatedNormal(RandomNormal):
    """Normally distributed values, of which those beyond two standard deviations are redrawn."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        chosen = self._dtype(dtype)
        values: Tensor = api.truncated_normal(shape, self.mean, self.stddev, chosen, seed=self.seed)
        return values


class Orthogonal(Initializer):
    """An orthogonal matrix times `gain`: its rows or its columns, the fewer, are orthonormal.

    For more than two dimensions all but the last count as rows.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        self.gain = gain
        self.dtype = floating(dtype)
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        chosen = self._dtype(dtype)
        sizes = [int(size) for size in shape]
        if len(sizes) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = api.qr(api.random_normal(tall, dtype=chosen, seed=self.seed), full_matrices=False)
        # With the signs of R's diagonal all orthogonal matrices are equally likely.
        q *= api.sign(api.diag_part(r))
        if rows < columns:
            q = api.matrix_transpose(q)
        result: Tensor = self.gain * api.reshape(q, sizes)
        return result

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zeros elsewhere."""

    def __init__(self, gain: float = 1.0, dtype: Any = float32) -> None:
        self.gain = gain
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        full = shape if partition_info is None else partition_info.full_shape
        if len(full) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        matrix = api.eye(*[int(size) for size in full], dtype=self._dtype(dtype))
        if partition_info is not None:
            matrix = api.slice(matrix, partition_info.var_offset, shape)
        result: Tensor = self.gain * matrix
        return result

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "dtype": self.dtype.name}


def floating(dtype: Any) -> DType:
    """The dtype; ValueError unless it is a floating one."""
    found = as_dtype(dtype)
    if not found.is_floating:
        raise ValueError(f"Expected floating point type, got {dtype}.")
    return found


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
orthogonal_initializer = Orthogonal
identity_initializer = Identity
