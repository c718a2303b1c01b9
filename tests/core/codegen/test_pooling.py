"""Poolings and their gradients against plain loops and against the interpreter's kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.running import Runner, run
from workbench.core.codegen.pooling import lower_pooling
from workbench.core.codegen.specs import Lowered, Operand, PoolingSpec, Step, Store
from workbench.core.codegen.target import AVX2, AVX512, Target
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.kernels import pooling as kernels
from workbench.core.kernels.windows import window_axis

Array = np.ndarray[Any, Any]


def strides_of(array: Array) -> tuple[int, ...]:
    return tuple(stride // array.itemsize for stride in array.strides)


def pooling_spec(
    kind: Any,
    arrays: tuple[Array, ...],
    image: tuple[int, ...],
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    steps: tuple[Step, ...] = (),
    stores: tuple[Store, ...] = (),
) -> PoolingSpec:
    batch, height, width, channels = image
    along = [
        window_axis(size, taps, stride, 1, padding)
        for size, taps, stride in zip((height, width), window, strides, strict=True)
    ]
    padded = tuple((a.before, max(a.span - a.before - a.size, 0)) for a in along)
    operands = tuple(Operand(array.dtype.name, strides_of(array)) for array in arrays)
    return PoolingSpec(
        kind,
        batch,
        (height, width),
        channels,
        window,
        strides,
        padded,  # type: ignore[arg-type]
        (along[0].output, along[1].output),
        arrays[0].dtype.name,
        operands,
        steps,
        stores,
    )


def windows(spec: PoolingSpec) -> Any:
    """The row, column and slices of every window."""
    for row in range(spec.result[0]):
        for column in range(spec.result[1]):
            top = row * spec.strides[0] - spec.padding[0][0]
            left = column * spec.strides[1] - spec.padding[1][0]
            rows = slice(max(top, 0), min(top + spec.window[0], spec.image[0]))
            columns = slice(max(left, 0), min(left + spec.window[1], spec.image[1]))
            yield row, column, rows, columns


def expected(spec: PoolingSpec, *arrays: Array) -> Array:
    """Plain loops over the windows."""
    if spec.kind in ("max", "mean"):
        images = arrays[0]
        result = np.zeros((spec.batch, *spec.result, spec.channels), images.dtype)
        for row, column, rows, columns in windows(spec):
            part = images[:, rows, columns].astype(np.float64)
            fold = np.max if spec.kind == "max" else np.mean
            result[:, row, column] = fold(part, axis=(1, 2))
        return result
    gradient = arrays[-1]
    result = np.zeros((spec.batch, *spec.image, spec.channels), np.float64)
    for row, column, rows, columns in windows(spec):
        for b in range(spec.batch):
            for c in range(spec.channels):
                target = result[b, rows, columns, c]
                share = gradient[b, row, column, c]
                if spec.kind == "mean_gradient":
                    target += share / target.size
                    continue
                part = arrays[0][b, rows, columns, c]
                nan = np.isnan(part).reshape(-1)
                place = int(nan.argmax()) if nan.any() else int(part.argmax())
                target[divmod(place, target.shape[1])] += share
    return result


CASES = [
    # image, window, strides, padding
    ((2, 4, 6, 32), (2, 2), (2, 2), "SAME"),
    ((3, 5, 7, 5), (2, 2), (2, 2), "SAME"),
    ((3, 5, 7, 5), (2, 2), (2, 2), "VALID"),
    ((1, 7, 6, 17), (3, 3), (2, 2), "SAME"),
    ((2, 6, 5, 16), (3, 2), (1, 1), "SAME"),
    ((2, 6, 5, 70), (2, 3), (1, 2), "VALID"),
    ((2, 5, 5, 3), (1, 1), (2, 2), "SAME"),
    ((2, 7, 7, 33), (7, 7), (1, 1), "VALID"),
    ((1, 9, 8, 4), (5, 5), (2, 3), "SAME"),
    ((4, 3, 3, 1), (2, 2), (3, 3), "VALID"),
    ((1, 6, 6, 130), (3, 3), (3, 3), "SAME"),
]


def values(shape: tuple[int, ...], dtype: str, seed: int) -> Array:
    """Few different numbers: there are ties in every window."""
    chosen = np.random.RandomState(seed).randint(-3, 4, shape)
    return np.asarray(chosen, dtype)


def both(
    image: tuple[int, ...],
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    dtype: str,
    target: Target,
    kind: str,
) -> tuple[Array, Array]:
    images = values(image, dtype, 1)
    out = pooling_spec(kind, (images, images), image, window, strides, padding)
    shape = (image[0], *out.result, image[3])
    arrays: tuple[Array, ...]
    if kind in ("max", "mean"):
        arrays = (images, np.full(shape, 9, dtype))
        inputs = arrays[:1]
    else:
        gradient = np.random.RandomState(2).randn(*shape).astype(dtype)
        inputs = (gradient,)
        if kind == "max_gradient":
            maxima = expected(replace(out, kind="max"), images)
            inputs = (images, maxima, gradient)
        arrays = (*inputs, np.full(image, 9, dtype))
    spec = pooling_spec(kind, arrays, image, window, strides, padding)
    run(lower_pooling(spec, target), *arrays)
    return arrays[-1], expected(spec, *inputs)


@pytest.mark.parametrize("kind", ["max", "mean", "max_gradient", "mean_gradient"])
@pytest.mark.parametrize(("target", "dtype"), [(AVX512, "float32"), (AVX2, "float64")])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_plain_loops(case: Any, target: Target, dtype: str, kind: str) -> None:
    got, wanted = both(*case, dtype, target, kind)
    if kind == "max":
        np.testing.assert_array_equal(got, wanted)
    else:
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)


@given(
    image=st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.integers(1, 20)),
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from(["SAME", "VALID"]),
    kind=st.sampled_from(["max", "mean", "max_gradient", "mean_gradient"]),
    target=st.sampled_from([AVX512, AVX2]),
)
@settings(max_examples=40, deadline=None)
def test_any_windows(
    image: tuple[int, ...],
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    kind: str,
    target: Target,
) -> None:
    if padding == "VALID":
        window = (min(window[0], image[1]), min(window[1], image[2]))
    got, wanted = both(image, window, strides, padding, "float32", target, kind)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)


SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-42]


@pytest.mark.parametrize("case", CASES[:9], ids=str)
@pytest.mark.parametrize("target", [AVX512, AVX2])
def test_special_values_as_the_interpreter(case: Any, target: Target) -> None:
    image, window, strides, padding = case
    images = np.random.RandomState(3).choice(SPECIAL, image).astype(np.float32)
    attributes = {"ksize": (1, *window, 1), "strides": (1, *strides, 1), "padding": padding}
    for kind, kernel in (("max", kernels.max_pool), ("mean", kernels.avg_pool)):
        with np.errstate(invalid="ignore"):
            wanted = kernel(images, **attributes)
        got = np.full_like(wanted, 9)
        spec = pooling_spec(kind, (images, got), image, window, strides, padding)
        run(lower_pooling(spec, target), images, got)
        np.testing.assert_array_equal(got, wanted)
    maxima = kernels.max_pool(images, **attributes)
    gradient = np.random.RandomState(4).randn(*maxima.shape).astype(np.float32)
    wanted = kernels.max_pool_grad(images, maxima, gradient, **attributes)
    got = np.full_like(images, 9)
    arrays = (images, maxima, gradient, got)
    spec = pooling_spec("max_gradient", arrays, image, window, strides, padding)
    run(lower_pooling(spec, target), *arrays)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bits_of_the_interpreter(case: Any) -> None:
    image, window, strides, padding = case
    images = np.random.RandomState(3).randn(*image).astype(np.float32)
    attributes = {"ksize": (1, *window, 1), "strides": (1, *strides, 1), "padding": padding}
    maxima = kernels.max_pool(images, **attributes)
    gradient = np.random.RandomState(4).randn(*maxima.shape).astype(np.float32)
    wanted = kernels.max_pool_grad(images, maxima, gradient, **attributes)
    got = np.full_like(images, 9)
    arrays = (images, maxima, gradient, got)
    spec = pooling_spec("max_gradient", arrays, image, window, strides, padding)
    run(lower_pooling(spec, AVX512), *arrays)
    np.testing.assert_array_equal(got.view(np.int32), wanted.view(np.int32))
    if window[0] * window[1] > 16:
        return
    mean = kernels.avg_pool(images, **attributes)
    got = np.full_like(mean, 9)
    spec = pooling_spec("mean", (images, got), image, window, strides, padding)
    run(lower_pooling(spec, AVX512), images, got)
    np.testing.assert_array_equal(got.view(np.int32), mean.view(np.int32))


@pytest.mark.parametrize("case", [CASES[0], CASES[1], CASES[3]], ids=str)
def test_the_gradient_goes_on_through_steps(case: Any) -> None:
    """A mask of a relu, whose result is the images, and a bias for each channel."""
    image, window, strides, padding = case
    images = np.maximum(np.random.RandomState(5).randn(*image), 0).astype(np.float32)
    attributes = {"ksize": (1, *window, 1), "strides": (1, *strides, 1), "padding": padding}
    maxima = kernels.max_pool(images, **attributes)
    gradient = np.random.RandomState(6).randn(*maxima.shape).astype(np.float32)
    bias = np.random.RandomState(7).randn(image[3]).astype(np.float32)
    unused = np.full_like(images, 9)
    got = np.full_like(images, 9)
    row = np.broadcast_to(bias, image)
    steps = (
        Step("accumulator", (), "float32"),
        Step("load", (), "float32", 0),
        Step("constant", (), "float32", 0.0),
        Step("greater", (1, 2), "bool"),
        Step("select", (3, 0, 2), "float32"),
        Step("load", (), "float32", 4),
        Step("add", (4, 5), "float32"),
    )
    arrays = (images, maxima, gradient, unused, row, got)
    spec = pooling_spec(
        "max_gradient", arrays, image, window, strides, padding, steps, (Store(6, 5),)
    )
    run(lower_pooling(spec, AVX512), *arrays)
    plain = kernels.max_pool_grad(images, maxima, gradient, **attributes)
    np.testing.assert_array_equal(got, np.where(images > 0, plain, 0) + bias)
    assert (unused == 9).all()


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_other_dtypes(dtype: str) -> None:
    got, wanted = both((2, 5, 6, 19), (3, 3), (2, 2), "SAME", dtype, AVX512, "max")
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("kind", ["max", "mean", "max_gradient", "mean_gradient"])
def test_channels_first(kind: str) -> None:
    """NCHW arrays, which the strides alone tell."""
    image = (2, 5, 6, 3)
    shape = (2, 3, 3, 3)
    images = values(image, "float32", 1)
    unused = (images, images)
    spec = pooling_spec("max", unused, image, (3, 3), (2, 2), "SAME")
    maxima = expected(spec, images)
    gradient = np.random.RandomState(2).randn(*shape).astype(np.float32)
    inputs = {
        "max": (images,),
        "mean": (images,),
        "max_gradient": (images, maxima, gradient),
        "mean_gradient": (gradient,),
    }[kind]
    result = np.full(shape if kind in ("max", "mean") else image, 9, np.float32)
    arrays = tuple(
        np.ascontiguousarray(array.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
        for array in (*inputs, result)
    )
    spec = pooling_spec(kind, arrays, image, (3, 3), (2, 2), "SAME")
    run(lower_pooling(spec, AVX2), *arrays)
    np.testing.assert_allclose(arrays[-1], expected(spec, *inputs), rtol=0, atol=2e-6)


def gradient_lowered(batch: int) -> tuple[Lowered, tuple[Array, ...]]:
    image = (batch, 6, 6, 20)
    images = values(image, "float32", 1)
    maxima = kernels.max_pool(images, ksize=(1, 3, 3, 1), strides=(1, 2, 2, 1), padding="SAME")
    gradient = np.random.RandomState(2).randn(*maxima.shape).astype(np.float32)
    arrays = (images, maxima, gradient, np.zeros_like(images))
    spec = pooling_spec("max_gradient", arrays, image, (3, 3), (2, 2), "SAME")
    return lower_pooling(spec, AVX512), arrays


def test_batches_share_their_code() -> None:
    texts = {gradient_lowered(batch)[0].calls[0].code.text for batch in (1, 2, 64, 1000)}
    assert len(texts) == 1


def test_chunks_run_in_any_order() -> None:
    lowered, arrays = gradient_lowered(7)
    runner = Runner(replace(lowered, calls=(replace(lowered.calls[0], chunk=1),)))
    prepared = runner.prepare(arrays)
    runner.execute(prepared)
    first = arrays[-1].copy()
    arrays[-1][...] = 9
    runner.execute(prepared[::-1])
    np.testing.assert_array_equal(first, arrays[-1])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"batch": 0}, "nothing"),
        ({"padding": ((3, 0), (0, 0))}, "in the padding"),
        ({"kind": "mean", "dtype": "int32"}, "int32"),
        ({"steps": (Step("column_sum", (), "float32"),)}, "column_sum"),
    ],
)
def test_what_stays_with_numpy(change: dict[str, Any], reason: str) -> None:
    images = values((2, 4, 4, 3), "float32", 1)
    spec = pooling_spec("max", (images, images), images.shape, (2, 2), (2, 2), "VALID")
    with pytest.raises(Unsupported, match=reason):
        lower_pooling(replace(spec, **change), AVX512)
