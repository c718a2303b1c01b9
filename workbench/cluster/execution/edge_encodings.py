"""Which encodings the values have that a part's stages send to other tasks."""

from __future__ import annotations

from typing import Any

from workbench.cluster.wire.encodings import Encoding
from workbench.core.graph import dtypes
from workbench.core.graph.graph import Graph
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.parts import Part

#: The attribute of an operation that says how its results go to other tasks.
ATTRIBUTE = "_wire_encoding"
_FEEDBACK = "+feedback"


def wire_encoding(tensor: Tensor, kind: str, feedback: bool = False) -> Tensor:
    """Has a tensor of float32 go to other processes in a shorter encoding; the tensor itself.

    Within a process, and to the user, it goes as it is. All results of its operation have the
    encoding.

    Args:
      tensor: a tensor; only float32 is ever encoded.
      kind: "float32", "bfloat16", "float16", or "int8" with a scale for each 256 elements.
      feedback: whether what an encoding has rounded away is added to the next value that goes the
        same way: for gradients, whose errors then cancel out.

    ValueError for an encoding that does not exist, TypeError for what is not float32.

    All that a session sends between tasks has the encoding that its options say, where the graph
    says nothing else: `ConfigProto(graph_options=GraphOptions(wire_encoding="bfloat16"))`, and
    "int8+feedback" for one with feedback. `Server.wire_statistics` tells how many bytes were saved,
    and what is recorded of a step (`RunOptions.FULL_TRACE`) tells it of each transfer.

    >>> import workbench as tf
    >>> tf.wire_encoding(tf.ones([3], name="gradient"), "int8", feedback=True).name
    'gradient:0'
    """
    Encoding(kind)
    if tensor.dtype.base_dtype != dtypes.float32:
        raise TypeError(f"{tensor.name} is of {tensor.dtype.name}: only float32 can be encoded")
    tensor.op._set_attr(ATTRIBUTE, (kind + _FEEDBACK * feedback).encode())
    return tensor


def session_encoding(config: Any) -> str:
    """What a session's options say of encodings: a kind, with "+feedback" perhaps; "" for nothing.

    ValueError for an encoding that does not exist.
    """
    if config is None:
        return ""
    chosen: str = config.graph_options.wire_encoding
    if chosen:
        Encoding(chosen.removesuffix(_FEEDBACK))
        return chosen
    return "bfloat16" if config.graph_options.enable_bfloat16_sendrecv else ""


def feedback_prefix(session: str) -> str:
    """What the keys begin with of what a session's encodings have rounded away."""
    return f"{session}/"


class EdgeEncodings:
    """The encodings of what a part gives: of each edge, else those that the session has chosen."""

    def __init__(self, part: Part, graph: Graph, config: Any) -> None:
        default = session_encoding(config)
        self._chosen: dict[str, tuple[str, bool]] = {}
        sent = {key for stage in part.stages for _, keys, _ in stage.sends for key in keys}
        for stage in part.stages:
            for key, name in stage.gives:
                tensor = graph.get_tensor_by_name(name)
                if key in sent and tensor.dtype.base_dtype == dtypes.float32:
                    text = tensor.op.attrs.get(ATTRIBUTE, default)
                    text = text.decode() if isinstance(text, bytes) else str(text)
                    kind = text.removesuffix(_FEEDBACK)
                    if kind:
                        self._chosen[key] = (Encoding(kind).kind, text != kind)

    def of(self, session: str, keys: list[str]) -> dict[str, Encoding]:
        """The encodings of some values of a step, by their tensors' names."""
        if not self._chosen:
            return {}
        found = {}
        for key in keys:
            if key in self._chosen:
                kind, has_feedback = self._chosen[key]
                found[key] = Encoding(
                    kind, feedback_prefix(session) + key if has_feedback else None
                )
        return found
