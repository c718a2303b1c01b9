"""Sound over time and frequency: spectrograms, and coefficients that recognise speech."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.support import Floats, invalid, spelled

#: Energies of bands are at least this, before their logarithm is taken.
_FLOOR = 1e-12


def transform_length(window_size: int) -> int:
    """The smallest power of two that is not below a window's length.

    >>> transform_length(5), transform_length(8)
    (8, 8)
    """
    return 1 << max(0, window_size - 1).bit_length()


def audio_spectrogram(input: Any, *, window_size: int, stride: int, magnitude_squared: bool) -> Any:
    """The magnitudes [channels, windows, frequencies] of samples [samples, channels]."""
    samples = np.asarray(input)
    if samples.ndim != 2:
        raise invalid(f"input must be 2-dimensional {spelled(samples.shape)}")
    if window_size < 2 or stride < 1:
        raise invalid(
            f"Spectrogram initialization failed for window size {window_size} and stride {stride}"
        )
    length = transform_length(window_size)
    if len(samples) < window_size:
        return np.zeros((samples.shape[1], 0, length // 2 + 1), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, window_size, axis=0)[::stride]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_size) / window_size)
    transformed = np.fft.rfft(windows.astype(np.float64) * hann, length)
    energies = np.square(transformed.real) + np.square(transformed.imag)
    found = energies if magnitude_squared else np.sqrt(energies)
    return np.ascontiguousarray(found.transpose(1, 0, 2)).astype(np.float32)


def mfcc(
    spectrogram: Any,
    sample_rate: Any,
    *,
    upper_frequency_limit: float,
    lower_frequency_limit: float,
    filterbank_channel_count: int,
    dct_coefficient_count: int,
) -> Any:
    """The first cosine coefficients of the logarithms of the magnitudes in bands of equal width
    for the ear, of a spectrogram of squared magnitudes."""
    energies = np.asarray(spectrogram)
    if energies.ndim != 3:
        raise invalid(f"spectrogram must be 3-dimensional {spelled(energies.shape)}")
    bins, rate, bands = energies.shape[2], int(sample_rate), filterbank_channel_count
    if (
        min(bands, rate, dct_coefficient_count) < 1
        or bins < 2
        or not 0 <= lower_frequency_limit < upper_frequency_limit
        or dct_coefficient_count > bands
    ):
        raise invalid(f"Mfcc initialization failed for channel count {bins} and sample rate {rate}")
    filters = _mel_filters(bins, rate, bands, lower_frequency_limit, upper_frequency_limit)
    loudness = np.log(np.maximum(np.sqrt(energies.astype(np.float64)) @ filters, _FLOOR))
    coefficients = np.arange(dct_coefficient_count)[:, np.newaxis]
    angles = coefficients * np.pi / bands * (np.arange(bands) + 0.5)
    cosines = np.sqrt(2.0 / bands) * np.cos(angles)
    return (loudness @ cosines.T).astype(np.float32)


def _mel(frequency: Any) -> Any:
    return 1127.0 * np.log(1.0 + frequency / 700.0)


def _mel_filters(bins: int, rate: int, bands: int, low: float, high: float) -> Floats:
    """The share [bins, bands] of each frequency in each band: triangles that overlap by half."""
    spacing = 0.5 * rate / (bins - 1)
    first, last = int(1.5 + low / spacing), int(high / spacing)
    if last >= bins:
        raise invalid(
            f"The upper frequency limit {high} is above the highest frequency of the spectrogram, "
            f"{0.5 * rate}"
        )
    edges = np.linspace(_mel(low), _mel(high), bands + 2)
    places = _mel(np.arange(bins) * spacing)
    rising = (places[:, np.newaxis] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places[:, np.newaxis]) / (edges[2:] - edges[1:-1])
    filters: Floats = np.maximum(0.0, np.minimum(rising, falling))
    filters[:first] = 0.0
    filters[last + 1 :] = 0.0
    return filters
