"""Sound: Python's own reader of WAV files, transforms by their sums, bands one by one."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.audio import audio_spectrogram, decode_wav, encode_wav, mfcc


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _file(samples: Any, rate: int = 8000, width: int = 2) -> bytes:
    """A WAV file as Python's own module writes it."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


@given(st.integers(1, 3), st.integers(1, 20), st.sampled_from([8000, 44100, 96000]))
@settings(max_examples=15, deadline=None)
def test_files_are_those_of_python(channels: int, count: int, rate: int) -> None:
    samples = np.random.default_rng(count).integers(-(2**15), 2**15, (count, channels))
    content = _file(samples.astype("<i2"), rate)
    with tf.Graph().as_default(), tf.Session() as session:
        decoded = decode_wav(content)
        audio, found_rate, again = session.run([*decoded, encode_wav(*decoded)])
    np.testing.assert_array_equal(audio, samples / 2.0**15)
    assert found_rate == rate
    assert again == content


def test_numbers_of_samples_and_channels(session: Any) -> None:
    content = _file(np.array([[1, 2], [3, 4], [5, 6]], "<i2") * 4096)
    for samples, channels, want in (
        (2, 1, [[1], [3]]),
        (4, 2, [[1, 2], [3, 4], [5, 6], [0, 0]]),
        (None, 3, [[1, 2, 2], [3, 4, 4], [5, 6, 6]]),
    ):
        decoded = decode_wav(content, channels, samples)
        assert session.run(decoded.audio * 8).tolist() == want
        assert decoded.audio.shape.as_list() == [samples, channels]


def test_other_parts_of_a_file_are_left_out(session: Any) -> None:
    content = _file(np.array([[16384]], "<i2"))
    extended = content[:16] + b"\x12\0\0\0" + content[20:36] + b"\0\0"
    extended += b"LIST\x02\0\0\0xy" + content[36:]
    assert session.run(decode_wav(extended).audio).tolist() == [[0.5]]


GOOD = _file(np.array([[1, 2]], "<i2"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFX" + GOOD[4:], "Header mismatch: Expected RIFF but found 'RIFX'"),
        (GOOD[:30], "Data too short"),
        (GOOD[:-1], "Data too short"),
        (GOOD[:36], "No data chunk found"),
        (GOOD + GOOD[36:], "More than one data chunk"),
        (GOOD[:16] + b"\x28" + GOOD[17:], "Expected 16 or 18, but got 40"),
        (GOOD[:20] + b"\x03" + GOOD[21:], "Bad audio format for WAV"),
        (GOOD[:28] + b"\x01" + GOOD[29:], "Bad bytes per second"),
        (GOOD[:32] + b"\x03" + GOOD[33:], "Bad bytes per sample"),
        (_file(np.zeros([4, 1], np.uint8), width=1), "Can only read 16-bit WAV files"),
    ],
)
def test_files_that_are_damaged(session: Any, content: bytes, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(decode_wav(content).audio)


def test_what_cannot_be_encoded(session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="sample_rate must be in"):
        session.run(encode_wav([[1.0]], 0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_frames must be positive"):
        session.run(encode_wav(tf.zeros([0, 1]), 8000))
    with pytest.raises(ValueError, match="rank 2"):
        encode_wav([1.0], 8000)
    with pytest.raises(ValueError, match="samples must be non-negative"):
        decode_wav("", desired_samples=-2)


@pytest.mark.parametrize(("size", "window", "stride"), [(20, 5, 3), (16, 8, 8), (3, 4, 1)])
def test_spectrograms(session: Any, size: int, window: int, stride: int) -> None:
    x = np.random.default_rng(0).normal(size=(size, 2)).astype(np.float32)
    spectrogram = audio_spectrogram(x, window, stride, magnitude_squared=True)
    length = 2 ** math.ceil(math.log2(window))
    starts = range(0, size - window + 1, stride)
    want = np.zeros((2, len(starts), length // 2 + 1))
    for channel, (row, start), k in (
        (c, s, k) for c in range(2) for s in enumerate(starts) for k in range(length // 2 + 1)
    ):
        total = 0j
        for i in range(window):
            share = 0.5 - 0.5 * math.cos(2 * math.pi * i / window)
            angle = -2 * math.pi * i * k / length
            total += x[start + i, channel] * share * complex(math.cos(angle), math.sin(angle))
        want[channel, row, k] = abs(total) ** 2
    np.testing.assert_allclose(session.run(spectrogram), want, rtol=1e-4, atol=1e-5)
    assert spectrogram.shape.as_list() == list(want.shape)


def _hertz_to_mel(frequency: float) -> float:
    return 1127 * math.log(1 + frequency / 700)


def test_coefficients(session: Any) -> None:
    bins, rate, bands, coefficients = 65, 8000, 12, 5
    low, high = 87.5, 3800.0
    energies = np.random.default_rng(1).uniform(0, 4, (2, 3, bins)).astype(np.float32)
    found = session.run(mfcc(energies, rate, high, low, bands, coefficients))
    first, width = _hertz_to_mel(low), (_hertz_to_mel(high) - _hertz_to_mel(low)) / (bands + 1)
    want = np.zeros((2, 3, coefficients))
    for channel, row in np.ndindex(2, 3):
        logs = []
        for band in range(bands):
            middle, total = first + (band + 1) * width, 0.0
            for i in range(bins):
                frequency = i * rate / 2 / (bins - 1)
                if low <= frequency <= high:
                    distance = abs(_hertz_to_mel(frequency) - middle) / width
                    total += max(0.0, 1 - distance) * math.sqrt(energies[channel, row, i])
            logs.append(math.log(max(total, 1e-12)))
        for k in range(coefficients):
            cosines = [math.cos(math.pi * k * (j + 0.5) / bands) for j in range(bands)]
            want[channel, row, k] = math.sqrt(2 / bands) * float(np.dot(cosines, logs))
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [
        {"lower_frequency_limit": 5000.0},
        {"dct_coefficient_count": 50},
        {"filterbank_channel_count": 0},
    ],
)
def test_coefficients_that_make_no_sense(session: Any, arguments: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Mfcc initialization failed"):
        session.run(mfcc(np.ones([1, 1, 65], np.float32), 8000, **arguments))


def test_a_spectrogram_without_the_highest_band(session: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="above the highest frequency"):
        session.run(mfcc(np.ones([1, 1, 65], np.float32), 4000))


def test_the_place_where_public_scripts_look(session: Any) -> None:
    audio = tf.contrib.framework.python.ops.audio_ops
    decoded = audio.decode_wav(GOOD, desired_channels=1)
    spectrogram = audio.audio_spectrogram(
        tf.tile(decoded.audio, [300, 1]), window_size=200, stride=100, magnitude_squared=True
    )
    coefficients = audio.mfcc(spectrogram, decoded.sample_rate, dct_coefficient_count=7)
    assert session.run(coefficients).shape == (1, 2, 7)
