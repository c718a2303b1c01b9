"""Signatures: what can be asked of a saved model, and which tensors that goes to and comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.dtypes import float32, string
from workbench.core.graph.tensor import Tensor
from workbench.train.saved_model import signature_constants as names
from workbench.train.saved_model.utils import build_tensor_info


def build_signature_def(
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    method_name: str | None = None,
) -> Any:
    """A `SignatureDef` of `TensorInfo` messages by name.

    >>> import workbench as tf
    >>> build_signature_def(method_name="tensorflow/serving/predict").method_name
    'tensorflow/serving/predict'
    """
    from workbench.core.protos import SignatureDef

    signature = SignatureDef()
    for key, info in (inputs or {}).items():
        signature.inputs[key].CopyFrom(info)
    for key, info in (outputs or {}).items():
        signature.outputs[key].CopyFrom(info)
    if method_name is not None:
        signature.method_name = method_name
    return signature


def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """A signature that takes serialized examples and gives float32 predictions.

    Raises:
      ValueError: a tensor is missing or of another type.
    """
    if predictions is None:
        raise ValueError("Regression predictions cannot be None.")
    given = _info(examples, "Regression examples", string)
    result = _info(predictions, "Regression output", float32)
    return build_signature_def(
        {names.REGRESS_INPUTS: given}, {names.REGRESS_OUTPUTS: result}, names.REGRESS_METHOD_NAME
    )


def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """A signature that takes serialized examples and gives classes (strings), scores, or both.

    Raises:
      ValueError: a tensor is missing or of another type.
    """
    if examples is None:
        raise ValueError("Classification examples cannot be None.")
    if classes is None and scores is None:
        raise ValueError("Classification classes and scores cannot both be None.")
    given = _info(examples, "Classification examples", string)
    results = {}
    if classes is not None:
        results[names.CLASSIFY_OUTPUT_CLASSES] = _info(classes, "Classification classes", string)
    if scores is not None:
        results[names.CLASSIFY_OUTPUT_SCORES] = _info(scores, "Classification scores", float32)
    return build_signature_def({names.CLASSIFY_INPUTS: given}, results, names.CLASSIFY_METHOD_NAME)


def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    """A signature of any tensors by name.

    Raises:
      ValueError: there is no input, or no output.

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, [2], name="x")
    >>> signature = tf.saved_model.signature_def_utils.predict_signature_def(
    ...     {"x": x}, {"double": tf.multiply(x, 2.0, name="double")}
    ... )
    >>> signature.outputs["double"].name
    'double:0'
    """
    if not inputs:
        raise ValueError("Prediction inputs cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction outputs cannot be None or empty.")
    return build_signature_def(
        {key: build_tensor_info(tensor) for key, tensor in inputs.items()},
        {key: build_tensor_info(tensor) for key, tensor in outputs.items()},
        names.PREDICT_METHOD_NAME,
    )


def _info(tensor: Any, what: str, dtype: Any) -> Any:
    if tensor is None:
        raise ValueError(f"{what} cannot be None.")
    if not isinstance(tensor, Tensor) or tensor.dtype.base_dtype is not dtype:
        kind = "float" if dtype is float32 else dtype.name
        raise ValueError(f"{what} must be a {kind} Tensor.")
    return build_tensor_info(tensor)


def is_valid_signature(signature_def: Any) -> bool:
    """Whether a signature has the inputs and outputs that its method is to have."""
    if signature_def is None:
        return False
    check = _CHECKS.get(signature_def.method_name)
    return check is not None and check(signature_def)


def _has(infos: Mapping[str, Any], allowed: Mapping[str, Any]) -> bool:
    """Whether there is at least one tensor, and all are of a name and type that are allowed."""
    return bool(infos) and all(
        key in allowed and info.dtype == allowed[key].as_datatype_enum
        for key, info in infos.items()
    )


_CHECKS = {
    names.PREDICT_METHOD_NAME: lambda signature: bool(signature.inputs and signature.outputs),
    names.REGRESS_METHOD_NAME: lambda signature: (
        _has(signature.inputs, {names.REGRESS_INPUTS: string})
        and _has(signature.outputs, {names.REGRESS_OUTPUTS: float32})
    ),
    names.CLASSIFY_METHOD_NAME: lambda signature: (
        _has(signature.inputs, {names.CLASSIFY_INPUTS: string})
        and _has(
            signature.outputs,
            {names.CLASSIFY_OUTPUT_CLASSES: string, names.CLASSIFY_OUTPUT_SCORES: float32},
        )
    ),
}
