"""Where things stand in the memory that the driver and Python share, in words of 64 bits.

Words that several threads write have a cache line of eight words to themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Words of a record of a table: two cache lines, of which threads only read the first.
RECORD_WORDS = 24

RECORD = {
    # The address of the function, and of its arguments.
    "FUNCTION": 0,
    "ARGUMENTS": 1,
    "UNITS": 2,
    "CHUNK": 3,
    # How many chunks there are.
    "CHUNKS": 4,
    # All records before this one must be complete before it starts.
    "WAITS": 5,
    # Not 0: it starts when all before it are complete and no check has failed.
    "EFFECT": 6,
    # The next chunk to take, and how many are done; with the number of the run in the upper half.
    "NEXT": 8,
    "DONE": 16,
}

#: Words of the head of a table.
TABLE_WORDS = 56

TABLE = {
    "RECORDS": 0,
    # The words that checks set, and how many there are.
    "FLAGS": 1,
    "FLAG_COUNT": 2,
    # The memory of the first thread, and from one thread's to the next one's, in bytes.
    "SCRATCH": 3,
    "SCRATCH_STRIDE": 4,
    # Where the time goes at which each record was complete; 0 if nowhere.
    "STAMPS": 5,
    # When the run began, if there are stamps.
    "BEGAN": 6,
    # How many records there are.
    "ALL": 7,
    # The present run: its number, its records, and how many threads take part at most.
    "RUN": 8,
    "FIRST": 9,
    "LAST": 10,
    "THREADS": 11,
    # The processor that the thread was on which began it.
    "PROCESSOR": 12,
    # Not 0, but the number of records: runs of all of them are timed, to learn whether they are
    # faster alone. How many are to be alone now, and how many after the next that lost; how long
    # they take alone; how many were not.
    "LEARNS": 13,
    "ALONE_DUE": 48,
    "ALONE_NEXT": 49,
    "ALONE_TIME": 50,
    "TOGETHER": 51,
    # How many threads sleep in a run, and the word they sleep on.
    "WAITERS": 16,
    "EVENT": 24,
    # Not 0 while somebody runs the table.
    "BUSY": 32,
    # How many threads take part so far; with the number of the run in the upper half.
    "PLACES": 40,
}

POOL = {
    # The number of runs so far (32 bits): helpers wait for it to change.
    "GENERATION": 0,
    # Not 0: helpers go home.
    "STOP": 1,
    # How many helpers sleep.
    "SLEEPERS": 8,
    # Not 0 while a table is being run by the pool.
    "OWNER": 16,
    # The table that is being run.
    "JOB": 24,
    # How often a helper looks for a new run before it sleeps, and a thread for an awaited record.
    "IDLE_SPINS": 32,
    "WAIT_SPINS": 33,
    # The processors that helpers may use: bits.
    "PROCESSORS": 40,
    # A cache line for each thread: the table that it looks at.
    "SLOTS": 56,
}

#: Words of the bits of processors.
PROCESSOR_WORDS = 16


def filled(text: str, values: Mapping[str, int]) -> str:
    """A text with numbers for its `$NAMES`.

    >>> filled("$CHUNKS of $CHUNK", {"CHUNK": 3, "CHUNKS": 4})
    '4 of 3'
    """
    return re.sub(r"\$([A-Z_]+)", lambda match: str(values[match[1]]), text)
