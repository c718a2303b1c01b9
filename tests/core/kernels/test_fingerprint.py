"""Hashes against published vectors, and against values that TensorFlow gives."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.kernels import fingerprint, text

PATTERN = bytes(i * 7 + 3 & 255 for i in range(256))
MASK = 2**64 - 1
BUCKETS = 2**63 - 1

# The buckets of the first bytes of the pattern, by their count, as TensorFlow 2.15 gives them.
FARM = {
    0: 1936946117179621456,
    1: 4521786392703311244,
    3: 4662423180930907492,
    4: 8342898540396837779,
    7: 5759834791111993764,
    8: 907454142650066470,
    16: 9140634717936656744,
    17: 5283162056940282152,
    32: 2684005117763720425,
    33: 4778210889463820522,
    64: 389040666157116578,
    65: 8638051931306504420,
    128: 7379187116787024497,
    200: 7886090686657605591,
}
MURMUR = {
    0: 105434511174508092,
    1: 7001769250909271135,
    3: 5276484929406308779,
    4: 5799242685562273649,
    7: 1142397842043859391,
    8: 384654127350334882,
    16: 5129953047346710616,
    17: 7037566801403733717,
    32: 1458650421252541103,
    33: 2574933530128875931,
    64: 3945209722589307479,
    65: 8278743160437407290,
    128: 8132594031198021779,
    200: 2651614156366774965,
}


def strings(*values: bytes) -> np.ndarray:
    result = np.empty(len(values), object)
    result[:] = values
    return result


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [(text.string_to_hash_bucket_fast, FARM), (text.string_to_hash_bucket, MURMUR)],
)
def test_buckets_equal_those_of_tensorflow(kernel: Any, expected: dict[int, int]) -> None:
    together = kernel(strings(*(PATTERN[:count] for count in expected)), num_buckets=BUCKETS)
    assert together.dtype == np.int64
    assert together.tolist() == list(expected.values())


def test_siphash_gives_its_authors_vectors() -> None:
    key = struct.unpack("<2Q", bytes(range(16)))
    messages = strings(*(bytes(range(count)) for count in (0, 1, 15)))
    assert [hex(value) for value in fingerprint.sip_hash(messages, key).tolist()] == [
        "0x726fdb47dd0e0e31",
        "0x74f839c593dc67fd",
        "0xa129ca6149be45e5",
    ]


def rotate(x: int, bits: int) -> int:
    return (x << bits | x >> (64 - bits)) & MASK


def plain_siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 with Python's integers, one string at a time."""
    v = [key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D]
    v += [key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573]

    def mix(rounds: int) -> None:
        for _ in range(rounds):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for word in struct.unpack(f"<{len(padded) // 8}Q", padded):
        v[3] ^= word
        mix(2)
        v[0] ^= word
    v[2] ^= 255
    mix(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), st.tuples(*[st.integers(0, MASK)] * 2))
def test_siphash_of_mixed_lengths(data: list[bytes], key: tuple[int, int]) -> None:
    hashes = fingerprint.sip_hash(strings(*data), key)
    assert hashes.tolist() == [plain_siphash(value, key) for value in data]


def test_shapes_and_order_are_kept() -> None:
    grid = strings(*(PATTERN[:count] for count in (9, 0, 70, 9, 3, 70))).reshape(2, 3)
    for function in (fingerprint.farm_fingerprint, fingerprint.murmur_hash):
        result = function(grid)
        assert result.shape == (2, 3) and result.dtype == np.uint64
        assert result.reshape(-1).tolist() == [
            function(strings(value))[0].item() for value in grid.reshape(-1)
        ]
        assert function(grid[0, 0:1].reshape(())).shape == ()
        assert function(strings()).shape == (0,)
