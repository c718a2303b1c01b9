"""The devices of sessions of this process."""

from __future__ import annotations

import pytest

import workbench as tf


@pytest.mark.parametrize(("wanted", "count"), [(None, 1), (0, 1), (3, 3)])
def test_a_session_has_as_many_processor_devices_as_its_options_say(wanted, count):
    config = None if wanted is None else tf.ConfigProto(device_count={"CPU": wanted})
    with tf.Session(config=config) as session:
        names = [device.name for device in session.list_devices()]
    assert names == [f"/job:localhost/replica:0/task:0/device:CPU:{i}" for i in range(count)]


def test_operations_run_on_a_second_device():
    with tf.device("/cpu:1"):
        total = tf.constant(1.0) + 2.0
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.Session(config=config) as session:
        assert session.run(total) == 3.0
        assert session.placement(total)[total].endswith("CPU:1")


def test_options_stay_as_they_are():
    config = tf.ConfigProto()
    with tf.Session(config=config) as session:
        session.list_devices()
    assert config.ByteSize() == 0
