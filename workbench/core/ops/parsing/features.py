"""What a user says of the features to parse, and what the operations are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype, int64, string
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


class VarLenFeature(NamedTuple):
    """A feature with any number of values, parsed to a `SparseTensor`."""

    dtype: Any


class SparseFeature(NamedTuple):
    """Two or more features that together hold a sparse tensor: its indices and its values.

    `index_key` is the key of the indices (a list of keys for several dimensions), `value_key` that
    of the values, `size` the size of the dimension (a list of them). With `already_sorted` the
    entries are in order.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


class FixedLenFeature(NamedTuple):
    """A feature with values of one shape in all examples.

    Without a `default_value` (of that shape) an example that lacks the feature is an error.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature with a list of values of one shape, padded to the longest list of the examples.

    An example may lack the feature with `allow_missing`; `default_value` is what is padded with.
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class RawFeatures(NamedTuple):
    """Features as the operations take them: keys, types, defaults and shapes."""

    sparse_keys: list[str]
    sparse_types: list[DType]
    dense_keys: list[str]
    dense_types: list[DType]
    #: By key. None stands for a list that may be missing.
    dense_defaults: dict[str, Any]
    dense_shapes: list[TensorShape]

    def check(self) -> None:
        """ValueError where nothing is asked for, or one key in two ways."""
        if not self.sparse_keys and not self.dense_keys:
            raise ValueError("Must provide at least one sparse key or dense key")
        both = sorted(set(self.sparse_keys) & set(self.dense_keys))
        if both:
            raise ValueError(
                "Dense and sparse keys must not intersect; intersection: "
                f"{both}. A feature is parsed either as FixedLen... or as VarLen... or Sparse..."
            )


def raw_features(features: Mapping[str, Any], accepted: Sequence[type]) -> RawFeatures:
    """The features in the order of their keys; ValueError for those that are not `accepted`."""
    raw = RawFeatures([], [], [], [], {}, [])
    for key in sorted(features):
        feature = features[key]
        kind = type(feature)
        if kind not in (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature):
            raise ValueError(f"Invalid feature {key}:{feature}.")
        if kind not in accepted:
            raise ValueError(f"Unsupported {kind.__name__} {feature}.")
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        if kind is VarLenFeature:
            _add_sparse(raw, key, as_dtype(feature.dtype))
        elif kind is SparseFeature:
            _add_parts(raw, key, feature)
        else:
            _add_dense(raw, key, feature)
    return raw


def _add_sparse(raw: RawFeatures, key: str, dtype: DType) -> None:
    if key in raw.sparse_keys:
        known = raw.sparse_types[raw.sparse_keys.index(key)]
        if known != dtype:
            raise ValueError(f"Conflicting type {known} vs {dtype} for feature {key}.")
        return
    raw.sparse_keys.append(key)
    raw.sparse_types.append(dtype)


def _add_parts(raw: RawFeatures, key: str, feature: SparseFeature) -> None:
    for name in ("index_key", "value_key"):
        if not getattr(feature, name):
            raise ValueError(f"Missing {name} for SparseFeature {feature}.")
    for index_key in sorted(index_keys(feature)):
        _add_sparse(raw, index_key, int64)
    _add_sparse(raw, feature.value_key, as_dtype(feature.dtype))


def index_keys(feature: SparseFeature) -> list[str]:
    """The keys of the indices."""
    keys = feature.index_key
    return [keys] if isinstance(keys, str) else list(keys)


def _add_dense(raw: RawFeatures, key: str, feature: Any) -> None:
    if feature.shape is None:
        raise ValueError(f"Missing shape for feature {key}.")
    shape = TensorShape(feature.shape)
    if isinstance(feature, FixedLenFeature):
        if shape.ndims and shape[0].value is None:
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using "
                "FixedLenSequenceFeature."
            )
        if not shape.is_fully_defined():
            raise ValueError(
                f"All dimensions of shape for feature {key} need to be known but received "
                f"{feature.shape}."
            )
    elif feature.allow_missing:
        raw.dense_defaults[key] = None
    raw.dense_keys.append(key)
    raw.dense_types.append(as_dtype(feature.dtype))
    raw.dense_shapes.append(shape)
    if feature.default_value is not None:
        raw.dense_defaults[key] = feature.default_value


def lists_of_any_length(features: Mapping[str, Any]) -> dict[str, Any]:
    """The features, sequences with one more dimension in front; ValueError where one must not be
    missing: of an example that lacks it, it could not be told how long it is."""
    changed = dict(features)
    for key, feature in features.items():
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError(
                    "Unsupported: FixedLenSequenceFeature requires allow_missing to be True."
                )
            if feature.shape is not None:
                changed[key] = feature._replace(
                    shape=TensorShape([None]).concatenate(TensorShape(feature.shape))
                )
    return changed


def default_tensors(raw: RawFeatures) -> list[Tensor]:
    """The defaults of the dense features: of their shapes, scalars where lists are padded, empty
    where there is none."""
    tensors = []
    for key, dtype, shape in zip(raw.dense_keys, raw.dense_types, raw.dense_shapes, strict=True):
        default = raw.dense_defaults.get(key)
        is_list = bool(shape.ndims) and shape[0].value is None
        if default is None:
            plain: Any = ("" if dtype is string else 0) if is_list else []
            tensors.append(convert_to_tensor(plain, dtype=dtype, name="default"))
            continue
        name = "key_" + "".join(c if c.isalnum() or c in "_.-/" else "_" for c in key)
        tensor = convert_to_tensor(default, dtype=dtype, name=name)
        # A default of another size is told where the user gave it.
        tensors.append(api.reshape(tensor, [] if is_list else shape.as_list()))
    return tensors


def key_tensors(keys: Sequence[str], name: str) -> list[Tensor]:
    """Keys as operations take them."""
    return [convert_to_tensor(key, dtype=string, name=name) for key in keys]


def named_outputs(outputs: Sequence[Tensor], raw: RawFeatures) -> dict[str, Any]:
    """The outputs of an operation by the features' keys: all indices, all values and all shapes of
    the sparse features, then the dense ones."""
    count = len(raw.sparse_keys)
    parts = [outputs[i * count : (i + 1) * count] for i in range(3)]
    sparse = [SparseTensor(*each) for each in zip(*parts, strict=True)]
    return {
        **dict(zip(raw.sparse_keys, sparse, strict=True)),
        **dict(zip(raw.dense_keys, outputs[3 * count :], strict=True)),
    }
