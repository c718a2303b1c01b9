"""Where a plan says that the value of a tensor is found."""

from __future__ import annotations

import workbench as tf


def test_each_step_is_found_by_its_tensors() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [3])
        same = tf.identity(x)
        first, second = tf.exp(x), tf.exp(same)
        folded = tf.constant([1.0, 2.0, 3.0]) * 2.0
        superfluous = tf.negative(tf.negative(first))
        variable = tf.Variable([1.0, 2.0, 3.0])
        total = superfluous + second * folded + variable
        session.run(variable.initializer)
        plan = session.plan(total, {x: [0.0, 0.0, 0.0]})
        values = plan.values
        # What forwards, merges or undoes itself has the value of what is left.
        assert values[same] == values[x]
        assert values[second] == values[first] == values[superfluous]
        assert values[folded].node.constant.tolist() == [2.0, 4.0, 6.0]
        assert values[total] in plan.fetches
        assert superfluous.op.inputs[0] not in values
        assert variable.op.outputs[0] not in values
        assert values[variable.value()].node.origin is variable.op
        steps = {step.node for step in plan.memory.steps}
        assert all(value.node in steps for value in values.values())
