"""Arrays as messages and back, against the layout that TensorFlow documents."""

from __future__ import annotations

import struct
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import workbench as tf
from workbench.core import protos
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor_proto import (
    as_ndarray,
    make_constant_proto,
    make_ndarray,
    make_tensor_proto,
)

NUMBERS = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "bfloat16",
]
QUANTIZED = ["qint8", "quint8", "qint16", "quint16", "qint32"]


def bits(array: np.ndarray[Any, Any]) -> bytes:
    return np.ascontiguousarray(array).tobytes()


@pytest.mark.parametrize("name", NUMBERS + QUANTIZED)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (2, 0)])
def test_round_trip_of_every_type(name: str, shape: tuple[int, ...]) -> None:
    dtype = as_dtype(name)
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype.as_numpy_dtype)
    proto = make_tensor_proto(values, dtype=dtype)
    assert proto.dtype == dtype.as_datatype_enum
    assert [dim.size for dim in proto.tensor_shape.dim] == list(shape)
    back = make_ndarray(protos.TensorProto.FromString(proto.SerializeToString()))
    assert back.dtype == np.dtype(dtype.as_numpy_dtype)
    assert back.shape == shape
    assert bits(back) == bits(values)
    assert back.flags.writeable


@given(
    st_numpy.arrays(
        st.sampled_from([np.dtype(n) for n in NUMBERS if n != "bfloat16"]),
        st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    )
)
def test_any_array_keeps_its_bits(array: np.ndarray[Any, Any]) -> None:
    back = make_ndarray(make_tensor_proto(array))
    assert (back.dtype, back.shape, bits(back)) == (array.dtype, array.shape, bits(array))


@given(st.integers(0, 2**16 - 1))
def test_every_bfloat16_keeps_its_bits(pattern: int) -> None:
    value = np.array([pattern], np.uint16).view(ml_dtypes.bfloat16)
    proto = make_tensor_proto(value)
    assert list(proto.half_val) == [pattern]
    assert bits(make_ndarray(proto)) == bits(value)


@given(st.lists(st.binary(max_size=8), max_size=5))
def test_strings_keep_every_byte(values: list[bytes]) -> None:
    proto = make_tensor_proto(values, dtype="string")
    assert list(proto.string_val) == values
    assert make_ndarray(proto).tolist() == values


def test_fields_are_those_of_tensorflow() -> None:
    """Single values lie in the typed fields, several in the raw bytes."""
    cases: list[tuple[Any, str, str, Any]] = [
        (1.5, "float32", "float_val", [1.5]),
        (1.5, "float64", "double_val", [1.5]),
        (-3, "int32", "int_val", [-3]),
        (-3, "int16", "int_val", [-3]),
        (-3, "int8", "int_val", [-3]),
        (250, "uint8", "int_val", [250]),
        (65535, "uint16", "int_val", [65535]),
        (2**32 - 1, "uint32", "uint32_val", [2**32 - 1]),
        (2**64 - 1, "uint64", "uint64_val", [2**64 - 1]),
        (-(2**40), "int64", "int64_val", [-(2**40)]),
        (True, "bool", "bool_val", [True]),
        (1 + 2j, "complex64", "scomplex_val", [1.0, 2.0]),
        (1 + 2j, "complex128", "dcomplex_val", [1.0, 2.0]),
        (1.0, "float16", "half_val", [0x3C00]),
        (1.0, "bfloat16", "half_val", [0x3F80]),
        (7, "qint8", "int_val", [7]),
        ("é", "string", "string_val", ["é".encode()]),
    ]
    for value, dtype, field, stored in cases:
        proto = make_tensor_proto(value, dtype=dtype)
        assert list(getattr(proto, field)) == stored, dtype
        assert [f.name for f, _ in proto.ListFields()] == ["dtype", "tensor_shape", field]
    several = make_tensor_proto([1, 2, 3])
    assert several.tensor_content == struct.pack("<3i", 1, 2, 3)
    assert not several.int_val


def test_types_of_python_values() -> None:
    cases: list[tuple[Any, str]] = [
        (1, "int32"),
        ([2**40], "int64"),
        (2**63, "uint64"),
        (1.0, "float32"),
        ([1, 2.5], "float32"),
        (True, "bool"),
        (1j, "complex128"),
        ("x", "string"),
        ([["a", b"b"]], "string"),
        (np.float64(1), "float64"),
        (np.int64(1), "int64"),
        ([np.float64(1), np.float64(2)], "float64"),
        (np.array(["a"]), "string"),
        ([], "float32"),
    ]
    for values, name in cases:
        assert make_tensor_proto(values).dtype == as_dtype(name).as_datatype_enum, values


def test_fewer_values_repeat_the_last() -> None:
    proto = make_tensor_proto([1, 2], shape=[2, 3])
    assert list(proto.int_val) == [1, 2]
    np.testing.assert_array_equal(make_ndarray(proto), [[1, 2, 2], [2, 2, 2]])
    assert make_ndarray(make_tensor_proto("a", shape=[2])).tolist() == [b"a", b"a"]
    np.testing.assert_array_equal(
        make_ndarray(make_tensor_proto(1j, dtype="complex64", shape=[2])), [1j, 1j]
    )


def test_no_values_mean_zeros() -> None:
    proto = protos.TensorProto(dtype=protos.DataType.DT_FLOAT)
    proto.tensor_shape.dim.add(size=3)
    np.testing.assert_array_equal(make_ndarray(proto), np.zeros(3, np.float32))
    proto.dtype = protos.DataType.DT_STRING
    assert make_ndarray(proto).tolist() == [b"", b"", b""]


def test_reference_types_read_as_their_base() -> None:
    proto = make_tensor_proto([1.0, 2.0])
    proto.dtype = protos.DataType.DT_FLOAT_REF
    assert make_ndarray(proto).dtype == np.float32


def test_shape_is_verified_on_demand() -> None:
    assert make_tensor_proto([1, 2, 3, 4], shape=[2, 2]).tensor_shape.dim[0].size == 2
    with pytest.raises(TypeError, match=r"\(2, 2\), got \(4,\)"):
        make_tensor_proto([1, 2, 3, 4], shape=[2, 2], verify_shape=True)
    with pytest.raises(ValueError, match="at most 2 .* received 3"):
        make_tensor_proto([1, 2, 3], shape=[2])


@pytest.mark.parametrize(
    ("values", "dtype", "error", "message"),
    [
        (None, None, ValueError, "None values not supported"),
        ([1, None], None, ValueError, "None values not supported"),
        ([[1], [2, 3]], None, ValueError, "ragged"),
        ([["a"], ["b", "c"]], None, ValueError, "ragged"),
        ([1, 1.5], "int32", TypeError, "Expected int32, got 1.5 of type 'float'"),
        ("x", "float32", TypeError, "Expected float32, got 'x' of type 'str'"),
        ([1.0, 1j], "float32", TypeError, "got 1j of type 'complex'"),
        (1, "bool", TypeError, "Expected bool, got 1 of type 'int'"),
        (1, "string", TypeError, "Expected string, got 1 of type 'int'"),
        (np.array([1]), "string", TypeError, "Expected string"),
        (np.array(["1"]), "int32", TypeError, "Expected int32, got an array of strings"),
        (300, "uint8", ValueError, "300 does not fit in uint8, which holds 0 to 255"),
        ([5, -1], "uint16", ValueError, "-1 does not fit"),
        (2**70, None, ValueError, "fits in no integer type"),
        (object(), None, TypeError, "neither a number nor a string"),
        (1, "resource", TypeError, "cannot be of type resource"),
    ],
)
def test_values_that_do_not_fit(
    values: Any, dtype: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_tensor_proto(values, dtype=dtype)


def test_contents_that_do_not_fit() -> None:
    short = make_tensor_proto([1.0, 2.0, 3.0])
    short.tensor_content = short.tensor_content[:-1]
    with pytest.raises(InvalidArgumentError, match=r"\(3,\) of float32.* 12 bytes.* 11 bytes"):
        make_ndarray(short)
    long = make_tensor_proto(1.0)
    long.float_val.append(2.0)
    with pytest.raises(InvalidArgumentError, match="1 elements, but holds 2"):
        make_ndarray(long)
    unknown = protos.TensorProto(dtype=protos.DataType.DT_FLOAT)
    unknown.tensor_shape.dim.add(size=-1)
    with pytest.raises(InvalidArgumentError, match="whole shape"):
        make_ndarray(unknown)
    with pytest.raises(TypeError, match="resource"):
        make_ndarray(protos.TensorProto(dtype=protos.DataType.DT_RESOURCE))
    with pytest.raises(TypeError, match="no type"):
        make_ndarray(protos.TensorProto())


def test_an_array_is_not_copied_without_need() -> None:
    array = np.arange(4, dtype=np.float32)
    assert as_ndarray(array) is array
    assert as_ndarray(array, "float32") is array
    assert as_ndarray(array, "float64").dtype == np.float64


def test_non_contiguous_arrays() -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3).T
    np.testing.assert_array_equal(make_ndarray(make_tensor_proto(array)), array)


def test_a_message_passes_through() -> None:
    proto = make_tensor_proto(1)
    assert make_tensor_proto(proto) is proto


@pytest.mark.parametrize("name", NUMBERS + QUANTIZED)
def test_large_arrays_are_stored_as_they_lie_in_memory(name: str) -> None:
    dtype = as_dtype(name)
    values = (np.arange(100 * 70).reshape(100, 70) % 3).astype(dtype.as_numpy_dtype)
    proto = make_tensor_proto(values, dtype=dtype)
    assert [f.name for f, _ in proto.ListFields()] == ["dtype", "tensor_shape", "tensor_content"]
    assert proto.tensor_content == bits(values)
    back = make_ndarray(proto)
    assert (back.dtype, back.shape, bits(back)) == (values.dtype, values.shape, bits(values))


@pytest.mark.parametrize("name", NUMBERS + QUANTIZED)
def test_a_constant_that_is_filled_has_one_element(name: str) -> None:
    dtype = as_dtype(name)
    for value in (0, 1):
        filled = np.full((40, 30), value, dtype.as_numpy_dtype)
        proto = make_constant_proto(filled, dtype)
        # TensorFlow's bytes for `tf.constant(value, dtype, [40, 30])`.
        assert proto == make_tensor_proto(filled[0, 0], dtype, [40, 30])
        assert proto.ByteSize() < 32
        back = make_ndarray(proto)
        assert (back.dtype, back.shape, bits(back)) == (filled.dtype, filled.shape, bits(filled))
        for place in ((0, 0), (39, 29), (20, 5)):
            other = filled.copy()
            other[place] = 1 - value
            assert bits(make_ndarray(make_constant_proto(other, dtype))) == bits(other)


def test_what_is_equal_but_not_the_same_is_no_filled_constant() -> None:
    values = np.zeros(100, np.float32)
    values[7] = -0.0
    assert bits(make_ndarray(make_constant_proto(values))) == bits(values)
    few = make_constant_proto(np.zeros(63, np.int32))
    assert few.tensor_content == bytes(4 * 63)
    assert make_constant_proto(np.array([b"a"] * 100, object)).string_val == [b"a"] * 100


def test_a_filled_constant_of_any_size_is_small_in_a_graph() -> None:
    with tf.Graph().as_default() as graph:
        tf.constant(True, shape=[1 << 24], name="large")
    (node,) = graph.as_graph_def().node
    assert node.ByteSize() < 64
    with tf.Graph().as_default():
        (large,) = tf.import_graph_def(graph.as_graph_def(), return_elements=["large:0"])
        assert large.shape.as_list() == [1 << 24]
        assert tf.reduce_all(large).eval()
