"""Embeddings of symbols: `tf.contrib.layers`."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.state.partitioned_variable import PartitionedVariable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.variables import model_variable


def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """The embedding of each symbol of sequences: [batch, length, embed_dim].

    Args:
      ids: numbers of symbols, [batch, length].
      vocab_size: how many symbols there are.
      embed_dim: the length of an embedding.
      unique: whether to look up each symbol only once.
      initializer: initialises the variable `embeddings`.
      regularizer: gives a loss of it.
      trainable: whether it is trained.
      scope: the variable scope; "EmbedSequence" by default.
      reuse: whether to share the variable of an earlier layer; then its sizes may be left out.

    Raises:
      ValueError: a size is missing.

    >>> import workbench as tf
    >>> embed_sequence(tf.constant([[1, 2, 1]]), vocab_size=5, embed_dim=4).shape.as_list()
    [1, 3, 4]
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. Got vocab_size="
            f"{vocab_size} and embed_dim={embed_dim}"
        )
    with variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        embeddings = model_variable(
            "embeddings",
            shape=None if vocab_size is None or embed_dim is None else [vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if unique:
            return embedding_lookup_unique(embeddings, ids)
        return api.embedding_lookup(embeddings, ids)


def embedding_lookup_unique(params: Any, ids: Any, name: str | None = None) -> Any:
    """`tf.nn.embedding_lookup` that looks up each number only once."""
    ids = convert_to_tensor(ids)
    with variable_scope(name, "EmbeddingLookupUnique", [params, ids]):
        numbers, places = api.unique(api.reshape(ids, [-1]))
        rows = api.gather(api.embedding_lookup(params, numbers), places)
        tail = api.slice(api.shape(rows), [1], [-1])
        result = api.reshape(rows, api.concat([api.shape(ids), tail], 0))
        result.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return result


def bow_encoder(
    ids: Any,
    vocab_size: int,
    embed_dim: int,
    sparse_lookup: bool = True,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """The mean of the embeddings of the symbols of each example: [batch, embed_dim].

    With `sparse_lookup` numbers below 0 are no symbols, and an example without any has the
    embedding of 0; the others are those of `embed_sequence`.

    Raises:
      ValueError: a size is missing.
      TypeError: `ids` are a SparseTensor, without `sparse_lookup`.
    """
    if not vocab_size or not embed_dim:
        raise ValueError("Must specify vocab size and embedding dimension")
    with variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        embeddings = model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if not sparse_lookup:
            if isinstance(ids, SparseTensor):
                raise TypeError(f"ids are expected to be dense Tensor, got: {ids}")
            return api.reduce_mean(api.embedding_lookup(embeddings, ids), axis=1)
        sparse = ids if isinstance(ids, SparseTensor) else dense_to_sparse(ids)
        return safe_embedding_lookup_sparse([embeddings], sparse, combiner="mean", default_id=0)


def dense_to_sparse(tensor: Any, ignored: Any = -1) -> SparseTensor:
    """The elements of a tensor that are not `ignored`, as a SparseTensor."""
    tensor = convert_to_tensor(tensor)
    places = api.where(api.not_equal(tensor, api.cast(ignored, tensor.dtype)))
    shape = api.cast(api.shape(tensor), "int64")
    return SparseTensor(places, api.gather_nd(tensor, places), shape)


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: SparseTensor,
    sparse_weights: SparseTensor | None = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: float | None = None,
) -> Any:
    """`tf.nn.embedding_lookup_sparse` for rows that may be empty or hold no symbols.

    Numbers below 0 and weights that are not above 0 are left out; a row without any is the
    embedding of `default_id`, or zeros where that is None. Where `sparse_ids` have more axes than
    two, a row is along the last one, and the result has the others in front.

    Raises:
      ValueError: there are no embeddings, or they or the weights are of different dtypes.
    """
    if embedding_weights is None or (
        isinstance(embedding_weights, (list, tuple)) and not embedding_weights
    ):
        raise ValueError("Missing embedding_weights.")
    embedding_weights = _of_one_dtype(embedding_weights, sparse_weights)
    with variable_scope(name, "safe_embedding_lookup_sparse"):
        outer_shape = sparse_ids.dense_shape[:-1]
        static_shape = sparse_ids.shape
        if static_shape.ndims != 2:
            rows = api.stack([api.reduce_prod(outer_shape), sparse_ids.dense_shape[-1]])
            sparse_ids = api.sparse_reshape(sparse_ids, rows)
            if sparse_weights is not None:
                sparse_weights = SparseTensor(
                    sparse_ids.indices, sparse_weights.values, sparse_ids.dense_shape
                )
        is_valid = api.greater_equal(sparse_ids.values, api.cast(0, sparse_ids.values.dtype))
        if sparse_weights is not None:
            is_heavy = api.greater(sparse_weights.values, api.cast(0, sparse_weights.values.dtype))
            is_valid = api.logical_and(is_valid, is_heavy)
            sparse_weights = api.sparse_retain(sparse_weights, is_valid)
        kept = api.sparse_retain(sparse_ids, is_valid)
        filled, is_empty = api.sparse_fill_empty_rows(
            kept, api.cast(default_id or 0, kept.values.dtype)
        )
        if sparse_weights is not None:
            sparse_weights, _ = api.sparse_fill_empty_rows(
                sparse_weights, api.cast(1, sparse_weights.values.dtype)
            )
        result = api.embedding_lookup_sparse(
            embedding_weights,
            filled,
            sparse_weights,
            partition_strategy=partition_strategy,
            combiner=combiner,
            max_norm=max_norm,
        )
        if default_id is None:
            blank = api.tile(api.reshape(is_empty, [-1, 1]), api.stack([1, api.shape(result)[1]]))
            result = api.where(blank, api.zeros_like(result), result)
        if static_shape.ndims != 2:
            sizes = api.concat([api.cast(outer_shape, "int32"), api.shape(result)[1:]], 0)
            own = result.shape[1:]
            result = api.reshape(result, sizes)
            result.set_shape(static_shape[:-1].concatenate(own))
        return result


def _of_one_dtype(embedding_weights: Any, sparse_weights: SparseTensor | None) -> list[Any]:
    """The parts of an embedding as a list; ValueError where there are several dtypes."""
    if isinstance(embedding_weights, PartitionedVariable):
        embedding_weights = list(embedding_weights)
    elif not isinstance(embedding_weights, (list, tuple)):
        embedding_weights = [embedding_weights]
    parts = [part if hasattr(part, "op") else convert_to_tensor(part) for part in embedding_weights]
    dtypes = {part.dtype.base_dtype.name for part in parts}
    if sparse_weights is not None:
        dtypes.add(sparse_weights.values.dtype.base_dtype.name)
    if len(dtypes) > 1:
        raise ValueError(
            f"Embeddings and weights must be of one dtype, not of {', '.join(sorted(dtypes))}."
        )
    return parts
