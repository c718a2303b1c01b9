"""Shape rules and small helpers that the operations on matrices share."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.static_shapes import equal_shapes

#: The types that matrices are decomposed and solved in.
TYPES = "{double, float, complex64, complex128}"


def matrix_entries(entries: Entries, what: str) -> tuple[Entries, Entry, Entry]:
    """The batch, rows and columns of matrices; ValueError where there are no two axes."""
    shape_rules.at_least_rank(entries, 2, what)
    if entries is None:
        return None, None, None
    return entries[:-2], entries[-2], entries[-1]


def square_entries(entries: Entries, what: str) -> tuple[Entries, Entry]:
    """The batch and the size of square matrices; ValueError where they are not square."""
    batch, rows, columns = matrix_entries(entries, what)
    return batch, shape_rules.equal_sizes(rows, columns, f"{what} must be square")


def joined(batch: Entries, *sizes: Entry) -> Entries:
    """Batch axes followed by more sizes; None where the batch is not known."""
    return None if batch is None else (*batch, *sizes)


def square(op: Any) -> list[Any]:
    """The output is a square matrix like the input."""
    batch, size = square_entries(op.inputs[0].entries, "input")
    return [joined(batch, size, size)]


def system(op: Any, *, is_square: bool) -> list[Any]:
    """The shape of the solution of matrix * x = rhs."""
    if is_square:
        batch, rows = square_entries(op.inputs[0].entries, "matrix")
        columns = rows
    else:
        batch, rows, columns = matrix_entries(op.inputs[0].entries, "matrix")
    other, rhs_rows, count = matrix_entries(op.inputs[1].entries, "rhs")
    shape_rules.equal_sizes(rows, rhs_rows, "rows of matrix and rhs")
    return [joined(equal_shapes(batch, other), columns, count)]


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transpose of each innermost matrix."""
    result: Tensor = api.matrix_transpose(matrix, name=name or "adjoint", conjugate=True)
    return result


def smaller(rows: Entry, columns: Entry) -> Entry:
    """The smaller of two sizes, where it is known."""
    if rows == columns:
        return rows
    if isinstance(rows, int) and isinstance(columns, int):
        return min(rows, columns)
    return None
