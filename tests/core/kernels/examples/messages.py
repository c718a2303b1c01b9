"""Examples as plain Python values, written by protobuf."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from workbench.core import protos

#: A kind of values and the values: ("float", [1.0]), or None for a feature without a kind.
Values = tuple[str, list[Any]] | None

KEYS = ["a", "key", "longer key", "ü"]
DTYPES = {"bytes": np.dtype(object), "float": np.dtype(np.float32), "int64": np.dtype(np.int64)}

_VALUES = {
    "bytes": st.binary(max_size=6),
    "float": st.floats(width=32, allow_nan=False),
    "int64": st.one_of(st.integers(-3, 200), st.integers(-(2**63), 2**63 - 1)),
}


def feature(values: Values) -> Any:
    """A `Feature` message."""
    if values is None:
        return protos.Feature()
    kind, items = values
    if kind == "bytes":
        return protos.Feature(bytes_list=protos.BytesList(value=items))
    if kind == "float":
        return protos.Feature(float_list=protos.FloatList(value=items))
    return protos.Feature(int64_list=protos.Int64List(value=items))


def example(features: dict[str, Values]) -> bytes:
    """A serialized `Example`."""
    made = {key: feature(values) for key, values in features.items()}
    message = protos.Example(features=protos.Features(feature=made))
    return message.SerializeToString()  # type: ignore[no-any-return]


def sequence_example(context: dict[str, Values], lists: dict[str, list[Values]]) -> bytes:
    """A serialized `SequenceExample`."""
    message = protos.SequenceExample(
        context=protos.Features(feature={k: feature(v) for k, v in context.items()}),
        feature_lists=protos.FeatureLists(
            feature_list={
                key: protos.FeatureList(feature=[feature(v) for v in values])
                for key, values in lists.items()
            }
        ),
    )
    return message.SerializeToString()  # type: ignore[no-any-return]


@st.composite
def batches(draw: st.DrawFn, sizes: st.SearchStrategy[int]) -> tuple[str, list[Any]]:
    """A kind, and examples (dicts) in which some of the keys have values of it."""
    kind = draw(st.sampled_from(sorted(_VALUES)))
    values = st.lists(_VALUES[kind], max_size=4)
    one = st.dictionaries(st.sampled_from(KEYS), values)
    count = draw(sizes)
    return kind, draw(st.lists(one, min_size=count, max_size=count))


def plain(array: Any) -> list[Any]:
    """An array as nested lists."""
    return np.asarray(array).tolist()  # type: ignore[no-any-return]
