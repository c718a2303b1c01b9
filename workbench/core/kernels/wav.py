"""WAV files of samples of 16 bits."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import Floats, invalid, spelled

_FORMAT = struct.Struct("<HHIIHH")
_SCALE = 1 << 15
_PCM = 1
_BITS = 16


class _Reader:
    """The parts of a file one after the other; raises where it ends too early."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.content)

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.content):
            raise invalid("Data too short when trying to read string")
        self.at += count
        return self.content[self.at - count : self.at]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def expect(self, text: bytes) -> None:
        found = self.take(len(text))
        if found != text:
            raise invalid(
                f"Header mismatch: Expected {text.decode()} but found {found.decode('latin-1')!r}"
            )


def decode_wav(
    contents: Any, *, desired_channels: int, desired_samples: int
) -> tuple[Any, np.int32]:
    """The samples [samples, channels] in -1 ... 1, and how many there are of a second.

    Raises:
      InvalidArgumentError: the content is no WAV file, or one of another kind of samples.
    """
    array = as_array(contents)
    if array.ndim:
        raise invalid(f"contents must be scalar, got shape {spelled(array.shape)}")
    samples, rate = _decoded(array.item())
    found = samples.astype(np.float32) / np.float32(_SCALE)
    if desired_channels != -1:
        # The last channel stands for those that are missing.
        found = found[:, np.minimum(np.arange(desired_channels), found.shape[1] - 1)]
    if desired_samples != -1:
        found = found[:desired_samples]
        found = np.pad(found, ((0, desired_samples - len(found)), (0, 0)))
    return np.ascontiguousarray(found), np.int32(rate)


def _decoded(content: bytes) -> tuple[np.ndarray[Any, Any], int]:
    reader = _Reader(content)
    reader.expect(b"RIFF")
    reader.number()
    reader.expect(b"WAVE")
    reader.expect(b"fmt ")
    size = reader.number()
    if size not in (16, 18):
        raise invalid(f"Bad file size for WAV: Expected 16 or 18, but got {size}")
    kind, channels, rate, per_second, per_frame, bits = _FORMAT.unpack(reader.take(_FORMAT.size))
    if kind != _PCM:
        raise invalid(f"Bad audio format for WAV: Expected 1 (PCM), but got {kind}")
    if bits != _BITS:
        raise invalid(f"Can only read 16-bit WAV files, but received {bits}")
    if per_frame != 2 * channels or not channels:
        raise invalid(
            f"Bad bytes per sample in WAV header: Expected {2 * channels} but got {per_frame}"
        )
    if per_second != per_frame * rate:
        raise invalid(
            f"Bad bytes per second in WAV header: Expected {per_frame * rate} but got {per_second} "
            f"(sample_rate={rate}, bytes_per_sample={per_frame})"
        )
    reader.take(size - 16)
    data = None
    while not reader.is_done:
        name, length = reader.take(4), reader.number()
        if name != b"data":
            reader.at += length
            continue
        if data is not None:
            raise invalid("More than one data chunk found in WAV")
        data = reader.take(length // per_frame * per_frame)
    if data is None:
        raise invalid("No data chunk found in WAV")
    return np.frombuffer(data, "<i2").reshape(-1, channels), rate


def encode_wav(audio: Any, sample_rate: Any) -> bytes:
    """A WAV file of samples [samples, channels] in -1 ... 1; those outside are cut."""
    samples: Floats = np.asarray(audio)
    if samples.ndim != 2:
        raise invalid(f"audio must be 2-dimensional {spelled(samples.shape)}")
    if np.ndim(sample_rate):
        raise invalid(
            f"Input sample_rate should be a scalar tensor, got {spelled(np.shape(sample_rate))} "
            "instead."
        )
    rate, (frames, channels) = int(sample_rate), samples.shape
    if not 0 < rate < 2**32:
        raise invalid(f"sample_rate must be in (0, 2^32), got: {rate}")
    if not 0 < channels < 2**16:
        raise invalid(f"num_channels must be in (0, 2^16), got: {channels}")
    if not frames:
        raise invalid("num_frames must be positive.")
    if frames * channels * 2 + 44 >= 2**32:
        raise invalid("Provided channels and frames cannot be encoded as a WAV.")
    return wav_file(samples, rate)


def wav_file(samples: Floats, rate: int) -> bytes:
    """The file of samples (frames, channels), without checks.

    >>> len(wav_file(np.zeros((8, 2)), 44100))
    76
    """
    channels = samples.shape[1]
    scaled = samples.astype(np.float64) * _SCALE
    # Halves are rounded away from zero, as C's roundf does.
    whole = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    data = np.clip(whole, -_SCALE, _SCALE - 1).astype("<i2").tobytes()
    form = _FORMAT.pack(_PCM, channels, rate, 2 * channels * rate, 2 * channels, _BITS)
    body = b"".join([b"WAVE", b"fmt ", _length(form), form, b"data", _length(data), data])
    return b"RIFF" + _length(body) + body


def _length(part: bytes) -> bytes:
    return len(part).to_bytes(4, "little")
