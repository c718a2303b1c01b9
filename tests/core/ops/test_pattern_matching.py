"""Strings that match patterns."""

from __future__ import annotations

import pytest

import workbench as tf
from workbench.core.ops.creation import call


def test_all_of_a_string_must_match() -> None:
    texts = tf.placeholder(tf.string, [None, 2])
    pattern = tf.placeholder(tf.string, [])
    given = call("RegexFullMatch", None, input=texts, pattern=pattern)
    fixed = call("StaticRegexFullMatch", None, input=texts, pattern="s3://.*")
    feed = {texts: [[b"s3://a", b"x s3://a"], [b"", b"a"]], pattern: b"a|.*b|"}
    with tf.Session() as session:
        by_input, by_attribute = session.run([given, fixed], feed)
    assert by_input.tolist() == [[False, False], [True, True]]
    assert by_attribute.tolist() == [[True, False], [False, False]]
    assert given.shape.as_list() == fixed.shape.as_list() == [None, 2]


def test_one_string() -> None:
    matches = call("StaticRegexFullMatch", None, input="/tmp/a", pattern="s3://.*")
    assert matches.eval().dtype == bool and not matches.eval()


def test_a_pattern_that_is_none() -> None:
    matches = call("StaticRegexFullMatch", None, input=["a"], pattern="(")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Invalid pattern: \("):
        matches.eval()
