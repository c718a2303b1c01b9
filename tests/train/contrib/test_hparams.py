"""Hyperparameters by name."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from workbench.train.contrib.hparams import parse_values

HParams = tf.contrib.training.HParams


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=12", {"a": 12}),
        ("a=-2, b=1e-3", {"a": -2, "b": 0.001}),
        ("b=2", {"b": 2.0}),
        ("c=relu6,d=true", {"c": "relu6", "d": True}),
        ("c=", {"c": ""}),
        ("d=0", {"d": False}),
        ("e=[8]", {"e": [8]}),
        ("e=[8, 9,10],a=1", {"e": [8, 9, 10], "a": 1}),
        ("e[1]=20", {"e": [1, 20]}),
        (" a = 3 ", {"a": 3}),
    ],
)
def test_texts(text: str, expected: dict[str, Any]) -> None:
    start = {"a": 1, "b": 2.0, "c": "relu4", "d": False, "e": [1, 2]}
    parameters = HParams(**start)
    assert parameters.parse(text) is parameters
    assert parameters.values() == {**start, **expected}
    assert {name: type(value) for name, value in parameters.values().items()} == {
        name: type(value) for name, value in start.items()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x=1", "Unknown hyperparameter type for x"),
        ("a", "Malformed"),
        ("a=1,,b=2", "Malformed"),
        ("a=x", "Could not parse hparam 'a' of type 'int' from 'x'"),
        ("a=1.5", "Could not parse hparam 'a'"),
        ("d=maybe", "Could not parse hparam 'd'"),
        ("a=[1,2]", "Must not pass a list"),
        ("e=1", "Must pass a list"),
        ("e[7]=1", "Index 7 is out of range"),
        ("a=1,a=2", "Multiple assignments to variable 'a'"),
        ("e[0]=[1]", "Assignment of a list to a list index"),
    ],
)
def test_texts_that_are_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HParams(a=1, b=2.0, c="x", d=False, e=[1, 2]).parse(text)


def test_adding_setting_and_removing() -> None:
    parameters = HParams(rate=0.1)
    parameters.add_hparam("units", (8, 16))
    assert "units" in parameters and parameters.get("units") == (8, 16)
    parameters.set_hparam("rate", 1)
    assert parameters.rate == 1.0 and isinstance(parameters.rate, float)
    with pytest.raises(ValueError, match="Could not cast hparam 'rate'"):
        parameters.set_hparam("rate", "fast")
    with pytest.raises(KeyError):
        parameters.set_hparam("other", 1)
    for name, value, message in (
        ("rate", 1, "reserved"),
        ("values", 1, "reserved"),
        ("none", [], "cannot be empty"),
    ):
        with pytest.raises(ValueError, match=message):
            parameters.add_hparam(name, value)
    parameters.del_hparam("units")
    assert "units" not in parameters and parameters.get("units", 3) == 3
    assert parameters.to_json() == '{"rate": 1.0}'
    assert parameters.parse_json('{"rate": 2.5}').rate == 2.5
    assert str(parameters) == "[('rate', 2.5)]"


def test_numbers_and_bools_are_kept_apart() -> None:
    assert HParams(n=1).override_from_dict({"n": 3.0}).n == 3
    for start, value in ((1, 2.5), (1, True), (True, 1), ("x", 1)):
        with pytest.raises(ValueError, match="Could not cast"):
            HParams(n=start).set_hparam("n", value)


def test_elements_of_lists() -> None:
    assert parse_values("a[2]=5,a[0]=1", {"a": int}) == {"a": {2: 5, 0: 1}}
    with pytest.raises(ValueError, match=r"Multiple assignments to variable 'a\[0\]'"):
        parse_values("a[0]=1,a[0]=2", {"a": int})
