"""Rows and columns of saved matrices brought into the order of another vocabulary."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from workbench.core.errors import UnimplementedError
from workbench.core.files import read_bytes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid, spelled
from workbench.core.kernels.tables import LINE_NUMBER, WHOLE_LINE, read_columns
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare

_STRING, _LONG = np.dtype(object), np.dtype(np.int64)


def _vocabulary(file: Any, what: str, size: int = -1) -> list[bytes]:
    array = as_array(file)
    if array.ndim:
        raise invalid(f"{what} should be a single string, but got {spelled(array.shape)}")
    path = os.fsdecode(array.item())
    if not path:
        raise invalid(f"{what} cannot be empty.")
    columns = (WHOLE_LINE, LINE_NUMBER), (_STRING, _LONG)
    words: list[bytes] = read_columns(read_bytes(path), path, *columns, size, b"\n")[0].tolist()
    return words


def _generate_vocab_remapping(
    new_vocab_file: Any,
    old_vocab_file: Any,
    *,
    new_vocab_offset: int,
    num_new_vocab: int,
    old_vocab_size: int,
) -> tuple[Any, Any]:
    new = _vocabulary(new_vocab_file, "new_vocab_file")
    if new_vocab_offset + num_new_vocab > len(new):
        raise invalid("lookup table size must be larger than last new vocab entry's line")
    old = _vocabulary(old_vocab_file, "old_vocab_file", old_vocab_size)
    places = {word: number for number, word in enumerate(old)}
    wanted = new[new_vocab_offset : new_vocab_offset + num_new_vocab]
    remapping = np.array([places.get(word, -1) for word in wanted], np.int64)
    return remapping, np.int32(np.sum(remapping >= 0))


def _remapping_shape(op: Any) -> list[Any]:
    for number, name in enumerate(("new_vocab_file", "old_vocab_file")):
        shape_rules.with_rank(op.inputs[number].entries, 0, name)
    return [(op.attrs["num_new_vocab"],), ()]


declare(
    "GenerateVocabRemapping",
    inputs="new_vocab_file: string, old_vocab_file: string",
    outputs="remapping: int64, num_present: int32",
    attrs="new_vocab_offset: int >= 0, num_new_vocab: int >= 0, old_vocab_size: int >= -1 = -1",
    shape=_remapping_shape,
    kernel=_generate_vocab_remapping,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    expensive=True,
)


def _load_and_remap_matrix(
    ckpt_path: Any,
    old_tensor_name: Any,
    row_remapping: Any,
    col_remapping: Any,
    initializing_values: Any,
    *,
    num_rows: int,
    num_cols: int,
) -> Any:
    rows, columns = as_array(row_remapping), as_array(col_remapping)
    if rows.size != num_rows:
        raise invalid(
            f"Size of row_remapping is {rows.size} instead of being equal to num_rows={num_rows}"
        )
    if columns.size not in (0, num_cols):
        raise invalid(
            f"Provided col_remapping, but its size is {columns.size} instead of being equal to "
            f"num_cols={num_cols}"
        )
    for name, numbers in (("row", rows), ("col", columns)):
        present = numbers[numbers >= 0]
        if len(np.unique(present)) != len(present):
            raise UnimplementedError(
                None, None, f"{name}_remapping has an old number twice: {present.tolist()}"
            )
    matrix = _saved_matrix(ckpt_path, old_tensor_name)
    if not columns.size:
        if matrix.shape[1] != num_cols:
            raise invalid(
                f"Tensor has shape {spelled(matrix.shape)}, where the size of its 2nd dimension is "
                f"{matrix.shape[1]} instead of being equal to num_cols={num_cols}"
            )
        columns = np.arange(num_cols)
    present = (rows >= 0)[:, np.newaxis] & (columns >= 0)
    result = np.zeros((num_rows, num_cols), np.float32)
    result[present] = matrix[np.ix_(rows[rows >= 0], columns[columns >= 0])].reshape(-1)
    missing = int(np.sum(~present))
    values = as_array(initializing_values).reshape(-1)
    if values.size < missing:
        raise invalid(
            f"initializing_values contained {values.size} elements, but more missing values remain."
        )
    if values.size > missing:
        raise invalid(
            f"initializing_values contained {values.size} elements, but only {missing} elements "
            "were used to fill in missing values."
        )
    result[~present] = values
    return result


def _saved_matrix(path: Any, name: Any) -> np.ndarray[Any, Any]:
    from workbench.core.checkpoints.reading import read_tensors

    key = os.fsdecode(as_array(name).item())
    matrix = read_tensors(os.fsdecode(as_array(path).item()), [key])[key]
    if matrix.dtype != np.float32:
        raise invalid(f"Tensor {key} has invalid type {matrix.dtype} instead of float32")
    if matrix.ndim != 2:
        raise invalid(
            f"Tensor {key} has shape {spelled(matrix.shape)} of invalid rank {matrix.ndim} instead "
            "of expected shape of rank 2."
        )
    return matrix


def _remapped_shape(op: Any) -> list[Any]:
    rows, columns = op.attrs["num_rows"], op.attrs["num_cols"]
    (count,) = shape_rules.with_rank(op.inputs[2].entries, 1, "row_remapping")
    shape_rules.equal_sizes(count, rows, "row_remapping has num_rows numbers")
    shape_rules.with_rank(op.inputs[3].entries, 1, "col_remapping")
    return [(rows, columns)]


declare(
    "LoadAndRemapMatrix",
    inputs="ckpt_path: string, old_tensor_name: string, row_remapping: int64, "
    "col_remapping: int64, initializing_values: float",
    outputs="output_matrix: float",
    attrs="num_rows: int >= 0, num_cols: int >= 1, max_rows_in_memory: int = -1",
    shape=_remapped_shape,
    kernel=_load_and_remap_matrix,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    expensive=True,
)


def generate_vocab_remapping(
    new_vocab_file: Any,
    old_vocab_file: Any,
    new_vocab_offset: int,
    num_new_vocab: int,
    old_vocab_size: int | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """For words of a new vocabulary, a file with one on each line, their numbers in an old one.

    Gives int64 [num_new_vocab], -1 for new words, and how many are not new. `old_vocab_size`
    takes the first lines of the old file only.
    """
    op = create(
        "GenerateVocabRemapping",
        name,
        new_vocab_file=new_vocab_file,
        old_vocab_file=old_vocab_file,
        new_vocab_offset=new_vocab_offset,
        num_new_vocab=num_new_vocab,
        old_vocab_size=old_vocab_size,
    )
    return op.outputs[0], op.outputs[1]


def load_and_remap_matrix(
    ckpt_path: Any,
    old_tensor_name: Any,
    row_remapping: Any,
    col_remapping: Any,
    initializing_values: Any,
    num_rows: int,
    num_cols: int,
    max_rows_in_memory: int | None = None,
    name: str | None = None,
) -> Tensor:
    """A matrix of a checkpoint with its rows and columns in another order.

    The remappings hold old numbers, or -1 for elements that come from `initializing_values`, one
    after the other. Without `col_remapping` (an empty vector) columns stay as they are.
    """
    return call(
        "LoadAndRemapMatrix",
        name,
        ckpt_path=ckpt_path,
        old_tensor_name=old_tensor_name,
        row_remapping=row_remapping,
        col_remapping=col_remapping,
        initializing_values=initializing_values,
        num_rows=num_rows,
        num_cols=num_cols,
        max_rows_in_memory=max_rows_in_memory,
    )
