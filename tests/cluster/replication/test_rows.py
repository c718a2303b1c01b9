"""Gradients that are rows of a variable, of which each replica has a number that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf
from tests.cluster.replication.models import in_threads
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster


def test_replicas_that_have_one_row_each_update_the_rows_of_all() -> None:
    with Roster(2) as roster:

        def do(number: int) -> Any:
            with tf.Graph().as_default(), tf.Session() as session:
                place = tf.placeholder(tf.int64, [])
                table = tf.Variable(np.zeros(4))
                loss = -tf.gather(table, place)
                train = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
                session.run(tf.global_variables_initializer())
                with Replica(session, train, roster.address, timeout=20) as replica:
                    replica.step(None, lambda share: {place: share.batch})
                    return session.run(table).tolist()

        assert in_threads(2, do) == [[0.5, 0.5, 0.0, 0.0]] * 2
