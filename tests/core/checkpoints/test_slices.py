"""Parts of tensors in checkpoints."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.checkpoints.slices import TensorSlice, assemble, parse_slice
from workbench.core.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("5 -", TensorSlice((5,), (0,), (5,))),
        ("4 6 1,2:-", TensorSlice((4, 6), (1, 0), (2, 6))),
        ("4 6 1,2:0,6", TensorSlice((4, 6), (1, 0), (2, 6))),
        ("0 3 -:2,1", TensorSlice((0, 3), (0, 2), (0, 1))),
    ],
)
def test_parsing(text: str, part: TensorSlice) -> None:
    assert parse_slice(text) == part


@pytest.mark.parametrize("text", ["", "5", "4 6 -", "5 -:-", "5 3,3", "5 a,b", "5 -1,2", "x -"])
def test_what_names_no_part(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="names no part of a tensor"):
        parse_slice(text)


def test_assembling() -> None:
    whole = np.arange(24).reshape(4, 6)
    parts = [parse_slice(text) for text in ("4 6 0,3:0,2", "4 6 0,3:2,4", "4 6 3,1:-")]
    pieces = [(part, whole[part.region].copy()) for part in parts]
    assert assemble("w", pieces[::-1]).tolist() == whole.tolist()
    with pytest.raises(InvalidArgumentError, match=r"do not make up its shape \[4, 6\]"):
        assemble("w", pieces[:2])
    with pytest.raises(InvalidArgumentError, match="30 elements, 24 of them different"):
        assemble("w", [*pieces, pieces[2]])
    with pytest.raises(InvalidArgumentError, match="do not belong together"):
        assemble("w", [pieces[0], (parts[1], pieces[1][1].astype(np.float32))])
