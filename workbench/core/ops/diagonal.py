"""Diagonals, bands around them, and identity matrices."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import diagonal as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes

_MATRIX = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def _band_shape(op: Any) -> list[Any]:
    for tensor, what in zip(op.inputs[1:], ("num_lower", "num_upper"), strict=True):
        shape_rules.with_rank(tensor.entries, 0, what)
    return [shape_rules.at_least_rank(op.inputs[0].entries, 2, "the input")]


declare(
    "MatrixBandPart",
    inputs="input: T, num_lower: Tindex, num_upper: Tindex",
    outputs="band: T",
    attrs="T: type, Tindex: {int32, int64} = DT_INT64",
    shape=_band_shape,
    kernel=kernels.matrix_band_part,
    gradient=lambda op, grad: [
        matrix_band_part(grad, op.inputs[1], op.inputs[2]),
        None,
        None,
    ],
    samples=[
        sample(
            _MATRIX,
            0,
            1,
            dtype=(None, "int64", "int64"),
            want=[[1.0, 2.0, 0.0], [0.0, 5.0, 6.0]],
        ),
        sample(
            _MATRIX,
            -1,
            0,
            dtype=(None, "int64", "int64"),
            want=[[1.0, 0.0, 0.0], [4.0, 5.0, 0.0]],
        ),
    ],
)


def _smaller(rows: Entry, columns: Entry) -> Entry:
    if rows == columns or 0 in (rows, columns):
        return rows if rows == columns else 0
    if isinstance(rows, int) and isinstance(columns, int):
        return min(rows, columns)
    return None


def _diag_shape(op: Any) -> list[Any]:
    entries = shape_rules.at_least_rank(op.inputs[0].entries, 1, "diagonal")
    return [None if entries is None else entries + entries]


def _diag_part_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    if entries is None:
        return [None]
    half = len(entries) // 2
    if len(entries) % 2 or not half:
        raise ValueError(f"Input must have even and non-zero rank, got rank {len(entries)}")
    return [equal_shapes(entries[:half], entries[half:])]


declare(
    "Diag",
    inputs="diagonal: T",
    outputs="output: T",
    attrs="T: {number}",
    shape=_diag_shape,
    kernel=kernels.diag,
    gradient=lambda op, grad: api.diag_part(grad),
    samples=[
        sample([1.0, 2.0], want=[[1.0, 0.0], [0.0, 2.0]]),
        sample([[1.0, 2.0]], want=[[[[1.0, 0.0]], [[0.0, 2.0]]]]),
    ],
)
declare(
    "DiagPart",
    inputs="input: T",
    outputs="diagonal: T",
    attrs="T: {number}",
    shape=_diag_part_shape,
    kernel=kernels.diag_part,
    gradient=lambda op, grad: api.diag(grad),
    aliases_input=True,
    samples=[sample([[1.0, 2.0], [3.0, 4.0]], want=[1.0, 4.0])],
)


def _matrix_diag_shape(op: Any) -> list[Any]:
    entries = shape_rules.at_least_rank(op.inputs[0].entries, 1, "diagonal")
    return [None if entries is None else (*entries, entries[-1])]


def _matrix_diag_part_shape(op: Any) -> list[Any]:
    entries = shape_rules.at_least_rank(op.inputs[0].entries, 2, "the input")
    return [None if entries is None else (*entries[:-2], _smaller(*entries[-2:]))]


def _matrix_diag_part_gradient(op: Any, grad: Any) -> Any:
    source = op.inputs[0]
    if source.entries is not None:
        rows, columns = source.entries[-2:]
        if isinstance(rows, int) and rows == columns:
            return matrix_diag(grad)
    return matrix_set_diag(api.zeros_like(source), grad)


declare(
    "MatrixDiag",
    inputs="diagonal: T",
    outputs="output: T",
    attrs="T: type",
    shape=_matrix_diag_shape,
    kernel=kernels.matrix_diag,
    gradient=lambda op, grad: matrix_diag_part(grad),
    samples=[sample([[1.0, 2.0]], want=[[[1.0, 0.0], [0.0, 2.0]]])],
)
declare(
    "MatrixDiagPart",
    inputs="input: T",
    outputs="diagonal: T",
    attrs="T: type",
    shape=_matrix_diag_part_shape,
    kernel=kernels.matrix_diag_part,
    gradient=_matrix_diag_part_gradient,
    aliases_input=True,
    samples=[sample(_MATRIX, want=[1.0, 5.0]), sample([[1.0, 2.0], [3.0, 4.0]], want=[1.0, 4.0])],
)


def _set_diag_shape(op: Any) -> list[Any]:
    entries, diagonal = (t.entries for t in op.inputs)
    shape_rules.at_least_rank(entries, 2, "the input")
    shape_rules.at_least_rank(diagonal, 1, "diagonal")
    if entries is None:
        return [None]
    size = _smaller(*entries[-2:])
    batch = equal_shapes((*entries[:-2], size), diagonal)
    return [(*(batch or ())[:-1], *entries[-2:])]


def _set_diag_gradient(op: Any, grad: Any) -> list[Any]:
    source, diagonal = op.inputs
    return [matrix_set_diag(grad, api.zeros_like(diagonal)), matrix_diag_part(grad)]


declare(
    "MatrixSetDiag",
    inputs="input: T, diagonal: T",
    outputs="output: T",
    attrs="T: type",
    shape=_set_diag_shape,
    kernel=kernels.matrix_set_diag,
    gradient=_set_diag_gradient,
    samples=[sample(_MATRIX, [7.0, 8.0], want=[[7.0, 2.0, 3.0], [4.0, 8.0, 6.0]])],
)


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Each innermost matrix with zeros outside of a band around its diagonal.

    `num_lower` diagonals below and `num_upper` above the main one are kept; -1 keeps all.

    >>> import workbench as tf
    >>> tf.matrix_band_part(tf.ones([3, 3], tf.int32), -1, 0).eval().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    return call("MatrixBandPart", name, input=input, num_lower=num_lower, num_upper=num_upper)


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """A tensor of twice the rank that is zero except where both halves of the index are equal.

    >>> import workbench as tf
    >>> tf.diag([1, 2]).eval().tolist()
    [[1, 0], [0, 2]]
    """
    return call("Diag", name, diagonal=diagonal)


def diag_part(input: Any, name: str | None = None) -> Tensor:
    """The elements at which both halves of the index are equal: the inverse of `diag`."""
    return call("DiagPart", name, input=input)


def matrix_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Square matrices with the innermost vectors of `diagonal` on their diagonals."""
    return call("MatrixDiag", name, diagonal=diagonal)


def matrix_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The diagonals of the innermost matrices.

    >>> import workbench as tf
    >>> tf.matrix_diag_part([[1, 2, 3], [4, 5, 6]]).eval().tolist()
    [1, 5]
    """
    return call("MatrixDiagPart", name, input=input)


def matrix_set_diag(input: Any, diagonal: Any, name: str | None = None) -> Tensor:
    """The innermost matrices of `input` with other diagonals."""
    return call("MatrixSetDiag", name, input=input, diagonal=diagonal)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Ones on the diagonal of a matrix of zeros, or of each matrix of a batch.

    >>> import workbench as tf
    >>> tf.eye(2, num_columns=3).eval().tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    with name_scope(name, "eye", [num_rows, num_columns, batch_shape]) as scope:
        is_square = num_columns is None
        columns = num_rows if is_square else num_columns
        sizes = [num_rows, columns]
        if not any(isinstance(s, Tensor) for s in sizes):
            length: Any = min(int(num_rows), int(columns))
        else:
            length = num_rows if is_square else api.minimum(num_rows, columns)
        if batch_shape is None:
            lead: Any = []
        elif isinstance(batch_shape, Tensor):
            lead = batch_shape
        else:
            lead = list(batch_shape)
        if isinstance(lead, Tensor) or any(isinstance(s, Tensor) for s in (*lead, length)):
            lead = api.cast(convert_to_tensor(lead, "int32" if lead == [] else None), "int32")
            diagonal = api.ones(api.concat([lead, [length]], 0), dtype)
        else:
            diagonal = api.ones([*lead, length], dtype)
        if is_square:
            return matrix_diag(diagonal, scope)
        if isinstance(lead, Tensor) or any(isinstance(s, Tensor) for s in (*lead, *sizes)):
            zeros = api.zeros(api.concat([lead, sizes], 0), dtype)
        else:
            zeros = api.zeros([*lead, *sizes], dtype)
        return matrix_set_diag(zeros, diagonal, scope)


def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the main diagonal of each innermost matrix.

    >>> import workbench as tf
    >>> tf.trace([[1, 2], [3, 4]]).eval()
    np.int32(5)
    """
    with name_scope(name, "Trace", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        total: Tensor = api.reduce_sum(matrix_diag_part(x), [-1], name=scope)
        return total
