"""Whether another worker has a run that this one has the record of."""

from __future__ import annotations

from workbench.core.errors import NotFoundError, UnavailableError
from workbench.pool.runs.place import AddressPlace, ask
from workbench.pool.runs.replicas.board_client import BoardClient

#: So long a worker that leads may take to say so, in seconds: others wait meanwhile.
_SAYS_SECONDS = 3.0


def is_elsewhere(board: BoardClient, epoch: int) -> bool:
    """Whether another worker goes on with what there is here, and keeps it: as it says itself.

    False where nobody leads the run, or led it to its end. The board may name one that is gone, as
    long as nobody has told it; an earlier process of this worker, which is; or one that is about to
    lead.

    Args:
      board: that of the run, as this worker has it.
      epoch: that of the record. Who goes on with it is in a later one.

    Raises:
      UnavailableError: another one is to have it, and does not say so.
    """
    try:
        leader = board.ask("who")["leader"]
    except NotFoundError:
        # All have left it, or it has ended.
        leader = board.ask("ended")
    if leader in (None, board.worker):
        return False
    place = AddressPlace(leader)
    asked = {"run": board.run, "epoch": epoch}
    try:
        if ask(place, "keeps", asked, seconds=_SAYS_SECONDS).fields["keeps"] is True:
            return True
        why = "it has not got what there is here"
    except Exception as error:
        why = str(error)
    raise UnavailableError(
        None, None, f"{place.name} is to have the run {board.run!r:.80}, but {why:.300}"
    )
