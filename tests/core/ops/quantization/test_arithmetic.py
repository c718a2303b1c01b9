"""Quantised arithmetic and layers against the same on the real numbers, in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.creation import create

#: Ranges in which zero is a whole number of steps from the ends, so reals are exact.
FIRST, SECOND = (-2.0, 8.2), (-1.0, 0.7)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _bytes(*shape: int, seed: int = 0, kind: Any = np.uint8) -> Any:
    limits = np.iinfo(kind)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape).astype(kind)


def _real(array: Any, bounds: tuple[float, float]) -> Any:
    """What integers of 8, 16 or 32 bits stand for: equal steps from one end to the other."""
    limits = np.iinfo(array.dtype)
    share = (array.astype(float) - float(limits.min)) / (float(limits.max) - float(limits.min))
    return bounds[0] + share * (bounds[1] - bounds[0])


def _wide_real(array: Any, low: Any, high: Any) -> Any:
    """The reals of a result: zero stands for zero, a step is the range by the number of values."""
    return array.astype(float) * (float(high) - float(low)) / (2.0**32 - 1)


def _quantised(array: Any) -> Any:
    return tf.constant(array, f"q{array.dtype.name}")


def _binary(type_name: str, names: str, x: Any, y: Any, **attributes: Any) -> Any:
    first, second = names.split()
    arguments = {first: _quantised(x), second: _quantised(y)}
    for name, (low, high) in ((first, FIRST), (second, SECOND)):
        arguments |= {f"min_{name}": low, f"max_{name}": high}
    return create(type_name, None, **arguments, **attributes)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_matrix_product(session: Any, transpose_a: bool, transpose_b: bool, kind: Any) -> None:
    a, b = _bytes(4, 6, kind=kind), _bytes(6, 3, seed=1, kind=kind)
    op = _binary(
        "QuantizedMatMul",
        "a b",
        a.T.copy() if transpose_a else a,
        b.T.copy() if transpose_b else b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
    )
    assert op.outputs[0].shape.as_list() == [4, 3]
    assert op.outputs[0].dtype == tf.qint32
    found = _wide_real(*session.run(op.outputs))
    np.testing.assert_allclose(found, _real(a, FIRST) @ _real(b, SECOND), atol=1e-4)


@pytest.mark.parametrize(
    ("type_name", "names", "operation", "tolerance"),
    [("QuantizedMul", "x y", np.multiply, 1e-5), ("QuantizedAdd", "x y", np.add, 2e-4)],
)
@pytest.mark.parametrize("shapes", [((4, 3), (3,)), ((5,), ()), ((2, 1, 3), (4, 1))])
def test_elementwise(
    session: Any, type_name: str, names: str, operation: Any, tolerance: float, shapes: Any
) -> None:
    x, y = _bytes(*shapes[0]), _bytes(*shapes[1], seed=1)
    found = _wide_real(*session.run(_binary(type_name, names, x, np.asarray(y)).outputs))
    want = operation(_real(x, FIRST), _real(y, SECOND))
    np.testing.assert_allclose(found, want, atol=tolerance)


def test_bias(session: Any) -> None:
    x, bias = _bytes(2, 3, 4), _bytes(4, seed=1)
    op = _binary("QuantizedBiasAdd", "input bias", x, bias, out_type="qint32")
    found = _wide_real(*session.run(op.outputs))
    np.testing.assert_allclose(found, _real(x, FIRST) + _real(bias, SECOND), atol=1e-3)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_convolution(session: Any, padding: str) -> None:
    image, bank = _bytes(2, 5, 6, 3), _bytes(3, 2, 3, 4, seed=1)
    found = tf.nn.quantized_conv2d(
        _quantised(image), _quantised(bank), *FIRST, *SECOND, [1, 2, 2, 1], padding
    )
    reals = _real(image, FIRST)
    if padding == "SAME":
        reals = np.pad(reals, ((0, 0), (1, 1), (0, 0), (0, 0)))
    rows, columns = (reals.shape[1] - 3) // 2 + 1, 3
    want = np.zeros((2, rows, columns, 4))
    for row in range(rows):
        for column in range(columns):
            window = reals[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 2]
            want[:, row, column] = np.tensordot(window, _real(bank, SECOND), 3)
    np.testing.assert_allclose(_wide_real(*session.run(found)), want, atol=1e-3)
    assert found[0].shape.as_list() == list(want.shape)


@pytest.mark.parametrize(
    ("pool", "operation"),
    [
        (tf.nn.quantized_avg_pool, lambda window: int(window.sum()) // window.size),
        (tf.nn.quantized_max_pool, np.max),
    ],
)
def test_pooling(session: Any, pool: Callable[..., Any], operation: Callable[..., Any]) -> None:
    image = _bytes(1, 4, 5, 2)
    found, low, high = session.run(
        pool(_quantised(image), *FIRST, [1, 2, 3, 1], [1, 1, 2, 1], "SAME")
    )
    assert (low, high) == tuple(np.float32(FIRST))
    for row, column, channel in np.ndindex(4, 3, 2):
        columns = slice(max(0, 2 * column - 1), 2 * column + 2)
        window = image[0, row : row + 2, columns, channel].astype(int)
        assert found[0, row, column, channel] == operation(window)


@pytest.mark.parametrize(
    ("type_name", "extra", "ceiling"),
    [
        ("QuantizedRelu", {}, np.inf),
        ("QuantizedRelu6", {}, 6.0),
        ("QuantizedReluX", {"max_value": 3.4}, 3.4),
    ],
)
def test_activations(session: Any, type_name: str, extra: Any, ceiling: float) -> None:
    x = np.arange(256, dtype=np.uint8)
    low, high = FIRST
    op = create(
        type_name, None, features=_quantised(x), min_features=low, max_features=high, **extra
    )
    found, *bounds = session.run(op.outputs)
    assert bounds == list(np.float32(FIRST))
    np.testing.assert_allclose(
        _real(found, FIRST), np.clip(_real(x, FIRST), 0, ceiling), atol=0.021
    )


def test_batch_normalisation(session: Any) -> None:
    image = _bytes(2, 3, 3, 2)
    vectors = {name: _bytes(2, seed=i) for i, name in enumerate(["m", "v", "beta", "gamma"])}
    ranges = {"t": FIRST, "m": (0.0, 5.1), "v": (0.0, 51.0), "beta": SECOND, "gamma": (0.0, 2.55)}
    arguments: dict[str, Any] = {}
    for name, array in {"t": image, **vectors}.items():
        arguments[name] = _quantised(array)
        arguments[f"{name}_min"], arguments[f"{name}_max"] = ranges[name]
    op = create(
        "QuantizedBatchNormWithGlobalNormalization",
        None,
        **arguments,
        out_type="qint32",
        variance_epsilon=0.5,
        scale_after_normalization=True,
    )
    mean, variance, beta, gamma = (_real(vectors[n], ranges[n]) for n in vectors)
    want = (_real(image, FIRST) - mean) / np.sqrt(variance + 0.5) * gamma + beta
    np.testing.assert_allclose(_wide_real(*session.run(op.outputs)), want, atol=0.02)


def test_instance_normalisation(session: Any) -> None:
    image = _bytes(2, 4, 3, 2)
    op = create("QuantizedInstanceNorm", None, x=_quantised(image), x_min=-2.0, x_max=8.2)
    found, low, high = session.run(op.outputs)
    reals = _real(image, FIRST)
    centred = reals - reals.mean((1, 2), keepdims=True)
    want = centred / np.sqrt(reals.var((1, 2), keepdims=True) + 1e-5)
    assert (low, high) == pytest.approx((want.min(), want.max()), rel=1e-4)
    np.testing.assert_allclose(_real(found, (low, high)), want, atol=(high - low) / 255)


def test_resizing(session: Any) -> None:
    image = np.array([[[[0], [100]], [[50], [250]]]], np.uint8)
    op = create(
        "QuantizedResizeBilinear",
        None,
        images=_quantised(image),
        size=[3, 3],
        min=0.0,
        max=255.0,
        align_corners=True,
    )
    found = session.run(op.outputs[0])[0, ..., 0]
    assert found.tolist() == [[0, 50, 100], [25, 100, 175], [50, 150, 250]]


@pytest.mark.parametrize("type_name", ["QuantizedMul", "QuantizedAdd"])
def test_ranges_must_be_ranges(session: Any, type_name: str) -> None:
    x = _quantised(_bytes(2))
    op = create(type_name, None, x=x, y=x, min_x=1.0, max_x=1.0, min_y=0.0, max_y=1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="max_x must be larger than min_x"):
        session.run(op.outputs[0])


def test_shapes_that_do_not_fit() -> None:
    x, y = _quantised(_bytes(2, 3)), _quantised(_bytes(2, 3))
    ends = {"min_a": 0.0, "max_a": 1.0, "min_b": 0.0, "max_b": 1.0}
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 2"):
        create("QuantizedMatMul", None, a=x, b=y, **ends)
    with pytest.raises(ValueError, match="min_a"):
        create("QuantizedMatMul", None, a=x, b=y, **(ends | {"min_a": [0.0]}), transpose_b=True)
