"""`tf.spectral`: Fourier and cosine transforms."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.spectral": "fft ifft fft2d ifft2d fft3d ifft3d",
    "workbench.core.ops.real_spectral": "rfft irfft rfft2d irfft2d rfft3d irfft3d dct",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
