"""Connectionist temporal classification: loss and decoders of sequences of unknown alignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import ctc, ctc_decoding
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.identity import prevent_gradient
from workbench.core.ops.nn.zeros import is_zeros

# -- the operations ------------------------------------------------------------------------------


def _batch(op: Any, lengths: Any) -> tuple[Any, Any, Any]:
    steps, batch, classes = shape_rules.with_rank(op.inputs[0].entries, 3, "the inputs")
    (count,) = shape_rules.with_rank(lengths.entries, 1, "sequence_length")
    batch = shape_rules.equal_sizes(batch, count, "rows of the inputs and of sequence_length")
    return steps, batch, classes


def _loss_shape(op: Any) -> list[Entries]:
    _, indices, values, lengths = op.inputs
    rows, _ = shape_rules.with_rank(indices.entries, 2, "the indices of the labels")
    (count,) = shape_rules.with_rank(values.entries, 1, "the values of the labels")
    shape_rules.equal_sizes(rows, count, "indices and values of the labels")
    steps, batch, classes = _batch(op, lengths)
    return [(batch,), (steps, batch, classes)]


_FIRST_ORDER = "Currently there is no way to take the second derivative of ctc_loss."


def _loss_gradient(op: Any, d_loss: Tensor, d_gradient: Any) -> list[Any]:
    """The operation has computed the gradient already: its second output."""
    if not is_zeros(d_gradient):
        raise LookupError(_FIRST_ORDER)
    computed = prevent_gradient(op.outputs[1], message=_FIRST_ORDER)
    scale = api.expand_dims(api.expand_dims(d_loss, -1), 0)
    return [scale * computed, None, None, None]


def _decoder_shape(op: Any) -> list[Entries]:
    _, batch, _ = _batch(op, op.inputs[1])
    paths = op.attrs.get("top_paths", 1)
    return [*[(None, 2)] * paths, *[(None,)] * paths, *[(2,)] * paths, (batch, paths)]


#: Three of the four paths over two steps of two classes give the label: "a-", "-a" and "aa".
_EVEN = -np.log(0.75)
_SHARES = [[[0.5 - 2 / 3, 0.5 - 1 / 3]], [[0.5 - 2 / 3, 0.5 - 1 / 3]]]
#: The logits are the logarithms of .4, .6 and .3, .7 for label and blank.
_UNEVEN = np.log([[[0.4, 0.6]], [[0.3, 0.7]]])
_STEPS = [[[1.0, 0.0, 0.5]], [[2.0, 0.0, 1.0]], [[0.0, 0.5, 1.0]], [[0.0, 2.0, 1.0]]]

declare(
    "CTCLoss",
    inputs="inputs: T, labels_indices: int64, labels_values: int32, sequence_length: int32",
    outputs="loss: T, gradient: T",
    attrs="preprocess_collapse_repeated: bool = false, ctc_merge_repeated: bool = true, "
    "ignore_longer_outputs_than_inputs: bool = false, T: {float, double} = DT_FLOAT",
    shape=_loss_shape,
    kernel=ctc.ctc_loss,
    gradient=_loss_gradient,
    # The second output has no gradient: finite differences of both would miss it.
    samples=[
        sample(np.zeros((2, 1, 2), "f"), [[0, 0]], [0], [2], want=([_EVEN], _SHARES), gradient=()),
        sample(
            [[[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]]] * 4,
            [[0, 0], [0, 1], [1, 0]],
            [0, 1, 1],
            [4, 3],
            gradient=(),
        ),
    ],
    expensive=True,
)
declare(
    "CTCGreedyDecoder",
    inputs="inputs: T, sequence_length: int32",
    outputs="decoded_indices: int64, decoded_values: int64, decoded_shape: int64, "
    "log_probability: T",
    attrs="merge_repeated: bool = false, T: {float, double} = DT_FLOAT",
    shape=_decoder_shape,
    kernel=ctc_decoding.greedy,
    samples=[
        sample(_STEPS, [4], want=([[0, 0], [0, 1], [0, 2]], [0, 0, 1], [1, 3], [[-6.0]])),
        sample(
            _STEPS,
            [4],
            merge_repeated=True,
            want=([[0, 0], [0, 1]], [0, 1], [1, 2], [[-6.0]]),
        ),
    ],
)
declare(
    "CTCBeamSearchDecoder",
    inputs="inputs: T, sequence_length: int32",
    outputs="decoded_indices: top_paths * int64, decoded_values: top_paths * int64, "
    "decoded_shape: top_paths * int64, log_probability: T",
    attrs="beam_width: int >= 1, top_paths: int >= 1, merge_repeated: bool = true, "
    "T: {float, double} = DT_FLOAT",
    shape=_decoder_shape,
    kernel=ctc_decoding.beam_search,
    samples=[
        sample(
            _UNEVEN.astype("f"),
            [2],
            beam_width=3,
            top_paths=2,
            # The label's paths have 1 - .6 * .7 together, the blanks' one .42.
            want=([[0, 0]], np.zeros((0, 2), int), [0], [], [1, 1], [1, 0], np.log([[0.58, 0.42]])),
        )
    ],
    expensive=True,
)

# -- public functions ----------------------------------------------------------------------------


def ctc_loss(
    labels: Any,
    inputs: Any = None,
    sequence_length: Any = None,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
    time_major: bool = True,
    logits: Any = None,
) -> Tensor:
    """Minus the log probability of `labels`, summed over all alignments, [batch].

    `labels` is a SparseTensor [batch, longest] of class numbers (int32); `inputs` (or `logits`) are
    logits [time, batch, classes], or [batch, time, classes] without `time_major`, whose last class
    is the blank. With `preprocess_collapse_repeated` labels that follow themselves are taken as
    one; without `ctc_merge_repeated` a class that is seen in two steps running is two labels. A row
    with more labels than steps is an error of the run, or has the loss 0 with
    `ignore_longer_outputs_than_inputs`. Raises TypeError where `labels` are not sparse.

    >>> import workbench as tf
    >>> labels = tf.SparseTensor([[0, 0]], [0], [1, 1])
    >>> loss = tf.nn.ctc_loss(labels, tf.zeros([2, 1, 2]), [2])
    >>> tf.exp(-loss).eval().round(3).tolist()  # "a-", "-a" and "aa" of four paths
    [0.75]
    """
    if not isinstance(labels, SparseTensor):
        raise TypeError(
            f"Expected labels (first argument) to be a SparseTensor, got {type(labels).__name__}"
        )
    inputs = inputs if logits is None else logits
    if not time_major:
        inputs = api.transpose(inputs, [1, 0, 2])
    return create(
        "CTCLoss",
        inputs=inputs,
        labels_indices=labels.indices,
        labels_values=labels.values,
        sequence_length=sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    ).outputs[0]


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True
) -> tuple[list[SparseTensor], Tensor]:
    """The best class of each step as label sequences, and minus the sum of their logits [batch, 1].

    `inputs` are logits [time, batch, classes], of which the last is the blank: blanks are left out,
    and with `merge_repeated` a class that follows itself. The sequences are one SparseTensor
    [batch, longest] (int64) in a list.

    >>> import workbench as tf
    >>> logits = [[[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 0.0]]]
    >>> (decoded,), _ = tf.nn.ctc_greedy_decoder(logits, [4])
    >>> decoded.values.eval().tolist()
    [0, 0]
    """
    indices, values, shape, scores = create(
        "CTCGreedyDecoder",
        inputs=inputs,
        sequence_length=sequence_length,
        merge_repeated=merge_repeated,
    ).outputs
    return [SparseTensor(indices, values, shape)], scores


def ctc_beam_search_decoder(
    inputs: Any,
    sequence_length: Any,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
) -> tuple[list[SparseTensor], Tensor]:
    """The `top_paths` most probable label sequences, and their log probabilities [batch, paths].

    `inputs` are logits [time, batch, classes], of which the last is the blank. After each step the
    `beam_width` best beginnings are kept. With `merge_repeated` labels that follow themselves in a
    result are written once. Each of the results is a SparseTensor [batch, longest] (int64).

    >>> import workbench as tf
    >>> logits = tf.log([[[0.4, 0.6]], [[0.3, 0.7]]])
    >>> (decoded,), score = tf.nn.ctc_beam_search_decoder(logits, [2])
    >>> decoded.values.eval().tolist(), tf.exp(score).eval().round(3).tolist()
    ([0], [[0.579...]])
    """
    outputs = create(
        "CTCBeamSearchDecoder",
        inputs=inputs,
        sequence_length=sequence_length,
        beam_width=beam_width,
        top_paths=top_paths,
        merge_repeated=merge_repeated,
    ).outputs
    parts = [outputs[i * top_paths : (i + 1) * top_paths] for i in range(3)]
    return [SparseTensor(*each) for each in zip(*parts, strict=True)], outputs[-1]
