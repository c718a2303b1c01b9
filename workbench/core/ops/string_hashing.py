"""Strings to numbers of buckets."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import text
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.strings import on_strings

declare(
    "StringToHashBucketFast",
    inputs="input: string",
    outputs="output: int64",
    attrs="num_buckets: int >= 1",
    shape=shape_rules.first,
    kernel=on_strings(text.string_to_hash_bucket_fast),
    samples=[sample([b"Hello", b"TensorFlow", b"2.x"], num_buckets=3, want=[0, 2, 2])],
)
declare(
    "StringToHashBucketStrong",
    inputs="input: string",
    outputs="output: int64",
    attrs="num_buckets: int >= 1, key: list(int)",
    shape=shape_rules.first,
    kernel=on_strings(text.string_to_hash_bucket_strong),
    samples=[sample([b"Hello", b"TF"], num_buckets=3, key=[1, 2], want=[2, 0])],
)
declare(
    "StringToHashBucket",
    inputs="string_tensor: string",
    outputs="output: int64",
    attrs="num_buckets: int >= 1",
    shape=shape_rules.first,
    kernel=on_strings(text.string_to_hash_bucket),
    samples=[sample([b"Hello", b"TensorFlow", b"2.x", b""], num_buckets=100, want=[41, 32, 0, 99])],
)


def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The bucket of each string, 0 to `num_buckets` - 1, by FarmHash: the same everywhere.

    >>> import workbench as tf
    >>> tf.string_to_hash_bucket_fast(["Hello", "TensorFlow"], 3).eval().tolist()
    [0, 2]
    """
    return call("StringToHashBucketFast", name, input=input, num_buckets=num_buckets)


def string_to_hash_bucket_strong(
    input: Any, num_buckets: int, key: Any, name: str | None = None
) -> Tensor:
    """The bucket of each string by SipHash with a key of two numbers.

    Nobody who does not know the key can make strings that all go to one bucket.
    """
    return call("StringToHashBucketStrong", name, input=input, num_buckets=num_buckets, key=key)


def string_to_hash_bucket(string_tensor: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The bucket of each string by TensorFlow's older hash; the fast one is the better choice."""
    return call("StringToHashBucket", name, string_tensor=string_tensor, num_buckets=num_buckets)
