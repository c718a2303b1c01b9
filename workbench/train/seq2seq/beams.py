"""Tensors of beams: [batch, width, ...] and [batch * width, ...]."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import known_batch_size


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Each row `multiplier` times in succession, in each tensor of a structure.

    Raises ValueError for tensors of unknown rank and scalars.

    >>> import workbench as tf
    >>> tf.contrib.seq2seq.tile_batch(tf.constant([[1], [2]]), 2).eval().tolist()
    [[1], [1], [2], [2]]
    """
    with name_scope(name, "tile_batch"):
        return nest.map_structure(lambda each: _tiled(each, multiplier), t)


def _tiled(tensor: Any, multiplier: int) -> Any:
    tensor = convert_to_tensor(tensor, name="t")
    rank = tensor.shape.ndims
    if rank is None or rank < 1:
        raise ValueError(f"t must have statically known rank and rows, got {tensor}")
    tiled = api.tile(api.expand_dims(tensor, 1), [1, multiplier, *[1] * (rank - 1)])
    sizes: Any = api.shape(tensor)
    tiled = api.reshape(tiled, api.concat([sizes[:1] * multiplier, sizes[1:]], 0))
    rows = tensor.shape[0].value
    known = TensorShape([None if rows is None else rows * multiplier])
    tiled.set_shape(known.concatenate(tensor.shape[1:]))
    return tiled


class Beams:
    """The forms of tensors with `width` beams in each row of a batch."""

    def __init__(self, batch_size: Any, width: int) -> None:
        self.batch_size = batch_size
        self.width = width
        self._known = known_batch_size(batch_size)

    @property
    def shape(self) -> list[int | None]:
        """[batch, width], as far as it is known."""
        return [self._known, self.width]

    def merged(self, tensor: Any) -> Any:
        """[batch, width, ...] as [batch * width, ...]."""
        rest = tensor.shape[2:]
        known = None if self._known is None else self._known * self.width
        result = api.reshape(
            tensor, api.concat([[self.batch_size * self.width], api.shape(tensor)[2:]], 0)
        )
        result.set_shape(TensorShape([known]).concatenate(rest))
        return result

    def split(self, tensor: Any) -> Any:
        """[batch * width, ...] as [batch, width, ...]; ValueError for other numbers of rows."""
        rest, rows = tensor.shape[1:], tensor.shape[0].value
        expected = None if self._known is None else self._known * self.width
        if rows is not None and expected is not None and rows != expected:
            raise ValueError(
                "Unexpected behavior when reshaping between beam width and batch size: "
                f"{tensor} has {rows} rows, a batch of {self._known} with {self.width} beams has "
                f"{expected}.  Perhaps you forgot to create a zero_state with "
                "batch_size=encoder_batch_size * beam_width?"
            )
        result = api.reshape(
            tensor, api.concat([[self.batch_size, self.width], api.shape(tensor)[1:]], 0)
        )
        result.set_shape(TensorShape(self.shape).concatenate(rest))
        return result

    def gathered(self, tensor: Any, parents: Any) -> Any:
        """Of [batch, width, ...] the beams `parents` [batch, width]."""
        starts = api.expand_dims(api.range(self.batch_size) * self.width, 1)
        rows = api.gather(self.merged(tensor), api.reshape(starts + parents, [-1]))
        return self.split(rows)
