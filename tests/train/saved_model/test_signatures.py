"""Signatures and the tensors they name."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from workbench.train.saved_model import signature_def_utils as signatures
from workbench.train.saved_model import utils

pytestmark = pytest.mark.usefixtures("graph")


def texts() -> Any:
    return tf.placeholder(tf.string, [None], name="texts")


def numbers() -> Any:
    return tf.placeholder(tf.float32, [None, 3], name="numbers")


def names(infos: Any) -> dict[str, str]:
    return {key: info.name for key, info in infos.items()}


def test_the_three_kinds() -> None:
    examples, scores = texts(), numbers()
    for signature, method, outputs in (
        (
            signatures.regression_signature_def(examples, scores),
            "tensorflow/serving/regress",
            {"outputs": "numbers:0"},
        ),
        (
            signatures.classification_signature_def(examples, examples, scores),
            "tensorflow/serving/classify",
            {"classes": "texts:0", "scores": "numbers:0"},
        ),
        (
            signatures.predict_signature_def({"inputs": examples}, {"a": scores, "b": examples}),
            "tensorflow/serving/predict",
            {"a": "numbers:0", "b": "texts:0"},
        ),
    ):
        assert signature.method_name == method
        assert names(signature.inputs) == {"inputs": "texts:0"}
        assert names(signature.outputs) == outputs
        assert signatures.is_valid_signature(signature)
        signature.outputs["other"].CopyFrom(signature.inputs["inputs"])
        assert signatures.is_valid_signature(signature) == method.endswith("predict")
        signature.method_name = "something else"
        assert not signatures.is_valid_signature(signature)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: signatures.regression_signature_def(None, numbers()), "examples cannot be None"),
        (lambda: signatures.regression_signature_def(texts(), None), "predictions cannot be None"),
        (
            lambda: signatures.regression_signature_def(numbers(), numbers()),
            "Regression examples must be a string Tensor",
        ),
        (
            lambda: signatures.regression_signature_def(texts(), texts()),
            "Regression output must be a float Tensor",
        ),
        (
            lambda: signatures.classification_signature_def(texts(), None, None),
            "classes and scores cannot both be None",
        ),
        (
            lambda: signatures.classification_signature_def(texts(), numbers(), None),
            "Classification classes must be a string Tensor",
        ),
        (lambda: signatures.predict_signature_def({}, {"y": texts()}), "inputs cannot be None"),
        (lambda: signatures.predict_signature_def({"x": texts()}, {}), "outputs cannot be None"),
    ],
)
def test_what_is_missing_or_of_another_type(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_invalid_signatures() -> None:
    assert not signatures.is_valid_signature(None)
    assert not signatures.is_valid_signature(signatures.build_signature_def())
    predict = "tensorflow/serving/predict"
    assert not signatures.is_valid_signature(signatures.build_signature_def(method_name=predict))


def test_tensors_by_their_descriptions() -> None:
    x = numbers()
    info = utils.build_tensor_info(x)
    assert (info.name, info.dtype) == ("numbers:0", 1)
    assert [dim.size for dim in info.tensor_shape.dim] == [-1, 3]
    assert utils.get_tensor_from_tensor_info(info) is x
    sparse = tf.sparse_placeholder(tf.int64, name="sparse")
    found = utils.get_tensor_from_tensor_info(utils.build_tensor_info(sparse))
    assert [each.name for each in (found.indices, found.values, found.dense_shape)] == [
        each.name for each in (sparse.indices, sparse.values, sparse.dense_shape)
    ]
    with tf.name_scope("inner"):
        inner = tf.placeholder(tf.float32, name="numbers")
    assert utils.get_tensor_from_tensor_info(info, import_scope="inner") is inner
    with pytest.raises(ValueError, match=r"Invalid TensorInfo\.encoding"):
        utils.get_tensor_from_tensor_info(tf.TensorInfo())
    with pytest.raises(KeyError):
        utils.get_tensor_from_tensor_info(info, tf.Graph())
