"""Summaries: what TensorBoard's own reader finds is what was put in."""

from __future__ import annotations

import io
import math
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from workbench.core.kernels.buckets import bucket_limits, histogram
from workbench.core.ops.creation import call


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def values_of(summary: tf.Tensor, feed: Any = None) -> Any:
    with tf.Session() as session:
        return tf.Summary.FromString(session.run(summary, feed)).value


def test_tags_and_operations_have_tensorflows_names() -> None:
    with tf.name_scope("train"):
        plain = tf.summary.scalar("loss", 1.0)
        again = tf.summary.scalar("loss", 1.0)
        spaced = tf.summary.scalar("the loss!", 1.0)
        family = tf.summary.scalar("loss", 1.0, family="all")
    merged = tf.summary.merge_all()
    assert [t.op.name for t in (plain, again, spaced, family, merged)] == [
        "train/loss",
        "train/loss_1",
        "train/the_loss_",
        "train/all/loss",
        "Merge/MergeSummary",
    ]
    assert [value.tag for value in values_of(merged)] == [
        "train/loss",
        "train/loss_1",
        "train/the_loss_",
        "all/train/all/loss",
    ]
    assert [t.name for t in plain.op.inputs] == ["train/loss/tags:0", "train/loss/values:0"]
    assert tf.summary.merge([plain], name="some").op.name == "some/some"


def test_collections() -> None:
    a = tf.summary.scalar("a", 1.0)
    b = tf.summary.scalar("b", 1.0, collections=["other", "third"])
    assert tf.get_collection(tf.GraphKeys.SUMMARIES) == [a]
    assert tf.get_collection("other") == tf.get_collection("third") == [b]
    merged = tf.summary.merge([a, b], collections=["other"])
    assert tf.get_collection("other") == [b, merged]
    assert [value.tag for value in values_of(tf.summary.merge_all("third"))] == ["b"]
    assert tf.summary.merge_all("none") is None


def test_a_tag_can_be_merged_once() -> None:
    a = tf.summary.scalar("a", 1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Duplicate tag a found"):
        values_of(tf.summary.merge([a, a]))
    with pytest.raises(tf.errors.DataLossError, match="an input of the merge"):
        values_of(tf.summary.merge([a, b"not a summary"]))


def test_scalars_of_several_types() -> None:
    for dtype in (tf.float16, tf.bfloat16, tf.float64, tf.int64, tf.uint8):
        (value,) = values_of(tf.summary.scalar("x", tf.cast(2.0, dtype)))
        assert value.simple_value == 2.0
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"same shape: \[\] != \[2\] \(tag 'y'"
    ):
        values_of(tf.summary.scalar("y", [1.0, 2.0]))
    with pytest.raises(TypeError, match="DataType string not in list of allowed values"):
        tf.summary.scalar("y", "text")


# -- histograms ----------------------------------------------------------------------------------


def test_histogram_is_tensorflows() -> None:
    (value,) = values_of(tf.summary.histogram("h", [1.0, 2.0, 2.0, -3.0, 0.0]))
    found = value.histo
    assert (found.min, found.max, found.num, found.sum, found.sum_squares) == (-3, 2, 5, 2, 18)
    # What TensorFlow 2.15 writes for these values.
    assert list(found.bucket_limit) == [
        -3.1665833053880363,
        -2.8787120958073054,
        0.0,
        1e-12,
        0.917246389039776,
        1.0089710279437536,
        1.9661990955585713,
        2.1628190051144287,
        1.7976931348623157e308,
    ]
    assert list(found.bucket) == [0, 1, 0, 1, 0, 1, 0, 2, 0]


def test_empty_histogram() -> None:
    (value,) = values_of(tf.summary.histogram("h", np.zeros(0, np.float32)))
    assert (value.histo.min, value.histo.max) == (sys.float_info.max, -sys.float_info.max)
    assert list(value.histo.bucket) == [0.0]


@pytest.mark.parametrize(
    ("bad", "kind"), [(math.nan, "Nan"), (math.inf, "Infinity"), (-math.inf, "Infinity")]
)
def test_histogram_of_what_is_not_finite(bad: float, kind: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        values_of(tf.summary.histogram("h", [1.0, bad]))
    assert f"{kind} in summary histogram for: h" in str(caught.value)
    assert "test_summary.py" in str(caught.value).splitlines()[0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_buckets_hold_what_is_below_their_limits(values: list[float]) -> None:
    found = histogram(np.array(values, np.float64))
    lower = -math.inf
    for limit, count in zip(found.limits, found.counts, strict=True):
        last = limit == found.limits[-1]
        inside = [v for v in values if lower <= v and (v < limit or (last and v <= limit))]
        assert len(inside) == count
        lower = limit
    assert found.num == len(values)


def test_limits_grow_by_a_tenth() -> None:
    limits = bucket_limits()
    middle = limits.size // 2
    assert limits[middle + 1] == 1e-12 and limits[-2] < 1e20 <= limits[-2] * 1.1
    np.testing.assert_allclose(limits[middle + 2 : -1] / limits[middle + 1 : -2], 1.1, rtol=1e-12)
    np.testing.assert_array_equal(limits, -limits[::-1])


# -- images and sounds ---------------------------------------------------------------------------


def pixels(value: Any) -> np.ndarray[Any, Any]:
    image_module = pytest.importorskip("PIL.Image")
    with image_module.open(io.BytesIO(value.image.encoded_image_string)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_of_bytes(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 7, channels)).astype(np.uint8)
    found = values_of(tf.summary.image("im", images))
    assert [value.tag for value in found] == ["im/image/0", "im/image/1", "im/image/2"]
    for value, image in zip(found, images, strict=False):
        assert (value.image.height, value.image.width) == (5, 7)
        assert value.image.colorspace == channels
        assert np.array_equal(pixels(value).reshape(image.shape), image)


def test_images_of_numbers_are_scaled() -> None:
    signed = (np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3) / 3) - 1
    (value,) = values_of(tf.summary.image("im", signed, max_outputs=1))
    assert value.tag == "im/image"
    # What TensorFlow 2.15 writes: 0 is 128, the largest magnitude 127 away from it.
    assert pixels(value).reshape(-1).tolist() == [
        *(80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255)
    ]
    positive = np.array([[[[0.0], [1.0]], [[2.0], [4.0]]]], np.float16)
    (value,) = values_of(tf.summary.image("im", positive, max_outputs=1))
    assert pixels(value).tolist() == [[0, 63], [127, 255]]
    (value,) = values_of(tf.summary.image("im", positive * 1e-7, max_outputs=1))
    assert pixels(value).tolist() == [[0, 0], [0, 0]]
    broken = np.array([[[[0.5, 1.0, np.nan], [1.0, 0.0, 0.0]]]], np.float64)
    (value,) = values_of(tf.summary.image("im", broken, max_outputs=1))
    assert pixels(value).tolist() == [[[255, 0, 0], [255, 0, 0]]]


def test_image_errors() -> None:
    for shape in ([2, 2], [1, 2, 2, 2]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="4-D with last dim 1, 3, or 4"):
            values_of(tf.summary.image("im", np.zeros(shape, np.float32)))


@pytest.mark.parametrize("channels", [None, 1, 2])
def test_sounds(channels: int | None) -> None:
    frames = np.array([0.0, 1.0, -1.0, 0.5, -2.0, 1.5 / 2**15], np.float32)
    clips = frames[None] if channels is None else np.repeat(frames[None, :, None], channels, 2)
    (value,) = values_of(tf.summary.audio("s", clips, 8000, max_outputs=1))
    assert value.tag == "s/audio"
    assert value.audio.content_type == "audio/wav"
    assert value.audio.sample_rate == 8000
    assert value.audio.length_frames == 6
    count = channels or 1
    assert value.audio.num_channels == count
    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (count, 2, 8000)
        samples = np.frombuffer(file.readframes(6), "<i2").reshape(6, count)
    assert samples[:, 0].tolist() == [0, 32767, -32768, 16384, -32768, 2]
    tags = [v.tag for v in values_of(tf.summary.audio("t", np.repeat(clips, 2, 0), 8000))]
    assert tags == ["t/audio/0", "t/audio/1"]


def test_sound_errors() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="3-D or 2-D, got: \\[2\\]"):
        values_of(tf.summary.audio("s", [0.0, 1.0], 8000))
    with pytest.raises(tf.errors.InvalidArgumentError, match="sample_rate must be > 0, got 0.0"):
        values_of(tf.summary.audio("s", [[0.0, 1.0]], 0))


# -- tensors and texts ---------------------------------------------------------------------------


def test_tensors() -> None:
    summary = tf.summary.tensor_summary(
        "t",
        [[1, 2]],
        summary_description="why",
        display_name="shown",
        summary_metadata=tf.SummaryMetadata(plugin_data={"plugin_name": "mine", "content": b"c"}),
    )
    (value,) = values_of(summary)
    assert tf.make_ndarray(value.tensor).tolist() == [[1, 2]]
    assert (value.metadata.summary_description, value.metadata.display_name) == ("why", "shown")
    assert value.metadata.plugin_data.plugin_name == "mine"
    assert value.metadata.plugin_data.content == b"c"


def test_texts() -> None:
    (value,) = values_of(tf.summary.text("t", ["one", "two"]))
    assert value.metadata.plugin_data.plugin_name == "text"
    assert tf.make_ndarray(value.tensor).tolist() == [b"one", b"two"]
    with pytest.raises(ValueError, match="to have dtype string, got float32"):
        tf.summary.text("t", 1.0)


def test_tensors_of_old_graphs() -> None:
    old = call("TensorSummary", "old", tensor=[1.0], description='{"typeHint": "scalar"}')
    (value,) = values_of(old)
    assert value.node_name == "old" and tf.make_ndarray(value.tensor).tolist() == [1.0]
    assert tf.summary.get_summary_description(old.op.node_def).type_hint == "scalar"
    with pytest.raises(ValueError, match="Can't get_summary_description on Const"):
        tf.summary.get_summary_description(tf.constant(1).op.node_def)


def test_names_of_before() -> None:
    scalar = tf.scalar_summary(["a b", "c"], [1.0, 2.0])
    tf.histogram_summary("h", [1.0])
    tf.image_summary("i", np.zeros((1, 1, 1, 1), np.float32))
    tf.audio_summary("s", [[0.0]], 100.0, max_outputs=1, collections=["sounds"])
    assert [value.tag for value in values_of(scalar)] == ["a b", "c"]
    merged = values_of(tf.merge_all_summaries())
    assert [value.tag for value in merged] == ["a b", "c", "h", "i/image/0"]
    (sound,) = values_of(tf.merge_summary(tf.get_collection("sounds")))
    assert sound.tag == "s/audio"


def test_tensorboard_reads_them(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    x = tf.placeholder(tf.float32, [None])
    tf.summary.scalar("average", tf.reduce_mean(x))
    tf.summary.histogram("all", x)
    tf.summary.image("im", tf.reshape(x, [1, 2, 2, 1]))
    tf.summary.audio("sound", tf.reshape(x, [1, 4]), 100.0)
    tf.summary.text("note", "some *text*")
    merged = tf.summary.merge_all()
    with tf.Session() as session, tf.summary.FileWriter(str(tmp_path), session.graph) as writer:
        for step in range(3):
            fed = np.arange(4, dtype=np.float32) + step
            writer.add_summary(session.run(merged, {x: fed}), step)
    found = accumulators.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("average")] == [
        (0, 1.5),
        (1, 2.5),
        (2, 3.5),
    ]
    assert found.Histograms("all")[-1].histogram_value.sum == 14.0
    assert found.Images("im/image/0")[0].width == 2
    assert found.Audio("sound/audio/0")[0].content_type == "audio/wav"
    assert found.Tags()["tensors"] == ["note"]
    assert found.SummaryMetadata("note").plugin_data.plugin_name == "text"
    assert found.Graph().node[0].name == "Placeholder"
