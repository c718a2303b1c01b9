"""Session managers: sessions that are ready, or an error that says what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as tf
from workbench.core import errors
from workbench.train.sessions import session_manager

pytestmark = pytest.mark.usefixtures("graph")


def variable(name: str = "v", value: float = 1.0, **arguments: Any) -> Any:
    return tf.Variable(value, name=name, **arguments)


def local(name: str = "w") -> Any:
    return tf.Variable(7.0, name=name, collections=[tf.GraphKeys.LOCAL_VARIABLES])


def manager(**arguments: Any) -> Any:
    arguments.setdefault("ready_op", tf.report_uninitialized_variables())
    return tf.train.SessionManager(**arguments)


def test_initialised_where_there_is_no_checkpoint(tmp_path: Path) -> None:
    v, x = variable(), tf.placeholder(tf.float32, [])
    session = manager().prepare_session(
        "",
        init_op=tf.assign(v, x),
        init_feed_dict={x: 5.0},
        saver=tf.train.Saver(),
        checkpoint_dir=str(tmp_path),
    )
    with session:
        assert session.run(v) == 5.0


def test_restored_where_there_is_one(tmp_path: Path) -> None:
    v, saver = variable(), tf.train.Saver()
    with tf.Session() as session:
        session.run(v.assign(3.0))
        path = saver.save(session, str(tmp_path / "model"), global_step=4)
    made = manager()
    init = tf.global_variables_initializer()
    for place in ({"checkpoint_dir": str(tmp_path)}, {"checkpoint_filename_with_path": path}):
        with made.prepare_session("", init_op=init, saver=saver, **place) as session:
            assert session.run(v) == 3.0
        recovered, is_ready = made.recover_session("", saver=saver, **place)
        with recovered:
            assert is_ready and recovered.run(v) == 3.0
    assert saver.last_checkpoints == [path]
    with pytest.raises(ValueError, match="both checkpoint_dir and checkpoint_filename_with_path"):
        made.prepare_session("", saver=saver, checkpoint_dir="a", checkpoint_filename_with_path="b")


def test_what_is_not_initialised_is_named() -> None:
    v, w = variable("v"), variable("w")
    made = manager()
    with pytest.raises(
        RuntimeError, match=r"did not make model ready.*Variables not initialized: w"
    ):
        made.prepare_session("", init_op=tf.variables_initializer([v]))
    with pytest.raises(RuntimeError, match="no init_op or init_fn or local_init_op was given"):
        made.prepare_session("")
    with made.prepare_session(
        "", init_op=v.initializer, init_fn=lambda session: w.load(2.0, session)
    ) as session:
        assert session.run([v, w]) == [1.0, 2.0]


def test_the_old_way_to_report() -> None:
    v = variable()
    made = manager(ready_op=tf.assert_variables_initialized([v]))
    with pytest.raises(RuntimeError, match="uninitialized value v"):
        made.prepare_session("", init_op=tf.no_op())
    with made.prepare_session("", init_op=v.initializer) as session:
        assert session.run(v) == 1.0


def test_what_each_process_has_of_its_own() -> None:
    v, w = variable(), local()
    ready_for_local = tf.report_uninitialized_variables([v])
    made = manager(local_init_op=w.initializer, ready_for_local_init_op=ready_for_local)
    with made.prepare_session("", init_op=v.initializer) as session:
        assert session.run(w) == 7.0
    with pytest.raises(RuntimeError, match="ready for local_init.*Variables not initialized: v"):
        made.prepare_session("", init_op=tf.no_op())
    with pytest.raises(ValueError, match="must also pass a local_init_op"):
        manager(ready_for_local_init_op=ready_for_local)


def test_a_session_that_is_not_ready_is_told_apart() -> None:
    variable()
    session, is_ready = manager().recover_session("", saver=tf.train.Saver())
    with session:
        assert not is_ready


def test_a_session_that_cannot_be_recovered_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Recorded(tf.Session):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(session_manager, "Session", Recorded)
    fails = tf.Assert(tf.constant(False), ["no data"])
    with pytest.raises(errors.InvalidArgumentError, match="no data"):
        manager(local_init_op=fails).recover_session("")
    with pytest.raises(RuntimeError, match="closed"):
        made[0].run(tf.constant(1))


def test_waiting_for_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    v, saver = variable(), tf.train.Saver()
    with tf.Session() as writer:
        writer.run(v.assign(8.0))
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                saver.save(writer, str(tmp_path / "model"))

        monkeypatch.setattr(session_manager.time, "sleep", pause)
        made = manager(recovery_wait_secs=30)
        with made.prepare_session(
            "", saver=saver, checkpoint_dir=str(tmp_path), wait_for_checkpoint=True
        ) as session:
            assert session.run(v) == 8.0
        assert pauses == [30, 30]


def test_a_wait_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    v = variable()
    pauses: list[float] = []
    monkeypatch.setattr(session_manager.time, "sleep", pauses.append)
    made = manager(recovery_wait_secs=30)
    with made.prepare_session(
        "",
        init_op=v.initializer,
        saver=tf.train.Saver(),
        checkpoint_dir=str(tmp_path),
        wait_for_checkpoint=True,
        max_wait_secs=50,
    ) as session:
        assert session.run(v) == 1.0
    assert pauses == [30, 20]
    with pytest.raises(errors.DeadlineExceededError, match="Variables not initialized: v"):
        made.wait_for_session("", max_wait_secs=3)


def test_waiting_for_the_chief(monkeypatch: pytest.MonkeyPatch) -> None:
    v = variable()
    made = manager(recovery_wait_secs=30)
    opened: list[Any] = []

    class Shared(tf.Session):
        """Has values from the third on, as when a chief has initialised them."""

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            opened.append(self)
            if len(opened) == 3:
                self.run(v.initializer)

    monkeypatch.setattr(session_manager, "Session", Shared)
    monkeypatch.setattr(session_manager.time, "sleep", lambda seconds: None)
    with made.wait_for_session("") as session:
        assert session is opened[2] and session.run(v) == 1.0
    assert all(each._closed for each in opened[:2])
