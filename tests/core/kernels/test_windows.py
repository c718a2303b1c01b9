from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.kernels.oracles import output_size, seen
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import windows


@pytest.mark.parametrize(
    ("size", "taps", "stride", "padding", "before", "output"),
    [
        (28, 5, 1, "SAME", 2, 28),
        (28, 2, 2, "SAME", 0, 14),
        (224, 7, 2, "SAME", 2, 112),  # five of padding: two in front, three behind
        (5, 2, 1, "SAME", 0, 5),
        (7, 1, 3, "SAME", 0, 3),
        (28, 5, 1, "VALID", 0, 24),
        (7, 3, 2, "VALID", 0, 3),
        (2, 3, 1, "VALID", 0, 0),
    ],
)
def test_window_axis_pads_as_tensorflow_does(
    size: int, taps: int, stride: int, padding: str, before: int, output: int
) -> None:
    axis = windows.window_axis(size, taps, stride, 1, padding)
    assert (axis.before, axis.output) == (before, output)


axes = st.builds(
    windows.window_axis,
    st.integers(6, 12),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 2),
    st.sampled_from(["SAME", "VALID"]),
)


@given(axis=axes, padding=st.sampled_from(["SAME", "VALID"]))
def test_windows_agree_with_trying_every_position(axis: windows.Axis, padding: str) -> None:
    axis = windows.window_axis(axis.size, axis.taps, axis.stride, axis.dilation, padding)
    numbers = (axis.size, axis.taps, axis.stride, axis.dilation)
    assert axis.output == output_size(*numbers, padding)
    expected = {(o[0], t[0], p[0]) for o, t, p in seen(*((n,) for n in numbers), padding)}
    found = set()
    for tap in range(axis.taps):
        outputs, inputs = windows.tap_slices(axis, tap)
        found |= {
            (o, tap, i)
            for o, i in zip(range(axis.output)[outputs], range(axis.size)[inputs], strict=True)
        }
    assert found == expected


@given(axis=axes)
def test_sliding_over_padded_shows_each_tap_its_input(axis: windows.Axis) -> None:
    values = np.arange(1.0, axis.size + 1).reshape(1, -1, 1)
    shown = windows.sliding(windows.padded(values, (axis,)), (axis,))[0, :, :, 0]
    expected = np.zeros((axis.output, axis.taps))
    for output, tap in np.ndindex(*expected.shape):
        position = output * axis.stride + tap * axis.dilation - axis.before
        if 0 <= position < axis.size:
            expected[output, tap] = values[0, position, 0]
    np.testing.assert_array_equal(shown, expected)


def test_padded_is_a_view_where_nothing_is_padded() -> None:
    values = np.zeros((2, 7, 3))
    axis = windows.window_axis(7, 3, 2, 1, "VALID")
    assert np.shares_memory(windows.padded(values, (axis,)), values)


@pytest.mark.parametrize("before", [-9, -3, 0, 4, 9])
def test_padded_skips_and_pads_at_both_ends(before: int) -> None:
    values = np.arange(1.0, 6.0)
    axis = windows.Axis(5, 2, 1, 1, before, 3)
    expected = [values[p - before] if 0 <= p - before < 5 else 0.0 for p in range(axis.span)]
    np.testing.assert_array_equal(
        windows.padded(values.reshape(1, 5, 1), (axis,))[0, :, 0], expected
    )


def test_channels_last_and_back() -> None:
    volume = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
    last = windows.channels_last(volume, "NCDHW")
    assert last.shape == (2, 4, 5, 6, 3)
    assert np.shares_memory(last, volume)
    np.testing.assert_array_equal(windows.from_channels_last(last, "NCDHW"), volume)
    assert windows.channels_last(volume, "NDHWC") is volume


def test_spatial_leaves_out_the_batch_and_the_channels() -> None:
    assert windows.spatial((1, 2, 3, 1), "NHWC", "strides") == (2, 3)
    assert windows.spatial((1, 1, 2, 3), "NCHW", "strides") == (2, 3)
    assert windows.spatial((1, 2, 3, 4, 1), "NDHWC", "strides") == (2, 3, 4)


def test_errors_are_in_the_users_terms() -> None:
    with pytest.raises(InvalidArgumentError, match="padding must be 'SAME' or 'VALID', got 'same'"):
        windows.window_axis(5, 3, 1, 1, "same")
    with pytest.raises(InvalidArgumentError, match="over 9 positions does not fit into 5"):
        windows.window_axis(5, 9, 1, 1, "VALID")
    with pytest.raises(InvalidArgumentError, match="stride 0"):
        windows.window_axis(5, 3, 0, 1, "SAME")
    with pytest.raises(InvalidArgumentError, match="rank 4 must be 'NHWC' or 'NCHW', got 'NDHWC'"):
        windows.channel_axis("NDHWC", 4)
    with pytest.raises(
        InvalidArgumentError, match=r"strides must be 1 for the batch.*\(2, 1, 1, 1\)"
    ):
        windows.spatial((2, 1, 1, 1), "NHWC", "strides")
    with pytest.raises(InvalidArgumentError, match="NCHW"):
        windows.spatial((1, 2, 1, 1), "NCHW", "dilations")
