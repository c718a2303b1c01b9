"""What a view asks about pools, and has done with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.core.errors import OpError
from workbench.notebook.connection import Answer, Call
from workbench.notebook.pool_feeds import LogFeed, PoolsFeed
from workbench.notebook.protocol import BAD_PARAMETERS, FAILED_INSIDE, Refusal
from workbench.pool.errors import PoolError
from workbench.pool.pool import Pool, stop

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers

#: How long a worker may take to tell which runs go on there, in seconds.
_ASK_SECONDS = 3.0


def pools_subscribe(call: Call) -> Answer:
    """`pools.subscribe`: all pools and what their workers do, about twice a second."""
    call.connection.follow(("pools",), PoolsFeed(call.connection, call.hub.overview))
    return Answer({})


def pools_unsubscribe(call: Call) -> Answer:
    """`pools.unsubscribe`."""
    call.connection.unfollow(("pools",))
    return Answer({})


def log_subscribe(call: Call) -> Answer:
    """`log.subscribe`: the last lines of a worker, or of a pool, and those that come."""
    pool, worker = call.params["pool"], call.params["worker"]
    feed = LogFeed(call.connection, call.hub.overview, pool, worker)
    call.connection.follow(_log_key(call), feed)
    return Answer({})


def log_unsubscribe(call: Call) -> Answer:
    """`log.unsubscribe`."""
    call.connection.unfollow(_log_key(call))
    return Answer({})


def _log_key(call: Call) -> tuple[str, ...]:
    return ("log", call.params["pool"], str(call.params["worker"]))


# -- what takes a while ------------------------------------------------------------------------


def pool_start(call: Call) -> None:
    """`pool.start`: answered when the workers serve."""

    def do() -> dict[str, Any]:
        from workbench.pool.launch import local

        params = call.params
        pool = local(params["workers"], name=params["name"], devices=params["devices"])
        devices = f", devices={params['devices']}" if params["devices"] != 1 else ""
        line = f"pool = wb.pool.local({params['workers']}, name={pool.name!r}{devices})"
        return {"pool": pool.name, "python": line}

    _in_thread(call, do)


def pool_restart(call: Call) -> None:
    """`pool.restart`: a dead pool starts again, with its runs; answered when its workers serve."""

    def do() -> dict[str, Any]:
        from workbench.pool.launch import restart

        name = restart(call.params["pool"]).name
        return {"python": f"pool = wb.pool.restart({name!r})"}

    _in_thread(call, do)


def pool_scale(call: Call) -> None:
    """`pool.scale`: answered when there are so many workers."""

    def do() -> dict[str, Any]:
        workers = call.params["workers"]
        pool = _find(call.params["pool"])
        pool.scale(workers)
        return {"python": f"pool.scale({workers})"}

    _in_thread(call, do)


def pool_stop(call: Call) -> None:
    """`pool.stop`: refused while runs go on there other than those the user was asked about."""

    def do() -> dict[str, Any]:
        pool = _find(call.params["pool"])
        going_on = {run["run"]: run for run in _live_runs(pool)}
        others = [run for key, run in going_on.items() if key not in call.params["despite"]]
        if others:
            listed = ", ".join(f"{run['name']!r} at step {run['step']}" for run in others)
            raise PoolError(f"Runs go on in the pool {pool.name!r}: {listed}")
        record = pool.record
        pool.close()
        if not pool.pid:
            return {"python": "pool.detach()"}
        stop(record)
        return {"python": "pool.close()"}

    _in_thread(call, do)


def _find(name: str) -> Pool:
    from workbench.pool.listing import known_pools

    for pool in known_pools():
        if pool.name == name:
            return pool
    raise PoolError(f"There is no pool {name!r}")


def _live_runs(pool: Pool) -> list[dict[str, Any]]:
    """The runs that go on in a pool; workers that do not answer have none that anybody knows of."""
    found: list[dict[str, Any]] = []
    try:
        workers = pool.workers
    except PoolError:
        return []
    asked = [worker.request("statistics", "look") for worker in workers]
    for answer in asked:
        try:
            found += answer.result(_ASK_SECONDS).fields.get("runs", ())
        except (OpError, TimeoutError):
            continue
    return found


def _in_thread(call: Call, do: Callable[[], dict[str, Any]]) -> None:
    """Answers with what `do` gives, later: views are heard and told of others meanwhile.

    What is done has deadlines of its own, so the thread ends.
    """

    def work() -> None:
        try:
            result = do()
        except (PoolError, ValueError, Refusal) as error:
            call.refuse(BAD_PARAMETERS, str(error))
        except Exception as error:
            call.refuse(FAILED_INSIDE, f"{type(error).__name__}: {error}")
        else:
            call.answer(Answer(result))

    threading.Thread(target=work, name=f"workbench-{call.method}", daemon=True).start()


ANSWERS: Answers = {
    "pools.subscribe": pools_subscribe,
    "pools.unsubscribe": pools_unsubscribe,
    "log.subscribe": log_subscribe,
    "log.unsubscribe": log_unsubscribe,
    "pool.start": pool_start,
    "pool.restart": pool_restart,
    "pool.scale": pool_scale,
    "pool.stop": pool_stop,
}
