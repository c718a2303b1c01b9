"""Templates: variables made at the first call, shared by the later ones."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def weight() -> Any:
    return tf.get_variable("w", [1], initializer=tf.zeros_initializer())


def test_calls_share_variables() -> None:
    first, second = tf.make_template("s", weight), tf.make_template("s", weight)
    v = first()
    assert first() is v
    assert second() is not v
    assert (v.name, second().name) == ("s/w:0", "s_1/w:0")
    assert first.name == "s"
    assert first.func is weight
    assert first.trainable_variables == [v] == first.global_variables == first.variables
    assert first.local_variables == first.non_trainable_variables == []


def test_scope_is_that_of_the_first_call() -> None:
    later = tf.make_template("late", weight)
    with tf.variable_scope("made"):
        at_once = tf.make_template("now", weight, create_scope_now_=True)
    assert later.variable_scope is None
    assert later.variable_scope_name is None
    assert later.variables == []
    assert at_once.variable_scope_name == "made/now"
    with tf.variable_scope("called"):
        names = [later().name, at_once().name]
    assert names == ["called/late/w:0", "made/now/w:0"]
    assert [later().name, at_once().name] == names


def test_operations_of_each_call_are_in_a_scope_of_their_own() -> None:
    def scaled(x: Any, factor: float) -> Any:
        return tf.multiply(weight() + x, factor, name="scaled")

    template = tf.make_template("t", scaled, factor=2.0)
    assert [template(1.0).op.name for _ in range(3)] == ["t/scaled", "t_1/scaled", "t_2/scaled"]


def test_unique_name() -> None:
    first = tf.make_template("_", weight, unique_name_="s")
    assert first().name == "s/w:0"
    with pytest.raises(ValueError, match="s/w already exists"):
        tf.make_template("_", weight, unique_name_="s")()


def test_custom_getter_is_called_each_time() -> None:
    calls: list[str] = []

    def getter(getter: Any, name: str, **arguments: Any) -> Any:
        calls.append(name)
        return getter(name, **arguments)

    for number, now in enumerate((False, True)):
        name = f"s{number}"
        template = tf.make_template(name, weight, custom_getter_=getter, create_scope_now_=now)
        template()
        template()
        assert calls[-2:] == [f"{name}/w"] * 2


def test_new_trainable_variables_are_refused() -> None:
    def careless(trainable: bool) -> Any:
        tf.Variable(0.0, trainable=trainable, name="extra")
        return weight()

    bad = tf.make_template("bad", careless, trainable=True)
    bad()
    with pytest.raises(ValueError, match=r"after the first time.*bad_1/extra:0"):
        bad()
    fine = tf.make_template("fine", careless, trainable=False)
    assert fine() is fine()
    assert [v.name for v in fine.non_trainable_variables] == ["fine/extra:0"]


def test_a_failed_call_does_not_count_and_names_the_template() -> None:
    for now in (False, True):
        template = tf.make_template("t", lambda x: weight() * x, create_scope_now_=now)
        with pytest.raises(TypeError) as error:
            template(1.0, wrong=True)
        assert "template 't' made at" in error.value.__notes__[0]
        template(1.0)
        template(1.0)


def test_name_is_needed() -> None:
    with pytest.raises(ValueError, match="name cannot be None"):
        tf.make_template(None, weight)
