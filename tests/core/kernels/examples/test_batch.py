"""Batches of examples: against plain loops, and the fast way against the thorough one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.kernels.examples.messages import DTYPES, KEYS, batches, example, plain
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.examples import batch, single, table
from workbench.core.kernels.examples.specs import Wanted, dense, dense_value, sparse
from workbench.core.kernels.examples.varints import (
    MARGIN,
    UnusualError,
    decode_integers,
    read_lengths,
)


def serialized(kind: str, examples: list[dict[str, Any]]) -> list[bytes]:
    return [example({key: (kind, v) for key, v in each.items()}) for each in examples]


@settings(max_examples=40)
@given(batches(st.sampled_from([1, 2, 8, 9, 20])))
def test_sparse_features_against_a_loop(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    kind, examples = drawn
    wanted = [sparse(key.encode(), DTYPES[kind]) for key in KEYS]
    data = serialized(kind, examples)
    results = batch.outputs(wanted, batch.parse(data, [], wanted))
    for number, key in enumerate(KEYS):
        indices, values, shape = results[number :: len(KEYS)]
        rows = [each.get(key, []) for each in examples]
        assert plain(indices) == [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
        assert plain(values) == [value for row in rows for value in row]
        assert values.dtype == DTYPES[kind]
        assert plain(shape) == [len(rows), max(map(len, rows))]


@settings(max_examples=40)
@given(batches(st.sampled_from([1, 8, 15])))
def test_lists_are_padded(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    kind, examples = drawn
    fill = {"bytes": b"-", "float": -1.0, "int64": -7}[kind]
    default = np.array(fill, DTYPES[kind])
    wanted = [dense(b"a", DTYPES[kind], (None,), default)]
    (found,) = batch.outputs(wanted, batch.parse(serialized(kind, examples), [], wanted))
    rows = [each.get("a", []) for each in examples]
    longest = max(map(len, rows))
    assert plain(found) == [row + [fill] * (longest - len(row)) for row in rows]


@pytest.mark.parametrize("count", [3, 20])
@pytest.mark.parametrize("kind", sorted(DTYPES))
def test_fixed_sizes_and_defaults(kind: str, count: int) -> None:
    values = {"bytes": [b"p", b""], "float": [0.5, 1.5], "int64": [-1, 1 << 40]}[kind]
    default = np.array([values[1], values[0]], DTYPES[kind])
    examples: list[dict[str, Any]] = [{"a": values} if i % 3 else {} for i in range(count)]
    wanted = [dense(b"a", DTYPES[kind], (2,), default)]
    (found,) = batch.outputs(wanted, batch.parse(serialized(kind, examples), [], wanted))
    assert plain(found) == [each.get("a", values[::-1]) for each in examples]
    assert found.dtype == DTYPES[kind]


def random_examples(count: int) -> list[bytes]:
    """Examples as data sets have them: keys in one order or another, sizes that differ."""
    random = np.random.RandomState(count)
    made = []
    for number in range(count):
        features: dict[str, Any] = {
            "image": ("bytes", [random.bytes(random.randint(0, 300))]),
            "label": ("int64", [int(random.randint(-5, 1000))]),
            "box": ("float", random.rand(4).tolist()),
            "ids": ("int64", random.randint(0, 1 << 30, random.randint(4)).tolist()),
            "words": ("bytes", [b"w"] * random.randint(3)),
        }
        if number % 4 == 0:
            del features["words"]
        made.append(example(features))
    return made


def wanted_of_random() -> list[Wanted]:
    none = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
    return [
        dense(b"image", DTYPES["bytes"], (), none["bytes"]),
        dense(b"label", DTYPES["int64"], (), none["int64"]),
        dense(b"box", DTYPES["float"], (2, 2), none["float"]),
        dense(b"box", DTYPES["float"], (None, 2), none["float"]),
        sparse(b"ids", DTYPES["int64"]),
        sparse(b"words", DTYPES["bytes"]),
    ]


@pytest.mark.parametrize("count", [1, 8, 64])
def test_both_ways_agree(count: int) -> None:
    data, wanted = random_examples(count), wanted_of_random()
    fast = batch.outputs(wanted, table.read_columns(data, wanted))
    thorough = batch.outputs(wanted, single.read_columns(data, [], wanted))
    for one, other in zip(fast, thorough, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@given(st.data())
def test_damaged_batches_are_read_as_one_by_one(data: st.DataObject) -> None:
    examples, wanted = random_examples(9), wanted_of_random()
    number = data.draw(st.integers(0, 8))
    damaged = bytearray(examples[number])
    for _ in range(data.draw(st.integers(1, 2))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    examples[number] = bytes(damaged)
    try:
        fast: Any = batch.outputs(wanted, table.read_columns(examples, wanted))
    except (UnusualError, ValueError):
        fast = None
    try:
        thorough: Any = batch.outputs(wanted, single.read_columns(examples, [], wanted))
    except InvalidArgumentError:
        thorough = None
    if fast is None:
        return
    assert thorough is not None, "the fast way read what the thorough one refuses"
    for one, other in zip(fast, thorough, strict=True):
        assert plain(one) == plain(other) or np.isnan(one).any()


NO_FLOATS = np.zeros(0, np.float32)


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("last", "wanted", "message"),
    [
        ({}, dense(b"x", DTYPES["float"], (), NO_FLOATS), "Feature: x (data type: float) is"),
        (
            {"x": ("int64", [1])},
            dense(b"x", DTYPES["float"], (), NO_FLOATS),
            "Data types don't match. Data type: int64 but expected type: float",
        ),
        (
            {"x": ("bytes", [b"1"])},
            sparse(b"x", DTYPES["int64"]),
            "Data types don't match. Expected type: int64, Actual type: string",
        ),
        (
            {"x": ("float", [1.0, 2.0, 3.0])},
            dense(b"x", DTYPES["float"], (2,), NO_FLOATS),
            "Number of float values != expected.  Values size: 3 but output shape: [2]",
        ),
        (
            {"x": ("float", [1.0, 2.0, 3.0])},
            dense(b"x", DTYPES["float"], (None, 2), NO_FLOATS),
            "is not a multiple of stride length. Saw 3 values but output shape is: [?,2]",
        ),
    ],
)
def test_errors_name_the_feature_and_the_example(
    count: int, named: bool, last: dict[str, Any], wanted: Wanted, message: str
) -> None:
    sound: dict[str, Any] = {"x": ("int64", [1]) if wanted.kind == 3 else ("float", [1.0, 2.0])}
    if wanted.size == 1:
        sound = {"x": ("float", [1.0])}
    data = [example(sound)] * (count - 1) + [example(last)]
    names = [b"n%d" % i for i in range(count)] if named else []
    with pytest.raises(InvalidArgumentError) as caught:
        batch.parse(data, names, [wanted])
    text = str(caught.value)
    assert message in text
    assert f"Name: n{count - 1}, " in text if named else "Name: <unknown>" in text
    if "required" not in text:
        assert f"Key: x, Index: {count - 1}." in text


def test_bytes_that_are_no_example_are_shown() -> None:
    data = [example({})] * 9 + [b"bogus" * 100]
    with pytest.raises(InvalidArgumentError) as caught:
        batch.parse(data, [], [sparse(b"x", DTYPES["float"])])
    text = str(caught.value)
    assert "Index: 9.  Could not parse example input, value: 'bogusbogus" in text
    assert text.endswith("... (500 bytes)'")


def encoded(value: int) -> bytes:
    """A number in seven bits a byte, the lowest first."""
    value &= (1 << 64) - 1
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4), min_size=1, max_size=6))
def test_numbers_of_variable_length(rows: list[list[int]]) -> None:
    pieces = [b"".join(map(encoded, row)) for row in rows]
    if not any(pieces):
        return
    values, counts = decode_integers(
        np.frombuffer(b"".join(pieces), np.uint8), np.array([len(p) for p in pieces])
    )
    assert values.tolist() == [value for row in rows for value in row]
    assert counts.tolist() == [len(row) for row in rows]


@given(st.lists(st.integers(0, (1 << 28) - 1), min_size=1, max_size=9))
def test_lengths_at_many_places(lengths: list[int]) -> None:
    pieces = [encoded(length) for length in lengths]
    starts = np.cumsum([0, *map(len, pieces)])
    buffer = np.frombuffer(b"".join(pieces) + bytes(MARGIN), np.uint8)
    values, after = read_lengths(buffer, starts[:-1])
    assert values.tolist() == lengths
    assert after.tolist() == starts[1:].tolist()


def test_lengths_beyond_the_fast_way() -> None:
    buffer = np.frombuffer(encoded(1 << 28) + bytes(MARGIN), np.uint8)
    with pytest.raises(UnusualError):
        read_lengths(buffer, np.zeros(1, np.int64))


@settings(max_examples=60)
@given(batches(st.just(1)), st.integers(0, 3))
def test_one_example_that_has_all_against_the_thorough_way(
    drawn: tuple[str, list[dict[str, Any]]], size: int
) -> None:
    kind, examples = drawn
    (data,) = serialized(kind, examples)
    dtype = DTYPES[kind]
    wanted = [dense(key.encode(), dtype, (size,), np.zeros(0, dtype)) for key in KEYS]
    found = single.read_dense(data, wanted)
    try:
        columns = single.read_columns([data], None, wanted)
    except InvalidArgumentError:
        assert found is None
        return
    assert found is not None
    for values, each, column in zip(found, wanted, columns, strict=True):
        expected = dense_value(each, column)[0]
        assert (values.dtype, values.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(values, expected)


def test_what_is_no_example_is_left_to_the_thorough_way() -> None:
    wanted = [dense(b"a", np.dtype(np.int64), (1,), np.zeros(0, np.int64))]
    whole = example({"a": ("int64", [5])})
    assert single.read_dense(whole, wanted) is not None
    for data in (whole[:-1], b"\x0a", b"\xff" * 20, example({"a": ("float", [5.0])})):
        assert single.read_dense(data, wanted) is None
