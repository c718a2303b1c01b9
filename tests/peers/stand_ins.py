"""Files that public scripts would download, made here instead."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np

DISTINCT_WORDS = 60_000
WORDS = 1_500_000
# Words that scripts look up by name; they must be frequent.
KNOWN = (
    "the of and one in a to zero nine two is as eight for s five three was by that four six "
    "seven with on are it from or his an be this which at he also not have were has but other "
    "their its first they some had all more most can been such many who new used there after "
    "when into american time these only see may than world would no however between about "
    "over years states people up out if going hardware britain "
)
PADDING = "padding"


def english_like_words(count: int) -> list[str]:
    """Words with the frequencies of a natural text, every distinct one at least once."""
    distinct = min(DISTINCT_WORDS, count // 2)
    generator = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxz"))
    words = KNOWN.split()
    known = set(words)
    while len(words) < distinct:
        word = "".join(generator.choice(letters[:20], size=int(generator.integers(3, 9))))
        if word not in known:
            known.add(word)
            words.append(word)
    weights = 1.0 / np.arange(1, distinct + 1)
    weights /= weights.sum()
    drawn = generator.choice(distinct, size=count - distinct, p=weights)
    order = generator.permutation(np.concatenate([np.arange(distinct), drawn]))
    return [words[index] for index in order]


def write_text8(path: Path, size: int | None = None, words: int = WORDS) -> None:
    """A zip archive like text8.zip, whose first member is a text; exactly `size` bytes long."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("text8", " ".join(english_like_words(words)))
    if size is not None:
        # A second, stored member: its two headers take 76 bytes and twice its name.
        missing = size - len(buffer.getvalue()) - 76 - 2 * len(PADDING)
        with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr(PADDING, bytes(missing))
    path.write_bytes(buffer.getvalue())


def prepare(source: str, folder: Path, store: Path) -> None:
    """Put what a script with this source would download into its working folder.

    What was made once is kept in `store`.
    """
    if "text8.zip" not in source:
        return
    expected = re.search(r"['\"]text8\.zip['\"],\s*(\d+)", source)
    size = int(expected.group(1)) if expected else None
    kept = store / f"text8_{size}.zip"
    if not kept.exists():
        store.mkdir(parents=True, exist_ok=True)
        write_text8(kept, size)
    (folder / "text8.zip").symlink_to(kept)
