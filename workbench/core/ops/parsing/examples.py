"""Examples as tensors: `tf.parse_example` and its siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import string
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.parsing import example_ops as example_ops
from workbench.core.ops.parsing import json_ops as json_ops
from workbench.core.ops.parsing.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    RawFeatures,
    SparseFeature,
    VarLenFeature,
    default_tensors,
    key_tensors,
    lists_of_any_length,
    named_outputs,
    raw_features,
)

_ACCEPTED = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)


def parse_example(
    serialized: Any,
    features: Mapping[str, Any],
    name: str | None = None,
    example_names: Any = None,
) -> dict[str, Any]:
    """The features of a batch of serialized `tf.train.Example` protos, by their keys.

    `serialized` is a vector of strings. `features` says for each key what to expect:
    `tf.FixedLenFeature` gives a tensor [batch, *shape], `tf.FixedLenSequenceFeature` one
    [batch, longest, *shape], `tf.VarLenFeature` and `tf.SparseFeature` a `SparseTensor` with a row
    for each example. `example_names` is for errors. Features that are not asked for are skipped.

    A run fails with InvalidArgumentError for strings that are no examples, and for features that
    are missing without a default, of another type or of another size; the error names the key and
    the example.

    >>> import workbench as tf
    >>> age = tf.train.Feature(int64_list=tf.train.Int64List(value=[30]))
    >>> example = tf.train.Example(features=tf.train.Features(feature={"age": age}))
    >>> wanted = {"age": tf.FixedLenFeature([], tf.int64, default_value=-1)}
    >>> tf.parse_example([example.SerializeToString(), b""], wanted)["age"].eval().tolist()
    [30, -1]
    """
    if not features:
        raise ValueError(f"Missing: features was {features}.")
    prepared = lists_of_any_length(features)
    raw = raw_features(prepared, _ACCEPTED)
    return _merged(features, _parsed(serialized, example_names, raw, name))


def parse_single_example(
    serialized: Any,
    features: Mapping[str, Any],
    name: str | None = None,
    example_names: Any = None,
) -> dict[str, Any]:
    """The features of one serialized `tf.train.Example` (a string scalar), by their keys.

    As `tf.parse_example`, without the dimension of the batch.

    >>> import workbench as tf
    >>> tags = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"red", b"round"]))
    >>> example = tf.train.Example(features=tf.train.Features(feature={"tags": tags}))
    >>> wanted = {"tags": tf.VarLenFeature(tf.string)}
    >>> tf.parse_single_example(example.SerializeToString(), wanted)["tags"].eval().values.tolist()
    [b'red', b'round']
    """
    if not features:
        raise ValueError("Missing features.")
    if example_names is not None:
        return _parsed_with_name(serialized, features, name, example_names)
    raw = raw_features(lists_of_any_length(features), _ACCEPTED)
    raw.check()
    with name_scope(name, "ParseSingleExample", [serialized]) as scope:
        op = create(
            "ParseSingleExample",
            scope,
            serialized=convert_to_tensor(serialized, dtype=string, name="serialized"),
            dense_defaults=default_tensors(raw),
            num_sparse=len(raw.sparse_keys),
            sparse_keys=raw.sparse_keys,
            sparse_types=raw.sparse_types,
            dense_keys=raw.dense_keys,
            dense_shapes=raw.dense_shapes,
            Tdense=raw.dense_types,
        )
    return _merged(features, named_outputs(list(op.outputs), raw))


def _parsed_with_name(
    serialized: Any, features: Mapping[str, Any], name: str | None, example_names: Any
) -> dict[str, Any]:
    """A batch of one example with its name, which a single example's operation does not take."""
    with name_scope(name, "ParseSingleExample", [serialized, example_names]):
        single = convert_to_tensor(serialized, dtype=string, name="serialized")
        single.shape.assert_has_rank(0)
        names = api.reshape(convert_to_tensor(example_names, dtype=string), [1])
        parsed = parse_example(api.expand_dims(single, 0), features, example_names=names)
        return {key: _first(value) for key, value in parsed.items()}


def _first(value: Any) -> Any:
    if isinstance(value, SparseTensor):
        return SparseTensor(value.indices[:, 1:], value.values, value.dense_shape[1:])
    return api.squeeze(value, [0])


def _parsed(
    serialized: Any, example_names: Any, raw: RawFeatures, name: str | None
) -> dict[str, Any]:
    raw.check()
    with name_scope(name, "ParseExample", [serialized, example_names]) as scope:
        names = [] if example_names is None else example_names
        op = create(
            "ParseExample",
            scope,
            serialized=convert_to_tensor(serialized, dtype=string, name="serialized"),
            names=convert_to_tensor(names, dtype=string, name="names"),
            sparse_keys=key_tensors(raw.sparse_keys, "sparse_key"),
            dense_keys=key_tensors(raw.dense_keys, "dense_key"),
            dense_defaults=default_tensors(raw),
            sparse_types=raw.sparse_types,
            dense_shapes=raw.dense_shapes,
            Tdense=raw.dense_types,
        )
    return named_outputs(list(op.outputs), raw)


def _merged(features: Mapping[str, Any], parsed: dict[str, Any]) -> dict[str, Any]:
    """What was parsed, with the parts of sparse features put together."""
    from workbench.core.ops.sparse.conversion import sparse_merge

    merged = dict(parsed)
    for key in sorted(features):
        feature = features[key]
        if isinstance(feature, SparseFeature):
            several = not isinstance(feature.index_key, str)
            ids = [parsed[k] for k in feature.index_key] if several else parsed[feature.index_key]
            merged[key] = sparse_merge(
                ids,
                parsed[feature.value_key],
                vocab_size=feature.size,
                already_sorted=feature.already_sorted,
            )
    return {key: merged[key] for key in merged if key in features}


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Examples written as JSON (a tensor of strings) as serialized `tf.train.Example` protos.

    A run fails with InvalidArgumentError for strings that are no examples.

    >>> import workbench as tf
    >>> text = '{"features": {"feature": {"a": {"int64_list": {"value": [7]}}}}}'
    >>> example = tf.decode_json_example([text])
    >>> tf.parse_example(example, {"a": tf.FixedLenFeature([], tf.int64)})["a"].eval().tolist()
    [7]
    """
    return call("DecodeJSONExample", name, json_examples=json_examples)
