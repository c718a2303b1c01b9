"""What readers find in files: against plain slices and splits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataLossError, NotFoundError
from workbench.core.ops.readers import formats


@given(
    st.lists(st.text("ab\r", max_size=4).map(str.encode), max_size=8),
    st.booleans(),
    st.integers(1, 5),
)
def test_lines_do_not_depend_on_blocks(lines: list[bytes], ended: bool, size: int) -> None:
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    blocks = (text[i : i + size] for i in range(0, len(text), size))
    pieces = text.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    # One carriage return belongs to the end of the line.
    expected = [p[:-1] if p.endswith(b"\r") else p for p in pieces]
    assert list(formats.lines_of(blocks)) == expected


def pieces(content: bytes, header: int, record: int, footer: int, hop: int) -> list[bytes]:
    found = []
    at = header
    while at + record + footer <= len(content):
        found.append(content[at : at + record])
        at += hop
    return found


@pytest.mark.parametrize("compression", ["", "ZLIB"])
@given(
    st.binary(max_size=60),
    st.integers(0, 20),
    st.integers(1, 7),
    st.integers(0, 9),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_pieces_of_a_length(
    compression: str,
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    header: int,
    record: int,
    footer: int,
    hop: int,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "data"
    path.write_bytes(zlib.compress(content) if compression else content)
    original = formats.blocks_of

    def small_blocks(name: str, kind: str) -> Iterator[bytes]:
        return original(name, kind, block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "blocks_of", small_blocks)
        opened = formats.fixed_lengths(header, record, footer, hop, compression)
        found = list(opened(bytes(path)))
    expected = pieces(content, header, record, footer, hop)
    assert found == [(b"%b:%d" % (bytes(path), i), piece) for i, piece in enumerate(expected)]


def test_header_lines_are_counted_but_not_given(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"title\nunder it\nfirst\n")
    key, value = next(formats.text_lines(2)(bytes(path)))
    assert (key, value) == (bytes(path) + b":3", b"first")


def test_a_file_that_is_not_there() -> None:
    for opened in (formats.text_lines(0), formats.whole_files, formats.framed_records("")):
        with pytest.raises(NotFoundError, match="/no/such/file"):
            next(opened(b"/no/such/file"))


def test_lines_before_damage_are_given(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(zlib.compress(b"one\ntwo\nthree\n")[:-6])
    found = []
    with pytest.raises(DataLossError, match=r"a\.gz cannot be decompressed as ZLIB"):
        for line in formats.lines_of(formats.blocks_of(str(path), "ZLIB")):
            found.append(line)
    assert found[:2] == [b"one", b"two"]
