"""Assertions about arrays and structures of them."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from workbench.core.graph.tensor import TensorLike
from workbench.core.kernels.scalars import as_array

Array = np.ndarray[Any, Any]


class ArrayAssertions(unittest.TestCase):
    """The comparisons of arrays that a `tf.test.TestCase` has.

    Values may be arrays, numbers, lists, strings or tensors, which are evaluated.
    """

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors."""
        raise NotImplementedError

    def _array(self, value: Any) -> Array:
        """A value as an array; strings stay objects."""
        if isinstance(value, TensorLike):
            value = self.evaluate(value)
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], (str, bytes)):
            return np.array(value, dtype=object)
        return as_array(value)

    #: The name under which tests derived from TensorFlow's know it.
    _GetNdArray = _array

    def assertNear(self, f1: Any, f2: Any, err: float, msg: str | None = None) -> None:
        """Fails unless the numbers differ by at most `err`."""
        self.assertTrue(
            f1 == f2 or abs(f1 - f2) <= err, f"{f1!r} != {f2!r} +/- {err!r} {msg or ''}"
        )

    def assertArrayNear(
        self, farray1: Any, farray2: Any, err: float, msg: str | None = None
    ) -> None:
        """Fails unless the sequences have pairs that differ by at most `err`."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err, msg)

    def assertNDArrayNear(
        self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None
    ) -> None:
        """Fails unless the distance of the arrays is below `err`."""
        difference = np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2))
        self.assertTrue(difference < err, f"distance {difference} is not below {err} {msg or ''}")

    def assertAllClose(
        self, a: Any, b: Any, rtol: Any = 1e-6, atol: Any = 1e-6, msg: str | None = None
    ) -> None:
        """Fails unless arrays, or structures of them, are equal within tolerances.

        Tolerances are numbers, or arrays that broadcast to the others.
        """
        self._all_close(a, b, rtol, atol, msg, "")

    def _all_close(self, a: Any, b: Any, rtol: Any, atol: Any, msg: str | None, path: str) -> None:
        a, b = _by_name(a), _by_name(b)
        if isinstance(a, Mapping) != isinstance(b, Mapping):
            raise ValueError(f"Can't compare dict to non-dict, a{path} vs b{path}. {msg or ''}")
        if isinstance(a, Mapping):
            self.assertEqual(set(a), set(b), f"mismatched keys: a{path} {msg or ''}")
            for key in a:
                self._all_close(a[key], b[key], rtol, atol, msg, f"{path}[{key}]")
            return
        if _is_structure(a) or _is_structure(b):
            self.assertEqual(len(a), len(b), f"mismatched lengths: a{path} {msg or ''}")
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                self._all_close(x, y, rtol, atol, msg, f"{path}[{i}]")
            return
        self._arrays_close(self._array(a), self._array(b), rtol, atol, f"{path} {msg or ''}")

    def _arrays_close(self, a: Array, b: Array, rtol: Any, atol: Any, msg: str) -> None:
        first, second = _plain(a), _plain(b)
        self._same_shape(first, second, msg)
        if np.ndim(rtol) == np.ndim(atol) == 0:
            np.testing.assert_allclose(first, second, rtol=rtol, atol=atol, err_msg=msg)
            return
        # Of tolerances for each element NumPy can tell whether they hold, but not report it.
        wrong = ~np.isclose(first, second, rtol, atol, equal_nan=True)
        if wrong.any():
            places = np.argwhere(wrong)[:10].tolist()
            self.fail(f"Not equal to tolerance at {places}: {first[wrong]}, {second[wrong]}. {msg}")

    def _same_shape(self, a: Array, b: Array, msg: str) -> None:
        if a.shape != b.shape:
            self.fail(f"Shape mismatch: expected {a.shape}, got {b.shape}. {msg}")

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """As `assertAllClose`, with tolerances by the arrays' type."""
        kinds = {self._array(a).dtype.name, self._array(b).dtype.name}
        if kinds & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in kinds:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        if "bfloat16" in kinds:
            rtol, atol = max(rtol, bfloat16_rtol), max(atol, bfloat16_atol)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllClose(self, a: Any, b: Any, **kwargs: Any) -> None:
        """Fails where `assertAllClose` would not."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        self.fail("The two values are close at all elements")

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fails unless arrays have the same shape and elements; NaN equals NaN."""
        first, second = self._array(a), self._array(b)
        self._same_shape(first, second, msg or "")
        if first.dtype == object or second.dtype == object:
            self.assertEqual(_texts(first), _texts(second), msg)
            return
        np.testing.assert_array_equal(first, second, err_msg=msg or "")

    def _all(self, a: Any, holds: Callable[[Array], Array], what: str) -> None:
        array = self._array(a)
        if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
            self.fail(f"Elements of type {array.dtype} are not numbers, so none is {what}")
        wrong = ~np.asarray(holds(array))
        if wrong.any():
            places = np.argwhere(wrong)[:10].tolist()
            self.fail(f"Not all elements are {what}: those at {places} are not, in {array!r}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Fails unless all elements are greater than a number."""
        self._all(a, lambda x: x > comparison_target, f"greater than {comparison_target}")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Fails unless all elements are less than a number."""
        self._all(a, lambda x: x < comparison_target, f"less than {comparison_target}")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Fails where an element is less than a number."""
        self._all(a, lambda x: x >= comparison_target, f"at least {comparison_target}")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Fails where an element is greater than a number."""
        self._all(a, lambda x: x <= comparison_target, f"at most {comparison_target}")

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Fails unless all elements are between two numbers, which belong to the range or not."""

        def inside(x: Array) -> Array:
            above = x > lower_bound if open_lower_bound else x >= lower_bound
            below = x < upper_bound if open_upper_bound else x <= upper_bound
            both: Array = above & below
            return both

        left, right = "(" if open_lower_bound else "[", ")" if open_upper_bound else "]"
        self._all(target, inside, f"in {left}{lower_bound}, {upper_bound}{right}")

    def assertAllInSet(self, target: Any, expected_set: Iterable[Any]) -> None:
        """Fails unless all elements are among some values."""
        known = list(expected_set)
        self._all(target, lambda x: np.isin(x, known), f"in {known}")

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Fails unless the elements are of a NumPy type."""
        self.assertEqual(self._array(target).dtype, np.dtype(expected_dtype))

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: str | None = None) -> None:
        """Fails unless a tensor has the static shape of an array."""
        if not isinstance(np_array, (np.ndarray, np.generic)):
            raise TypeError("np_array must be a Numpy ndarray or Numpy scalar")
        self.assertAllEqual(np_array.shape, tf_tensor.get_shape().as_list(), msg)


def _plain(array: Array) -> Array:
    """An array of a type that NumPy can subtract."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _by_name(value: Any) -> Any:
    """A named tuple as a dictionary; anything else as it is."""
    return value._asdict() if hasattr(value, "_asdict") else value


def _is_structure(value: Any) -> bool:
    """True for lists and tuples whose items are no rows of one array."""
    if not isinstance(value, (list, tuple)):
        return False
    try:
        return np.asarray(value).dtype == object
    except (TypeError, ValueError):
        return True


def _texts(array: Array) -> list[Any]:
    return [v.encode() if isinstance(v, str) else v for v in array.reshape(-1).tolist()]
