"""Words as numbers: what is learned, kept, cut, filled up, written and read."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

import workbench as tf

learn = tf.contrib.learn
TEXTS = ["the cat and the dog", "the dog barks", "a cat and the cat"]


def rows(values: Iterable[np.ndarray]) -> list[list[int]]:
    return [row.tolist() for row in values]


def test_words_are_numbered_as_they_come() -> None:
    processor = learn.preprocessing.VocabularyProcessor(4)
    assert rows(processor.fit_transform(TEXTS)) == [[1, 2, 3, 1], [1, 4, 5, 0], [6, 2, 3, 1]]
    assert next(processor.transform(["the bird barks"])).dtype == np.int64
    assert rows(processor.transform(["the bird barks"])) == [[1, 0, 5, 0]]
    assert list(processor.reverse([[1, 0, 5]])) == ["the <UNK> barks"]
    assert len(processor.vocabulary_) == 7


def test_rare_words_are_left_out_and_the_frequent_come_first() -> None:
    processor = learn.preprocessing.VocabularyProcessor(5, min_frequency=1).fit(TEXTS)
    # the: 4, cat: 3, and and dog: 2 each, in the order of the alphabet; the rest once.
    assert processor.vocabulary_._mapping == {"<UNK>": 0, "the": 1, "cat": 2, "and": 3, "dog": 4}
    assert rows(processor.transform(["a dog and the cat"])) == [[0, 4, 3, 1, 2]]


def test_very_frequent_words_are_left_out() -> None:
    vocabulary = learn.preprocessing.CategoricalVocabulary(unknown_token="?")
    for word, count in (("the", 9), ("cat", 3), ("a", 1)):
        vocabulary.add(word, count)
    vocabulary.trim(1, max_frequency=9)
    assert [vocabulary.reverse(i) for i in range(len(vocabulary))] == ["?", "cat"]


def test_vocabulary_without_the_way_back() -> None:
    vocabulary = learn.preprocessing.CategoricalVocabulary(support_reverse=False)
    vocabulary.add("cat")
    with pytest.raises(ValueError, match="support_reverse"):
        vocabulary.reverse(1)


def test_saved_and_restored(tmp_path: Path) -> None:
    class Shouting(learn.preprocessing.VocabularyProcessor):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__(3, min_frequency=1)

    processor = Shouting().fit(TEXTS)
    processor.save(tmp_path / "vocab")
    again = Shouting.restore(str(tmp_path / "vocab"))
    assert type(again) is Shouting
    assert rows(again.transform(["cat barks the dog"])) == [[2, 0, 1]]
    assert again.fit(["cat cat"]).vocabulary_.get("cat") == 1, (
        "counts were kept: cat is met 5 times"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["vocab"]


def letters(texts: Iterable[str]) -> Iterator[list[str]]:
    return (list(text) for text in texts)


def test_tokenizer_of_ones_own_is_asked_for(tmp_path: Path) -> None:
    processor = learn.preprocessing.VocabularyProcessor(3, tokenizer_fn=letters).fit(["abc"])
    processor.save(tmp_path / "vocab")
    with pytest.raises(ValueError, match="tokenizer_fn"):
        learn.preprocessing.VocabularyProcessor.restore(tmp_path / "vocab")
    again = learn.preprocessing.VocabularyProcessor.restore(tmp_path / "vocab", letters)
    assert rows(again.transform(["cba"])) == [[3, 2, 1]]


def test_pickles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab").write_bytes(pickle.dumps({"words": []}))
    with pytest.raises(ValueError, match="not written by VocabularyProcessor"):
        learn.preprocessing.VocabularyProcessor.restore(tmp_path / "vocab")
