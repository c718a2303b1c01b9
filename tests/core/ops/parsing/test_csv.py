"""CSV records: Python's own reader is the oracle."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import csv_records


@given(
    st.lists(st.text('ab,";\n', max_size=5), min_size=1, max_size=5), st.sampled_from([",", ";"])
)
def test_what_python_writes(fields: list[str], delimiter: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    record = file.getvalue().encode()
    found = csv_records.split(record, delimiter.encode(), True)
    assert found == [field.encode() for field in fields]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b",", [b"", b""]),
        (b'"a",', [b"a", b""]),
        (b'"a,b",c', [b"a,b", b"c"]),
        (b'"say ""hi""",x', [b'say "hi"', b"x"]),
        (b"\r\na,\nb", [b"a", b"b"]),
    ],
)
def test_fields(record: bytes, fields: list[bytes]) -> None:
    assert csv_records.split(record, b",", True) == fields


def test_quotes_may_be_plain_characters() -> None:
    assert csv_records.split(b'a"b,"c"', b",", False) == [b'a"b', b'"c"']


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'a"b,c', "Unquoted fields cannot have quotes/CRLFs inside"),
        (b"a\n,c", "Unquoted fields cannot have quotes/CRLFs inside"),
        (b'"a"b,c', "Quote inside a string has to be escaped"),
        (b'"a', "Quoted field has to end with quote"),
    ],
)
def test_records_that_are_wrong(record: bytes, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        csv_records.split(record, b",", True)


def decoded(records: Any, defaults: list[Any], **options: Any) -> list[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(tf.decode_csv(records, defaults, **options))  # type: ignore[no-any-return]


def test_columns_of_all_types() -> None:
    defaults = [
        np.array([], np.int32),
        np.array([9], np.int64),
        np.array([0.5], np.float32),
        np.array([1.0], np.float64),
        ["none"],
    ]
    records = [["1, 2 ,3.5,1e-3,x", "-4,,,,"], ["7,8,nan,inf,NA", "0,0,0,0,0"]]
    found = decoded(records, defaults, na_value="NA")
    assert [array.dtype for array in found] == ["int32", "int64", "float32", "float64", object]
    assert found[0].tolist() == [[1, -4], [7, 0]]
    assert found[1].tolist() == [[2, 9], [8, 0]]
    np.testing.assert_array_equal(found[2], np.array([[3.5, 0.5], [np.nan, 0]], np.float32))
    assert found[3].tolist() == [[1e-3, 1.0], [np.inf, 0.0]]
    assert found[4].tolist() == [[b"x", b"none"], [b"none", b"0"]]


def test_a_single_record_and_another_delimiter() -> None:
    number, word = decoded("5 five", [[0], [""]], field_delim=" ")
    assert (number, word) == (5, b"five")


@pytest.mark.parametrize(
    ("records", "defaults", "message"),
    [
        (["1,2", "3"], [[0], [0]], "Expect 2 fields but have 1 in record 1"),
        (["x"], [[0]], "Field 0 in record 0 is not a valid int32: x"),
        (["1", "2147483648"], [[0]], "Field 0 in record 1 is not a valid int32: 2147483648"),
        (["1_0"], [[0]], "not a valid int32: 1_0"),
        (["1_0"], [[0.0]], "not a valid float: 1_0"),
        (["a,"], [[""], tf.string], "Field 1 is required but missing in record 0!"),
    ],
)
def test_fields_that_are_wrong(records: Any, defaults: list[Any], message: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = [tf.constant([], d) if isinstance(d, tf.DType) else d for d in defaults]
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(tf.decode_csv(records, made))


def test_what_cannot_be_asked() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        with pytest.raises(ValueError, match="field 0 has 2 values"):
            tf.decode_csv(["1"], [[1, 2]])
        with pytest.raises(TypeError, match="bool"):
            tf.decode_csv(["1"], [[True]])
        with pytest.raises(tf.errors.InvalidArgumentError, match="only 1 char"):
            session.run(tf.decode_csv(["1"], [[1]], field_delim=", "))
