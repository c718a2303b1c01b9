"""The decoder that samples: a cell whose inputs a helper chooses."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph import nest
from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.train.layers.base import Layer
from workbench.train.seq2seq.decoding import Decoder
from workbench.train.seq2seq.helpers import Helper


class BasicDecoderOutput(NamedTuple):
    """What a `BasicDecoder` puts out: outputs of the cell (or of the layer) and samples of them."""

    rnn_output: Any
    sample_id: Any


def check_layer(value: Any, name: str) -> None:
    """TypeError naming the argument unless it is a layer or None."""
    if value is not None and not isinstance(value, Layer):
        raise TypeError(f"{name} must be a Layer, received: {type(value)}")


def mapped_size(size: Any, layer: Layer | None) -> Any:
    """The size of a cell's output after a layer."""
    if layer is None:
        return size
    rows = nest.map_structure(lambda each: as_shape([None]).concatenate(as_shape(each)), size)
    shapes = layer.compute_output_shape(rows)
    return nest.map_structure(lambda shape: TensorShape(shape)[1:], shapes)


class BasicDecoder(Decoder):
    """A decoder whose helper samples the cell's outputs and makes the next inputs.

    `output_layer` maps the outputs, to logits for instance.
    """

    def __init__(
        self, cell: Any, helper: Helper, initial_state: Any, output_layer: Any = None
    ) -> None:
        check_cell(cell, "cell must be an RNNCell")
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        check_layer(output_layer, "output_layer")
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        """The helper's batch size."""
        return self._helper.batch_size

    @property
    def output_size(self) -> BasicDecoderOutput:
        """The sizes of outputs and samples."""
        size = mapped_size(self._cell.output_size, self._output_layer)
        return BasicDecoderOutput(size, self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> BasicDecoderOutput:
        """The dtypes of outputs and samples."""
        dtype = nest.flatten(self._initial_state)[0].dtype
        size = mapped_size(self._cell.output_size, self._output_layer)
        return BasicDecoderOutput(
            nest.map_structure(lambda _: dtype, size), self._helper.sample_ids_dtype
        )

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        """What the helper begins with, and the initial state."""
        finished, inputs = self._helper.initialize()
        return finished, inputs, self._initial_state

    def step(
        self, time: Any, inputs: Any, state: Any, name: str | None = None
    ) -> tuple[Any, Any, Any, Any]:
        """One step of the cell, a sample of its output, and the helper's next inputs."""
        with name_scope(name, "BasicDecoderStep"):
            outputs, new_state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            samples = self._helper.sample(time=time, outputs=outputs, state=new_state)
            finished, next_inputs, next_state = self._helper.next_inputs(
                time=time, outputs=outputs, state=new_state, sample_ids=samples
            )
        return BasicDecoderOutput(outputs, samples), next_state, next_inputs, finished
