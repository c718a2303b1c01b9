"""What several families of distributions share."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def parameters(*values: Any, names: tuple[str, ...]) -> list[Tensor]:
    """Parameters as tensors of one floating type, that of the first tensor or array among them."""
    found = next((v for v in values if hasattr(v, "dtype")), None)
    dtype = "float32" if found is None else found.dtype
    if found is not None:
        dtype = convert_to_tensor(found).dtype.base_dtype
    tensors = [
        convert_to_tensor(v, dtype=dtype, name=n) for v, n in zip(values, names, strict=True)
    ]
    for tensor, name in zip(tensors, names, strict=True):
        if not tensor.dtype.is_floating:
            raise TypeError(f"{name} must be of a floating type, got {tensor.dtype.name}")
    return tensors


def checked(validate_args: bool, checks: Any, tensors: list[Any]) -> list[Tensor]:
    """The tensors, which runs check first where that is asked for; `checks()` makes the checks."""
    if not validate_args:
        return [api.identity(tensor) for tensor in tensors]
    with api.control_dependencies(checks()):
        return [api.identity(tensor) for tensor in tensors]


def positive(tensor: Tensor, what: str | None = None) -> list[Any]:
    """The check that all elements are positive."""
    return [api.assert_positive(tensor, message=what and f"{what} must be positive")]


def whole(tensor: Tensor, what: str) -> list[Any]:
    """The checks that all elements are whole numbers and not negative."""
    checks = [api.assert_non_negative(tensor, message=f"{what} must be non-negative")]
    if tensor.dtype.is_floating:
        checks.append(
            api.assert_equal(
                tensor, api.floor(tensor), message=f"{what} cannot contain fractional components."
            )
        )
    return checks


def logits_and_probs(
    logits: Any, probs: Any, validate_args: bool, multidimensional: bool
) -> tuple[Tensor, Tensor]:
    """Both, of which one is given; ValueError unless it is exactly one."""
    if (logits is None) == (probs is None):
        raise ValueError("Must pass probs or logits, but not both.")
    if probs is None:
        (logits,) = parameters(logits, names=("logits",))
        return logits, api.softmax(logits) if multidimensional else api.sigmoid(logits)
    (probs,) = parameters(probs, names=("probs",))

    def checks() -> list[Any]:
        if multidimensional:
            total = api.reduce_sum(probs, -1)
            near = api.abs(total - 1) < (1e-3 if probs.dtype == "float16" else 1e-5)
            sums = api.Assert(api.reduce_all(near), ["probs does not sum to 1", total])
            return [api.assert_non_negative(probs, message="probs must be positive"), sums]
        most = "probs has components greater than 1."
        return [
            api.assert_non_negative(probs, message="probs must be positive"),
            api.assert_less_equal(probs, api.ones_like(probs), message=most),
        ]

    (probs,) = checked(validate_args, checks, [probs])
    logits = api.log(probs) if multidimensional else api.log(probs) - api.log1p(-probs)
    return logits, probs


def full(n: Any, shape: Any) -> Any:
    """The shape of n samples of a batch: n, then the shape."""
    return api.concat([api.reshape(n, [1]), shape], 0)


def log_combinations(total: Any, counts: Any) -> Any:
    """The logarithm of how many orders give these counts."""
    return api.lgamma(total + 1.0) - api.reduce_sum(api.lgamma(counts + 1.0), -1)
