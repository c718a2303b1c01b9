"""The run of a follower that is to lead: what it knew of it, in a folder of its own."""

from __future__ import annotations

from workbench.cluster.wire.message import Message
from workbench.live.events import Event
from workbench.live.folder import RunFolder
from workbench.live.run import Run
from workbench.pool.runs.beginning import write_lines
from workbench.pool.runs.replicas.follower import Follower
from workbench.pool.runs.replicas.terms import write_graph


def promoted_run(follower: Follower, package: Message, project: str, worker: str) -> Run:
    """The run, which has not begun, in its next epoch and with the follower's engine.

    Args:
      follower: the replica; it takes no step meanwhile.
      package: the run, as it was sent to whoever joins it.
      project: the folder of the worker's runs.
      worker: what users call the worker.
    """
    fields, engine, known = package.fields, follower.engine, follower.known
    folder = None
    if fields["keep"]:
        folder = RunFolder.create(project, fields["name"])
        write_lines(folder.path, fields["lines"])
        write_graph(folder.path, package.blobs[0])
    epoch = known.epoch + 1
    text = f"{worker} goes on with the run in place of the worker that had it"
    known.history.events += [*known.unsaid(engine.step), Event(engine.step, "log", text)]
    run = Run(
        follower.spec,
        engine.session,
        name=fields["name"],
        folder=folder,
        owns_session=True,
        begin=lambda engine: None,
        history=known.history,
        frames=follower.frames,
        initial=fields["initial"],
        key=fields["run"],
        parent=fields["parent"],
        paused=known.state not in ("running", "created"),
        resumed={
            "created": fields["created"],
            "epoch": epoch,
            "seconds": 0.0,
            "cuts": [[epoch, engine.step]],
            "barriers": [],
            "initializers": fields["initializers"],
        },
        engine=engine,
    )
    # Its folder is new: all that was recorded is still to be written.
    run._resumed = False
    run._loop.begins_with_a_state = True
    run._loop.watching.take_up(known.watches)
    return run
