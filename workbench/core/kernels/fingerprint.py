"""64-bit hashes of byte strings, equal to those that TensorFlow's hash buckets are made of.

All strings of one length are hashed at once: their bytes are the rows of a matrix, and each step
of a hash is one operation on a column of 64-bit words, which wrap around as the hashes need it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
_Bytes = NDArray[np.uint8]


def _word(value: int) -> np.uint64:
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)


# The constants of FarmHash, of the Murmur-like hash and of SipHash, as published.
_K0, _K1, _K2 = _word(0xC3A5C85C97CB3127), _word(0xB492B66FBE98F273), _word(0x9AE16A3B2F90404F)
_MURMUR, _MURMUR_SEED = _word(0xC6A4A7935BD1E995), 0xDECAFCAFFE
_SIP = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def farm_fingerprint(strings: np.ndarray) -> Words:
    """FarmHash's Fingerprint64 of every string.

    >>> farm_fingerprint(np.array([b"hello"], object))
    array([13009744463427800296], dtype=uint64)
    """
    return _by_length(strings, _farm)


def murmur_hash(strings: np.ndarray) -> Words:
    """The Murmur-like hash behind ``StringToHashBucket``."""
    return _by_length(strings, _murmur)


def sip_hash(strings: np.ndarray, key: Sequence[int]) -> Words:
    """SipHash-2-4 with a key of two 64-bit numbers.

    >>> sip_hash(np.array([b""], object), (0, 0))
    array([2202906307356721367], dtype=uint64)
    """
    return _by_length(strings, lambda rows: _sip(rows, _word(key[0]), _word(key[1])))


def _by_length(strings: np.ndarray, function: Callable[[_Bytes], Words]) -> Words:
    flat = strings.reshape(-1).tolist()
    lengths = np.fromiter(map(len, flat), np.intp, len(flat))
    result = np.empty(len(flat), np.uint64)
    for length in np.unique(lengths).tolist():
        where = np.flatnonzero(lengths == length)
        joined = b"".join([flat[i] for i in where.tolist()])
        rows = np.frombuffer(joined, np.uint8).reshape(where.size, length)
        with np.errstate(over="ignore"):
            result[where] = function(rows)
    return result.reshape(strings.shape)


def _fetch64(rows: _Bytes, offset: int) -> Words:
    return np.ascontiguousarray(rows[:, offset : offset + 8]).view("<u8")[:, 0].astype(np.uint64)


def _fetch32(rows: _Bytes, offset: int) -> Words:
    return np.ascontiguousarray(rows[:, offset : offset + 4]).view("<u4")[:, 0].astype(np.uint64)


def _shift(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


def _rotate_right(x: Words, bits: int) -> Words:
    return (x >> np.uint64(bits)) | (x << np.uint64(64 - bits))


def _farm(rows: _Bytes) -> Words:
    count, size = rows.shape
    if size > 64:
        return _farm_long(rows)
    factor = _word(int(_K2) + 2 * size)
    if size > 16:
        return _farm_middle(rows, factor)
    if size >= 8:
        a, b = _fetch64(rows, 0) + _K2, _fetch64(rows, size - 8)
        c = _rotate_right(b, 37) * factor + a
        return _farm_pair(c, (_rotate_right(a, 25) + b) * factor, factor)
    if size >= 4:
        head = _word(size) + (_fetch32(rows, 0) << np.uint64(3))
        return _farm_pair(head, _fetch32(rows, size - 4), factor)
    if size:
        first, middle, last = (rows[:, i].astype(np.uint64) for i in (0, size >> 1, size - 1))
        y, z = first + (middle << np.uint64(8)), _word(size) + (last << np.uint64(2))
        return _shift(y * _K2 ^ z * _K0) * _K2
    return np.full(count, _K2)


def _farm_pair(u: Words, v: Words, factor: np.uint64 | Words) -> Words:
    a = _shift((u ^ v) * factor)
    return _shift((v ^ a) * factor) * factor


def _farm_middle(rows: _Bytes, factor: np.uint64) -> Words:
    size = rows.shape[1]
    a, b = _fetch64(rows, 0) * (_K1 if size <= 32 else _K2), _fetch64(rows, 8)
    c, d = _fetch64(rows, size - 8) * factor, _fetch64(rows, size - 16) * _K2
    y = _rotate_right(a + b, 43) + _rotate_right(c, 30) + d
    z = _farm_pair(y, a + _rotate_right(b + _K2, 18) + c, factor)
    if size <= 32:
        return z
    e, f = _fetch64(rows, 16) * factor, _fetch64(rows, 24)
    g = (y + _fetch64(rows, size - 32)) * factor
    h = (z + _fetch64(rows, size - 24)) * factor
    left = _rotate_right(e + f, 43) + _rotate_right(g, 30) + h
    return _farm_pair(left, e + _rotate_right(f + a, 18) + g, factor)


def _farm_long(rows: _Bytes) -> Words:
    count, size = rows.shape
    y_start = _word(81 * int(_K1) + 113)
    x = _word(81) * _K2 + _fetch64(rows, 0)
    y = np.full(count, y_start)
    z = _shift(y * _K2 + _word(113)) * _K2
    v = w = (np.zeros(count, np.uint64), np.zeros(count, np.uint64))
    for offset in range(0, (size - 1) // 64 * 64, 64):
        x, y, z, v, w = _farm_round(rows, offset, x, y, z, v, w, _K1, np.uint64(1))
    rest = _word((size - 1) & 63)
    factor = _K1 + ((z & _word(0xFF)) << np.uint64(1))
    first = w[0] + rest
    v = (v[0] + first, v[1])
    w = (first + v[0], w[1])
    x, y, z, v, w = _farm_round(rows, size - 64, x, y, z, v, w, factor, np.uint64(9))
    left = _farm_pair(v[0], w[0], factor) + _shift(y) * _K0 + z
    return _farm_pair(left, _farm_pair(v[1], w[1], factor) + x, factor)


def _farm_round(
    rows: _Bytes,
    offset: int,
    x: Words,
    y: Words,
    z: Words,
    v: tuple[Words, Words],
    w: tuple[Words, Words],
    factor: np.uint64 | Words,
    weight: np.uint64,
) -> tuple[Words, Words, Words, tuple[Words, Words], tuple[Words, Words]]:
    """One block of 64 bytes; the last one comes with another factor and a weight of nine."""
    x = _rotate_right(x + y + v[0] + _fetch64(rows, offset + 8), 37) * factor
    y = _rotate_right(y + v[1] + _fetch64(rows, offset + 48), 42) * factor
    x = x ^ (w[1] * weight)
    y = y + v[0] * weight + _fetch64(rows, offset + 40)
    z = _rotate_right(z + w[0], 33) * factor
    v = _farm_weak(rows, offset, v[1] * factor, x + w[0])
    w = _farm_weak(rows, offset + 32, z + w[1], y + _fetch64(rows, offset + 16))
    return z, y, x, v, w


def _farm_weak(rows: _Bytes, offset: int, a: Words, b: Words) -> tuple[Words, Words]:
    first, second, third, fourth = (_fetch64(rows, offset + 8 * i) for i in range(4))
    a = a + first
    b = _rotate_right(b + a + fourth, 21)
    total = a + second + third
    return total + fourth, b + _rotate_right(total, 44) + a


def _murmur(rows: _Bytes) -> Words:
    count, size = rows.shape
    result = np.full(count, _word(_MURMUR_SEED ^ (size * int(_MURMUR))))
    for offset in range(0, size - 7, 8):
        block = _shift(_fetch64(rows, offset) * _MURMUR) * _MURMUR
        result = (result ^ block) * _MURMUR
    if size % 8:
        result = (result ^ _tail(rows)) * _MURMUR
    return _shift(_shift(result) * _MURMUR)


def _sip(rows: _Bytes, key0: np.uint64, key1: np.uint64) -> Words:
    count, size = rows.shape
    keys = (key0, key1, key0, key1)
    state = [np.full(count, key ^ _word(start)) for key, start in zip(keys, _SIP, strict=True)]
    blocks = [_fetch64(rows, offset) for offset in range(0, size - 7, 8)]
    blocks.append(_tail(rows) | _word(size << 56))
    for block in blocks:
        state[3] = state[3] ^ block
        state = _sip_round(_sip_round(state))
        state[0] = state[0] ^ block
    state[2] = state[2] ^ _word(0xFF)
    for _ in range(4):
        state = _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state: list[Words]) -> list[Words]:
    v0, v1, v2, v3 = state
    v0, v2 = v0 + v1, v2 + v3
    v1, v3 = _rotate_right(v1, 51) ^ v0, _rotate_right(v3, 48) ^ v2
    v0 = _rotate_right(v0, 32)
    v2, v0 = v2 + v1, v0 + v3
    v1, v3 = _rotate_right(v1, 47) ^ v2, _rotate_right(v3, 43) ^ v0
    return [v0, v1, _rotate_right(v2, 32), v3]


def _tail(rows: _Bytes) -> Words:
    """The bytes after the last whole word of eight, as one number."""
    start = rows.shape[1] // 8 * 8
    result = np.zeros(rows.shape[0], np.uint64)
    for i in range(start, rows.shape[1]):
        result |= rows[:, i].astype(np.uint64) << np.uint64(8 * (i - start))
    return result
