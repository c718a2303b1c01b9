"""Sequence examples as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import string
from workbench.core.ops.creation import create
from workbench.core.ops.parsing import sequence_ops as sequence_ops
from workbench.core.ops.parsing.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    VarLenFeature,
    default_tensors,
    key_tensors,
    named_outputs,
    raw_features,
)


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The context and the lists of features of one serialized `tf.train.SequenceExample`.

    `context_features` are `tf.FixedLenFeature` (a tensor of its shape) or `tf.VarLenFeature` (a
    `SparseTensor` of rank 1), `sequence_features` are `tf.FixedLenSequenceFeature` (a tensor
    [steps, *shape]; no steps where the list may be missing and is) or `tf.VarLenFeature` (a
    `SparseTensor` [steps, longest]). Two dicts are returned, with the same keys.

    A run fails with InvalidArgumentError for a string that is no sequence example, and for features
    that are missing, of another type or of another size; the error has the `example_name`.

    >>> import workbench as tf
    >>> steps = [tf.train.Feature(int64_list=tf.train.Int64List(value=[n])) for n in (3, 5)]
    >>> words = tf.train.FeatureLists(feature_list={"words": tf.train.FeatureList(feature=steps)})
    >>> example = tf.train.SequenceExample(feature_lists=words).SerializeToString()
    >>> wanted = {"words": tf.FixedLenSequenceFeature([], tf.int64)}
    >>> _, lists = tf.parse_single_sequence_example(example, sequence_features=wanted)
    >>> lists["words"].eval().tolist()
    [3, 5]
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = raw_features(context_features or {}, (VarLenFeature, FixedLenFeature))
    lists = raw_features(sequence_features or {}, (VarLenFeature, FixedLenSequenceFeature))
    for raw in (context, lists):
        if raw.sparse_keys or raw.dense_keys:
            raw.check()
    may_be_missing = [key for key in lists.dense_keys if key in lists.dense_defaults]
    for key in may_be_missing:
        if lists.dense_defaults[key] is not None:
            raise ValueError(
                f"Value feature_list_dense_defaults[{key}] must be None: a list of a sequence "
                "example that is missing has no steps; use allow_missing=True"
            )
    with name_scope(name, "ParseSingleSequenceExample", [serialized]) as scope:
        op = create(
            "ParseSingleSequenceExample",
            scope,
            serialized=convert_to_tensor(serialized, dtype=string, name="serialized"),
            debug_name=convert_to_tensor(
                "" if example_name is None else example_name, dtype=string, name="debug_name"
            ),
            feature_list_dense_missing_assumed_empty=convert_to_tensor(
                may_be_missing, dtype=string, name="missing_assumed_empty"
            ),
            context_sparse_keys=key_tensors(context.sparse_keys, "context_sparse_keys"),
            context_dense_keys=key_tensors(context.dense_keys, "context_dense_keys"),
            feature_list_sparse_keys=key_tensors(lists.sparse_keys, "feature_list_sparse_keys"),
            feature_list_dense_keys=key_tensors(lists.dense_keys, "feature_list_dense_keys"),
            context_dense_defaults=default_tensors(context),
            context_sparse_types=context.sparse_types,
            Tcontext_dense=context.dense_types,
            context_dense_shapes=context.dense_shapes,
            feature_list_dense_types=lists.dense_types,
            feature_list_sparse_types=lists.sparse_types,
            feature_list_dense_shapes=lists.dense_shapes,
        )
    outputs = list(op.outputs)
    in_context = 3 * len(context.sparse_keys) + len(context.dense_keys)
    return named_outputs(outputs[:in_context], context), named_outputs(outputs[in_context:], lists)
