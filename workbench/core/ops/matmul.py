"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry, broadcast_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

Array = np.ndarray[Any, Any]


def _product(a: Any, b: Any, out: Any) -> Any:
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise InvalidArgumentError(
            None,
            None,
            f"Matrix size-incompatible: In[0]: {list(a.shape)}, In[1]: {list(b.shape)}",
        )
    if a.dtype.itemsize == 2 and a.dtype.kind in "fV":
        # Half precision is summed in float32, as processors that have it do.
        product = np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        if out is None:
            return product
        out[...] = product
        return out
    return np.matmul(a, b, out=out)


def _matmul(a: Any, b: Any, *, transpose_a: bool, transpose_b: bool, out: Any = None) -> Any:
    # BLAS takes transposed views as they are.
    return _product(a.T if transpose_a else a, b.T if transpose_b else b, out)


def _batch_matmul(x: Any, y: Any, *, adj_x: bool, adj_y: bool, out: Any = None) -> Any:
    return _product(_adjoint(x) if adj_x else x, _adjoint(y) if adj_y else y, out)


def _adjoint(x: Array) -> Array:
    swapped = np.swapaxes(x, -1, -2)
    return np.conj(swapped) if x.dtype.kind == "c" else swapped


def _matmul_shape(op: Any) -> list[Any]:
    a = shape_rules.with_rank(op.inputs[0].entries, 2, f"'{op.name}' input a")
    b = shape_rules.with_rank(op.inputs[1].entries, 2, f"'{op.name}' input b")
    if op.attrs["transpose_a"]:
        a = a[::-1]
    if op.attrs["transpose_b"]:
        b = b[::-1]
    _check_inner(a[1], b[0])
    return [(a[0], b[1])]


def _check_inner(a: Entry, b: Entry) -> None:
    if isinstance(a, int) and isinstance(b, int) and a != b:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b}")


def _batch_shape(op: Any) -> list[Any]:
    x, y = (t.entries for t in op.inputs)
    if x is None or y is None:
        return [None]
    for entries, which in ((x, "x"), (y, "y")):
        shape_rules.at_least_rank(entries, 2, f"'{op.name}' input {which}")
    rows, inner_x = x[-2:][::-1] if op.attrs["adj_x"] else x[-2:]
    inner_y, columns = y[-2:][::-1] if op.attrs["adj_y"] else y[-2:]
    _check_inner(inner_x, inner_y)
    batch = broadcast_entries(x[:-2], y[:-2])
    return [None if batch is None else (*batch, rows, columns)]


def _matmul_gradient(op: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
    """Products with transpose flags only: no matrix is ever transposed in memory."""
    a, b = op.inputs
    if a.dtype.is_complex:
        from workbench.core.ops import api

        a, b = api.conj(a), api.conj(b)
    ta, tb = op.attrs["transpose_a"], op.attrs["transpose_b"]

    def product(
        x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False
    ) -> Tensor:
        return call("MatMul", None, a=x, b=y, transpose_a=transpose_x, transpose_b=transpose_y)

    if not ta and not tb:
        return product(dz, b, transpose_y=True), product(a, dz, transpose_x=True)
    if not ta and tb:
        return product(dz, b), product(dz, a, transpose_x=True)
    if ta and not tb:
        return product(b, dz, transpose_y=True), product(a, dz)
    return product(b, dz, True, True), product(dz, a, True, True)


def _batch_gradient(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    ax, ay = op.attrs["adj_x"], op.attrs["adj_y"]

    def product(u: Tensor, v: Tensor, adjoint_u: bool = False, adjoint_v: bool = False) -> Tensor:
        return call("BatchMatMul", None, x=u, y=v, adj_x=adjoint_u, adj_y=adjoint_v)

    if not ax and not ay:
        for_x, for_y = product(dz, y, False, True), product(x, dz, True, False)
    elif not ax and ay:
        for_x, for_y = product(dz, y), product(dz, x, True, False)
    elif ax and not ay:
        for_x, for_y = product(y, dz, False, True), product(x, dz)
    else:
        for_x, for_y = product(y, dz, True, True), product(dz, x, True, True)
    return _sum_batch(for_x, x), _sum_batch(for_y, y)


def _sum_batch(gradient: Tensor, target: Tensor) -> Tensor:
    """The gradient summed over batch axes that the product stretched."""
    from workbench.core.ops import api

    have, want = gradient.entries, target.entries
    if have == want or have is None or want is None:
        return gradient
    extra = len(have) - len(want)
    axes = [*range(extra), *(i + extra for i, e in enumerate(want[:-2]) if e == 1)]
    axes = [i for i in axes if i < extra or have[i] != 1]
    if not axes:
        return gradient
    summed: Tensor = api.reshape(api.reduce_sum(gradient, axes), api.shape(target))
    return summed


def _flops(op: Any) -> float:
    a = op.inputs[0].shape.num_elements() or 0
    out = op.outputs[0].entries
    columns = out[-1] if out and isinstance(out[-1], int) else 1
    return 2.0 * a * columns


_A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
_B = [[1.0, -1.0], [0.5, 2.0], [-2.0, 1.0]]
_AT = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
_BT = [[1.0, 0.5, -2.0], [-1.0, 2.0, 1.0]]
_AB = [[-4.0, 6.0], [-5.5, 12.0]]

declare(
    "MatMul",
    inputs="a: T, b: T",
    outputs="product: T",
    attrs=(
        "transpose_a: bool = false, transpose_b: bool = false, "
        "T: {half, bfloat16, float, double, int32, int64, complex64, complex128}"
    ),
    shape=_matmul_shape,
    kernel=_matmul,
    gradient=_matmul_gradient,
    cost=_flops,
    expensive=True,
    samples=[
        sample(_A, _B, want=_AB),
        sample(_AT, _B, transpose_a=True, want=_AB),
        sample(_A, _BT, transpose_b=True, want=_AB),
        sample(_AT, _BT, transpose_a=True, transpose_b=True, want=_AB),
        sample([[1, 2]], [[3], [4]], want=[[11]]),
    ],
)
for _type_name in ("BatchMatMul", "BatchMatMulV2"):
    declare(
        _type_name,
        inputs="x: T, y: T",
        outputs="output: T",
        attrs=(
            "T: {half, bfloat16, float, double, int32, int64, complex64, complex128}, "
            "adj_x: bool = false, adj_y: bool = false"
        ),
        shape=_batch_shape,
        kernel=_batch_matmul,
        gradient=_batch_gradient,
        cost=_flops,
        expensive=True,
        samples=[
            sample([_A, _A], [_B, _B], want=[_AB, _AB]),
            sample([_AT], [_B], adj_x=True, want=[_AB]),
            sample([_A], [_BT], adj_y=True, want=[_AB]),
            sample([_AT], [_BT], adj_x=True, adj_y=True, want=[_AB]),
        ],
    )


def _sparse_matmul(a: Any, b: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b)


def _sparse_matmul_gradient(op: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of a product, by the same operation: its inputs may be of two types."""
    from workbench.core.ops import api

    a, b = op.inputs
    ta, tb = op.attrs["transpose_a"], op.attrs["transpose_b"]
    sparse = {a: op.attrs["a_is_sparse"], b: op.attrs["b_is_sparse"]}

    def product(x: Tensor, y: Tensor, transpose_x: bool, transpose_y: bool, dtype: Any) -> Tensor:
        result = call(
            "SparseMatMul",
            None,
            a=x,
            b=y,
            transpose_a=transpose_x,
            transpose_b=transpose_y,
            a_is_sparse=sparse.get(x, False),
            b_is_sparse=sparse.get(y, False),
        )
        return result if result.dtype is dtype else api.cast(result, dtype)

    if ta:
        for_a = product(b, dz, tb, True, a.dtype)
    else:
        for_a = product(dz, b, False, not tb, a.dtype)
    if tb:
        for_b = product(dz, a, True, ta, b.dtype)
    else:
        for_b = product(a, dz, not ta, False, b.dtype)
    return for_a, for_b


declare(
    "SparseMatMul",
    inputs="a: Ta, b: Tb",
    outputs="product: float",
    attrs=(
        "transpose_a: bool = false, transpose_b: bool = false, a_is_sparse: bool = false, "
        "b_is_sparse: bool = false, Ta: {float, bfloat16} = DT_FLOAT, "
        "Tb: {float, bfloat16} = DT_FLOAT"
    ),
    shape=_matmul_shape,
    kernel=_sparse_matmul,
    gradient=_sparse_matmul_gradient,
    expensive=True,
    samples=[sample(_A, _B, a_is_sparse=True, want=_AB)],
)


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product of `a` and `b`, of rank 2 or more; leading axes are a batch.

    Each may be transposed, or conjugated and transposed, first. Raises ValueError where the inner
    sizes differ.

    >>> import workbench as tf
    >>> tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).eval().tolist()
    [[11.0]]
    """
    with name_scope(name, "MatMul", [a, b]) as scope:
        if transpose_a and adjoint_a:
            raise ValueError("Only one of transpose_a and adjoint_a can be True.")
        if transpose_b and adjoint_b:
            raise ValueError("Only one of transpose_b and adjoint_b can be True.")
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b", dtype=None if isinstance(b, Tensor) else _beside(a, b))
        rank_a, rank_b = a.shape.ndims, b.shape.ndims
        if (rank_a is None or rank_a > 2) and (rank_b is None or rank_b > 2):
            return _batched(a, b, transpose_a, transpose_b, adjoint_a, adjoint_b, scope)
        if adjoint_a and a.dtype.is_complex:
            a = _conjugate(a)
        if adjoint_b and b.dtype.is_complex:
            b = _conjugate(b)
        transpose_a, transpose_b = transpose_a or adjoint_a, transpose_b or adjoint_b
        narrow = ["bfloat16", "float32"]
        both_narrow = a.dtype.base_dtype.name in narrow and b.dtype.base_dtype.name in narrow
        mixed = a.dtype.base_dtype is not b.dtype.base_dtype
        if (a_is_sparse or b_is_sparse or mixed) and both_narrow:
            return call(
                "SparseMatMul",
                scope,
                a=a,
                b=b,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                a_is_sparse=a_is_sparse,
                b_is_sparse=b_is_sparse,
            )
        return call("MatMul", scope, a=a, b=b, transpose_a=transpose_a, transpose_b=transpose_b)


def _beside(a: Tensor, b: Any) -> Any:
    return None if hasattr(b, "dtype") else a.dtype.base_dtype


def _conjugate(x: Tensor) -> Tensor:
    from workbench.core.ops import api

    conjugate: Tensor = api.conj(x)
    return conjugate


def _batched(
    a: Tensor,
    b: Tensor,
    transpose_a: bool,
    transpose_b: bool,
    adjoint_a: bool,
    adjoint_b: bool,
    scope: str,
) -> Tensor:
    # A batch product has adjoints only: a plain transpose of complex numbers is one conjugated.
    if transpose_a and a.dtype.is_complex:
        a = _conjugate(a)
    if transpose_b and b.dtype.is_complex:
        b = _conjugate(b)
    return call(
        "BatchMatMul",
        scope,
        x=a,
        y=b,
        adj_x=transpose_a or adjoint_a,
        adj_y=transpose_b or adjoint_b,
    )


def sparse_matmul(
    a: Any,
    b: Any,
    transpose_a: bool | None = None,
    transpose_b: bool | None = None,
    a_is_sparse: bool | None = None,
    b_is_sparse: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The float32 product of dense matrices, of float32 or bfloat16, that hold many zeros."""
    return call(
        "SparseMatMul",
        name,
        a=a,
        b=b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        a_is_sparse=a_is_sparse,
        b_is_sparse=b_is_sparse,
    )
