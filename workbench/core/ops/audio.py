"""Sound: WAV files, spectrograms and the coefficients that recognise speech."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import speech, wav
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

_TWO = (
    b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x40\x1f\x00\x00\x00\x7d\x00\x00"
    b"\x04\x00\x10\x00data\x08\x00\x00\x00\x00\x00\x00\x40\x00\xc0\xff\x7f"
)
_SAMPLES = [[0.0, 0.5], [-0.5, 32767 / 32768]]


def _wanted(op: Any, attribute: str, what: str) -> Any:
    value = op.attrs[attribute]
    if value < -1:
        raise ValueError(f"{what} must be non-negative, got {value}")
    return None if value == -1 else value


def _decoded_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "contents")
    samples = _wanted(op, "desired_samples", "samples")
    return [(samples, _wanted(op, "desired_channels", "channels")), ()]


declare(
    "DecodeWav",
    inputs="contents: string",
    outputs="audio: float, sample_rate: int32",
    attrs="desired_channels: int = -1, desired_samples: int = -1",
    shape=_decoded_shape,
    kernel=wav.decode_wav,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(_TWO, want=(_SAMPLES, 8000)),
        sample(
            _TWO,
            desired_channels=3,
            desired_samples=3,
            want=([[0.0, 0.5, 0.5], [-0.5, _SAMPLES[1][1], _SAMPLES[1][1]], [0.0] * 3], 8000),
        ),
    ],
)


def _encoded_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 2, "audio")
    shape_rules.with_rank(op.inputs[1].entries, 0, "sample_rate")
    return [()]


declare(
    "EncodeWav",
    inputs="audio: float, sample_rate: int32",
    outputs="contents: string",
    shape=_encoded_shape,
    kernel=wav.encode_wav,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[0.0, 0.5], [-0.5, 9.0]], 8000, want=_TWO)],
)


def _spectrogram_shape(op: Any) -> list[Any]:
    samples, channels = shape_rules.with_rank(op.inputs[0].entries, 2, "input")
    window, stride = op.attrs["window_size"], op.attrs["stride"]
    windows = None
    if isinstance(samples, int):
        windows = 0 if samples < window else 1 + (samples - window) // max(1, stride)
    return [(channels, windows, speech.transform_length(window) // 2 + 1)]


def _plain_spectrogram(x: Any) -> Any:
    """Windows of 4 samples at every second one, transformed by the sum that defines it."""
    window = [0.5 - 0.5 * np.cos(2 * np.pi * i / 4) for i in range(4)]
    found = [
        [
            [
                abs(
                    sum(
                        x[start + i, channel] * window[i] * np.exp(-2j * np.pi * i * k / 4)
                        for i in range(4)
                    )
                )
                for k in range(3)
            ]
            for start in (0, 2)
        ]
        for channel in range(x.shape[1])
    ]
    return np.array(found)


declare(
    "AudioSpectrogram",
    inputs="input: float",
    outputs="spectrogram: float",
    attrs="window_size: int, stride: int, magnitude_squared: bool = false",
    shape=_spectrogram_shape,
    kernel=speech.audio_spectrogram,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[1.0, 0.0], [2.0, 1.0], [0.0, -1.0], [3.0, 0.5], [1.0, 0.0], [2.0, 2.0], [7.0, 7.0]],
            window_size=4,
            stride=2,
            want=_plain_spectrogram,
        )
    ],
)


def _mfcc_shape(op: Any) -> list[Any]:
    channels, windows, _ = shape_rules.with_rank(op.inputs[0].entries, 3, "spectrogram")
    shape_rules.with_rank(op.inputs[1].entries, 0, "sample_rate")
    return [(channels, windows, op.attrs["dct_coefficient_count"])]


declare(
    "Mfcc",
    inputs="spectrogram: float, sample_rate: int32",
    outputs="output: float",
    attrs=(
        "upper_frequency_limit: float = 4000.0, lower_frequency_limit: float = 20.0, "
        "filterbank_channel_count: int = 40, dct_coefficient_count: int = 13"
    ),
    shape=_mfcc_shape,
    kernel=speech.mfcc,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        # One band from 0 to 2000 Hz, its peak where the ear has its middle; only 1000 Hz in it.
        sample(
            [[[9.0, 16.0, 9.0]]],
            4000,
            upper_frequency_limit=2000.0,
            lower_frequency_limit=0.0,
            filterbank_channel_count=1,
            dct_coefficient_count=1,
            want=lambda *_: [
                [[np.sqrt(2) * np.log(4 * 2 * (1 - np.log(17 / 7) / np.log(27 / 7)))]]
            ],
        )
    ],
)


class DecodedWav(NamedTuple):
    """The samples of a WAV file, and how many there are of a second."""

    audio: Tensor
    sample_rate: Tensor


def decode_wav(
    contents: Any,
    desired_channels: int | None = None,
    desired_samples: int | None = None,
    name: str | None = None,
) -> DecodedWav:
    """The samples [samples, channels] of a WAV file of 16 bits, -1 ... 1, and their rate.

    With `desired_samples` and `desired_channels` there are so many: what is too much is cut off,
    missing samples are zeros, and the last channel stands for missing ones.

    >>> import workbench as tf
    >>> from workbench.core.ops.audio import decode_wav, encode_wav
    >>> decode_wav(encode_wav([[0.5], [-0.25]], 8000)).audio.eval().tolist()
    [[0.5], [-0.25]]
    """
    op = create(
        "DecodeWav",
        name,
        contents=contents,
        desired_channels=desired_channels,
        desired_samples=desired_samples,
    )
    return DecodedWav(*op.outputs)


def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Tensor:
    """A WAV file of 16 bits with the samples [samples, channels]; those beyond -1 ... 1 are cut."""
    return call("EncodeWav", name, audio=audio, sample_rate=sample_rate)


def audio_spectrogram(
    input: Any,
    window_size: int,
    stride: int,
    magnitude_squared: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The magnitudes [channels, windows, frequencies] of windows of samples [samples, channels].

    A Hann window of `window_size` samples begins at every `stride`-th one; there are
    frequencies for the next power of two.
    """
    return call(
        "AudioSpectrogram",
        name,
        input=input,
        window_size=window_size,
        stride=stride,
        magnitude_squared=magnitude_squared,
    )


def mfcc(
    spectrogram: Any,
    sample_rate: Any,
    upper_frequency_limit: float | None = None,
    lower_frequency_limit: float | None = None,
    filterbank_channel_count: int | None = None,
    dct_coefficient_count: int | None = None,
    name: str | None = None,
) -> Tensor:
    """The mel-frequency cepstral coefficients of a spectrogram of squared magnitudes."""
    return call(
        "Mfcc",
        name,
        spectrogram=spectrogram,
        sample_rate=sample_rate,
        upper_frequency_limit=upper_frequency_limit,
        lower_frequency_limit=lower_frequency_limit,
        filterbank_channel_count=filterbank_channel_count,
        dct_coefficient_count=dct_coefficient_count,
    )
