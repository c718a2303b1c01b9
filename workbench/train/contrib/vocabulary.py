"""Words as numbers, for texts of one length: `tf.contrib.learn.preprocessing`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from workbench.core.files import atomic_write

Tokenizer = Callable[[Iterable[str]], Iterator[Iterable[str]]]
Restored = TypeVar("Restored", bound="VocabularyProcessor")

#: Abbreviations, capitalised words that are written together, and words with ' and - in them.
_TOKEN = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+")


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each text.

    >>> list(tokenizer(["It's a well-known US-made WorkBench!"]))
    [["It's", 'a', 'well-known', 'US', '-made', 'Work', 'Bench']]
    """
    for text in iterator:
        yield _TOKEN.findall(text)


class CategoricalVocabulary:
    """Numbers for words, or other hashable things, from 1 on; 0 stands for what is not known.

    >>> vocabulary = CategoricalVocabulary()
    >>> [vocabulary.get(word) for word in ("to", "be", "to")]
    [1, 2, 1]
    >>> vocabulary.freeze()
    >>> vocabulary.get("or"), vocabulary.reverse(2), len(vocabulary)
    (0, 'be', 3)
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        self._unknown_token = unknown_token
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._support_reverse = support_reverse
        self._reverse_mapping: list[Any] = [unknown_token]
        self._freq: dict[Any, int] = {}
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """From now on take up nothing new (or do so again)."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """The number of `category`, which gets the next one where it is new."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Any, count: int = 1) -> None:
        """Count `category` as met `count` times more."""
        if self.get(category) > 0:
            self._freq[category] = self._freq.get(category, 0) + count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keep what was met more than `min_frequency` times and less than `max_frequency` times.

        What is kept is numbered anew, the most frequent first. Without a positive `max_frequency`
        there is no upper limit.
        """
        kept = [
            (category, count)
            for category, count in self._freq.items()
            if count > min_frequency and (max_frequency <= 0 or count < max_frequency)
        ]
        kept.sort(key=lambda item: (-item[1], isinstance(item[0], str), item[0]))
        self._freq = dict(kept)
        self._reverse_mapping = [self._unknown_token, *self._freq]
        self._mapping = {category: i for i, category in enumerate(self._reverse_mapping)}

    def reverse(self, class_id: int) -> Any:
        """What has the number `class_id`.

        Raises:
          ValueError: the vocabulary was made with `support_reverse=False`.
        """
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse.")
        return self._reverse_mapping[class_id]


class VocabularyProcessor:
    """Turns texts into rows of `max_document_length` numbers of words.

    Longer texts are cut, shorter ones filled up with 0, which is also the number of words that are
    not known.

    >>> processor = VocabularyProcessor(4)
    >>> rows = list(processor.fit_transform(["to be or not to be", "be quiet"]))
    >>> [row.tolist() for row in rows]
    [[1, 2, 3, 4], [2, 5, 0, 0]]
    >>> len(processor.vocabulary_)
    6
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: CategoricalVocabulary | None = None,
        tokenizer_fn: Tokenizer | None = None,
    ) -> None:
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = CategoricalVocabulary() if vocabulary is None else vocabulary
        self._tokenizer: Tokenizer = tokenizer_fn or tokenizer

    def fit(
        self: Restored, raw_documents: Iterable[str], unused_y: object | None = None
    ) -> Restored:
        """Learn the words of `raw_documents`: those met more than `min_frequency` times."""
        for tokens in self._tokenizer(raw_documents):
            for token in tokens:
                self.vocabulary_.add(token)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(
        self, raw_documents: Iterable[str], unused_y: object | None = None
    ) -> Iterator[Any]:
        """`fit`, then `transform`; `raw_documents` is gone through twice."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[Any]:
        """An int64 array [max_document_length] for each text."""
        for tokens in self._tokenizer(raw_documents):
            numbers = np.zeros(self.max_document_length, np.int64)
            for place, token in zip(range(self.max_document_length), tokens, strict=False):
                numbers[place] = self.vocabulary_.get(token)
            yield numbers

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """Text again for each row of numbers."""
        for numbers in documents:
            yield " ".join(self.vocabulary_.reverse(number) for number in numbers)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a file of JSON.

        A tokenizer of one's own is not written: give it to `restore`.
        """
        words = self.vocabulary_
        document = {
            "max_document_length": int(self.max_document_length),
            "min_frequency": int(self.min_frequency),
            "own_tokenizer": self._tokenizer is not tokenizer,
            "support_reverse": words._support_reverse,
            "frozen": words._freeze,
            "words": [*words._mapping],
            "counts": [words._freq.get(word, 0) for word in words._mapping],
        }
        atomic_write(filename, json.dumps(document).encode())

    @classmethod
    def restore(
        cls: type[Restored],
        filename: str | os.PathLike[str],
        tokenizer_fn: Tokenizer | None = None,
    ) -> Restored:
        """What `save` wrote.

        Raises:
          ValueError: the file is something else (TensorFlow's own files of this kind are pickles,
            which are not read), or a `tokenizer_fn` is needed and not given.
        """
        try:
            document = json.loads(Path(filename).read_text("utf-8"))
            words, counts = document["words"], document["counts"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{filename} was not written by VocabularyProcessor.save") from error
        if document["own_tokenizer"] and tokenizer_fn is None:
            raise ValueError(f"{filename} was saved with a tokenizer: give it as tokenizer_fn")
        vocabulary = CategoricalVocabulary(words[0], document["support_reverse"])
        for word, count in zip(words[1:], counts[1:], strict=True):
            vocabulary.get(word)
            if count:
                vocabulary._freq[word] = count
        vocabulary.freeze(document["frozen"])
        # Derived classes may have other arguments.
        restored = cls.__new__(cls)
        VocabularyProcessor.__init__(
            restored,
            document["max_document_length"],
            document["min_frequency"],
            vocabulary,
            tokenizer_fn,
        )
        return restored
