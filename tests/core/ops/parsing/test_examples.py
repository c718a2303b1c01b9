"""`tf.parse_example` and its siblings: what features become, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.examples.messages import example, sequence_example

pytestmark = pytest.mark.usefixtures("graph")


def evaluated(fetches: Any, feeds: Any = None) -> Any:
    with tf.Session() as session:
        return session.run(fetches, feeds)


EXAMPLES = [
    example({"age": ("int64", [30]), "tags": ("bytes", [b"a", b"b"]), "at": ("float", [1.0, 2.0])}),
    example({"tags": ("bytes", []), "at": ("float", [3.0])}),
]


def test_all_kinds_of_features() -> None:
    parsed = tf.parse_example(
        EXAMPLES,
        {
            "age": tf.FixedLenFeature([1], tf.int64, default_value=[-1]),
            "tags": tf.VarLenFeature(tf.string),
            "at": tf.FixedLenSequenceFeature([], tf.float32, allow_missing=True, default_value=-5),
            "gone": tf.FixedLenSequenceFeature([2], tf.int64, allow_missing=True),
        },
    )
    assert parsed["age"].shape.as_list() == [2, 1]
    assert parsed["at"].shape.as_list() == [2, None]
    assert parsed["gone"].shape.as_list() == [2, None, 2]
    assert parsed["tags"].get_shape().as_list() == [None, None]
    found = evaluated(parsed)
    assert found["age"].tolist() == [[30], [-1]]
    assert found["at"].tolist() == [[1.0, 2.0], [3.0, -5.0]]
    assert found["gone"].shape == (2, 0, 2)
    assert found["tags"].indices.tolist() == [[0, 0], [0, 1]]
    assert found["tags"].values.tolist() == [b"a", b"b"]
    assert found["tags"].dense_shape.tolist() == [2, 2]


def test_batches_of_unknown_size_and_names() -> None:
    serialized = tf.placeholder(tf.string, [None])
    names = tf.placeholder(tf.string, [None])
    parsed = tf.parse_example(
        serialized, {"age": tf.FixedLenFeature([], tf.int64)}, example_names=names
    )
    assert parsed["age"].shape.as_list() == [None]
    feeds = {serialized: EXAMPLES[:1] * 12, names: ["x"] * 12}
    assert evaluated(parsed["age"], feeds).tolist() == [30] * 12
    feeds = {serialized: EXAMPLES, names: ["first", "second"]}
    with pytest.raises(tf.errors.InvalidArgumentError, match="Name: second, Feature: age"):
        evaluated(parsed["age"], feeds)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"len\(names\) == len\(serialized\)"):
        evaluated(parsed["age"], {serialized: EXAMPLES, names: ["first"]})


def test_sparse_features_are_put_together() -> None:
    data = [
        example({"x": ("int64", [5, 1]), "y": ("int64", [0, 2]), "v": ("float", [0.5, 1.5])}),
        example({"x": ("int64", [3]), "y": ("int64", [1]), "v": ("float", [2.5])}),
    ]
    one = tf.SparseFeature("x", "v", tf.float32, 10)
    two = tf.SparseFeature(["x", "y"], "v", tf.float32, [10, 3])
    found = evaluated(tf.parse_example(data, {"one": one, "two": two}))
    assert found["one"].indices.tolist() == [[0, 1], [0, 5], [1, 3]]
    assert found["one"].values.tolist() == [1.5, 0.5, 2.5]
    assert found["one"].dense_shape.tolist() == [2, 10]
    assert found["two"].indices.tolist() == [[0, 1, 2], [0, 5, 0], [1, 3, 1]]
    assert found["two"].dense_shape.tolist() == [2, 10, 3]
    assert set(found) == {"one", "two"}


@pytest.mark.parametrize("name", [None, "some name"])
def test_a_single_example(name: str | None) -> None:
    features = {
        "age": tf.FixedLenFeature([], tf.int64),
        "tags": tf.VarLenFeature(tf.string),
        "at": tf.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
    }
    parsed = tf.parse_single_example(EXAMPLES[0], features, example_names=name)
    assert parsed["age"].shape.as_list() == []
    found = evaluated(parsed)
    assert found["age"] == 30
    assert found["at"].tolist() == [1.0, 2.0]
    assert found["tags"].indices.tolist() == [[0], [1]]
    assert found["tags"].dense_shape.tolist() == [2]
    wrong = tf.parse_single_example(EXAMPLES[1], features, example_names=name)
    match = "Feature: age .*required" if name is None else "Name: some name, Feature: age"
    with pytest.raises(tf.errors.InvalidArgumentError, match=match):
        evaluated(wrong)


SPARSE = tf.SparseFeature("x", "v", tf.float32, 10)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "Missing: features was"),
        ({"a": tf.FixedLenFeature([], None)}, "Missing type for feature a"),
        ({"a": tf.FixedLenFeature(None, tf.int64)}, "Missing shape for feature a"),
        ({"a": tf.FixedLenFeature([None], tf.int64)}, "First dimension of shape for feature a"),
        ({"a": tf.FixedLenFeature([2, None], tf.int64)}, "All dimensions of shape for feature a"),
        ({"a": tf.FixedLenSequenceFeature([], tf.int64)}, "requires allow_missing to be True"),
        ({"a": SPARSE._replace(index_key="")}, "Missing index_key for SparseFeature"),
        ({"a": SPARSE._replace(value_key="")}, "Missing value_key for SparseFeature"),
        ({"a": SPARSE, "x": tf.VarLenFeature(tf.float32)}, "Conflicting type"),
        ({"a": SPARSE, "v": tf.VarLenFeature(tf.int64)}, "Conflicting type"),
        ({"a": SPARSE, "v": tf.FixedLenFeature([], tf.float32)}, r"intersection: \['v'\]"),
        ({"a": 5}, "Invalid feature a:5"),
    ],
)
def test_features_that_make_no_sense(features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tf.parse_example(["x"], features)


def test_a_default_of_another_size() -> None:
    with pytest.raises(ValueError, match="key_a"):
        tf.parse_example(["x"], {"a": tf.FixedLenFeature([2], tf.int64, default_value=[1, 2, 3])})


def test_the_line_of_the_user_is_named() -> None:
    parsed = tf.parse_example([b"bogus"], {"a": tf.VarLenFeature(tf.int64)})
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        evaluated(parsed["a"])
    assert str(caught.value).startswith("tests/core/ops/parsing/test_examples.py:")
    assert "Could not parse example input, value: 'bogus'" in str(caught.value)


def test_examples_as_json() -> None:
    texts = ['{"features": {"feature": {"a": {"floatList": {"value": [1.5, 2]}}}}}', "{}"]
    parsed = tf.parse_example(tf.decode_json_example(texts), {"a": tf.VarLenFeature(tf.float32)})
    assert evaluated(parsed["a"]).values.tolist() == [1.5, 2.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="parsing JSON of example 1"):
        evaluated(tf.decode_json_example(["{}", '{"nonsense": 1}']))


# -- sequence examples ---------------------------------------------------------------------------

SEQUENCE = sequence_example(
    {"id": ("int64", [7]), "names": ("bytes", [b"a", b"b"])},
    {
        "frames": [("float", [1.0, 2.0]), ("float", [3.0, 4.0]), ("float", [5.0, 6.0])],
        "words": [("bytes", [b"x", b"y"]), None, ("bytes", [b"z"])],
    },
)


def test_sequence_examples() -> None:
    context, lists = tf.parse_single_sequence_example(
        SEQUENCE,
        {
            "id": tf.FixedLenFeature([], tf.int64),
            "names": tf.VarLenFeature(tf.string),
            "other": tf.FixedLenFeature([1], tf.float32, default_value=[0.5]),
            "none": tf.VarLenFeature(tf.int64),
        },
        {
            "frames": tf.FixedLenSequenceFeature([2], tf.float32),
            "words": tf.VarLenFeature(tf.string),
            "gone": tf.FixedLenSequenceFeature([3], tf.int64, allow_missing=True),
            "away": tf.VarLenFeature(tf.float32),
        },
    )
    assert lists["frames"].shape.as_list() == [None, 2]
    assert context["other"].shape.as_list() == [1]
    context, lists = evaluated([context, lists])
    assert context["id"] == 7
    assert context["names"].values.tolist() == [b"a", b"b"]
    assert context["names"].indices.tolist() == [[0], [1]]
    assert context["other"].tolist() == [0.5]
    assert context["none"].dense_shape.tolist() == [0]
    assert lists["frames"].tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert lists["words"].indices.tolist() == [[0, 0], [0, 1], [2, 0]]
    assert lists["words"].values.tolist() == [b"x", b"y", b"z"]
    assert lists["words"].dense_shape.tolist() == [3, 2]
    assert lists["gone"].shape == (0, 3)
    assert lists["away"].dense_shape.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("context", "lists", "message"),
    [
        ({"x": tf.FixedLenFeature([], tf.int64)}, {}, "Context feature 'x' is required but could"),
        (
            {"id": tf.FixedLenFeature([], tf.float32)},
            {},
            "Context feature: id.  Data types don't match. Expected type: float  Feature is: "
            "int64_list { value: 7 }",
        ),
        ({"id": tf.FixedLenFeature([2], tf.int64)}, {}, "Key: id, Index: 0.  Number of int64"),
        ({}, {"x": tf.FixedLenSequenceFeature([], tf.int64)}, "Feature list 'x' is required"),
        (
            {},
            {"frames": tf.FixedLenSequenceFeature([2], tf.int64)},
            "Feature list: frames, Index: 0.  Data types don't match. Expected type: int64",
        ),
        (
            {},
            {"words": tf.FixedLenSequenceFeature([2], tf.string)},
            "Feature list: words, Index: 1.  Data types don't match.",
        ),
        (
            {},
            {"frames": tf.FixedLenSequenceFeature([3], tf.float32)},
            "Key: frames, Index: 0.  Number of float values != expected.  values size: 2 but "
            "output shape: [3]",
        ),
        ({}, {"words": tf.VarLenFeature(tf.int64)}, "Feature list: words, Index: 0.  Data types"),
    ],
)
def test_errors_of_sequence_examples(
    context: dict[str, Any], lists: dict[str, Any], message: str
) -> None:
    parsed = tf.parse_single_sequence_example(SEQUENCE, context, lists, example_name="mine")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        evaluated(parsed)
    assert f"Name: mine, {message}" in str(caught.value)


def test_what_cannot_be_asked_of_sequence_examples() -> None:
    with pytest.raises(ValueError, match="Missing features"):
        tf.parse_single_sequence_example(SEQUENCE)
    with pytest.raises(ValueError, match="Unsupported FixedLenFeature"):
        tf.parse_single_sequence_example(
            SEQUENCE, sequence_features={"a": tf.FixedLenFeature([], tf.int64)}
        )
    with pytest.raises(ValueError, match=r"feature_list_dense_defaults\[a\] must be None"):
        feature = tf.FixedLenSequenceFeature([], tf.int64, default_value=3)
        tf.parse_single_sequence_example(SEQUENCE, sequence_features={"a": feature})
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse example input"):
        evaluated(tf.parse_single_sequence_example("bogus", {"a": tf.VarLenFeature(tf.int64)}))


def test_numbers_beyond_32_bits_and_negative_ones() -> None:
    numbers = [-(2**63), -1, 0, 2**31, 2**63 - 1]
    parsed = tf.parse_example(
        [example({"n": ("int64", numbers)})] * 10, {"n": tf.FixedLenFeature([5], tf.int64)}
    )
    np.testing.assert_array_equal(evaluated(parsed["n"]), [numbers] * 10)


def test_defaults_that_differ_from_run_to_run() -> None:
    default = tf.placeholder(tf.int64, [2])
    wanted = {"gone": tf.FixedLenFeature([2], tf.int64, default_value=default)}
    parsed = tf.parse_single_example(EXAMPLES[0], wanted)["gone"]
    same = np.zeros(2, np.int64)
    with tf.Session() as session:
        for number in range(100):
            given = np.array([number, -number])
            assert session.run(parsed, {default: given}).tolist() == [number, -number]
            # One array with other contents.
            same[:] = number
            assert session.run(parsed, {default: same}).tolist() == [number, number]


def test_one_example_lacks_what_another_one_has() -> None:
    serialized = tf.placeholder(tf.string, [])
    wanted = {"age": tf.FixedLenFeature([1], tf.int64, default_value=[-1])}
    parsed = tf.parse_single_example(serialized, wanted)["age"]
    with tf.Session() as session:
        found = [session.run(parsed, {serialized: e}).tolist() for e in EXAMPLES * 2]
    assert found == [[30], [-1], [30], [-1]]
