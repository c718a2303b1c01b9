"""What a process has sent and received in all, by ends of the wire that are there or gone."""

from __future__ import annotations

import gc
import weakref

import pytest

from workbench.cluster.wire import traffic
from workbench.cluster.wire.traffic import Counts, Traffic, process_counts


def test_counts_of_a_process_are_those_of_all_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # What other tests of this process have open counts on, and what they have left is gone.
    gc.collect()
    monkeypatch.setattr(traffic, "_known", weakref.WeakSet())
    monkeypatch.setattr(traffic, "_gone", [0] * len(traffic._gone))
    first, second = Traffic(), Traffic()
    first.add("a", messages_sent=1, bytes_sent=100)
    first.add("b", bytes_sent=10)
    second.add("a", bytes_received=7, bytes_shared=1000)
    now = process_counts()
    assert now == Counts(messages_sent=1, bytes_sent=110, bytes_received=7, bytes_shared=1000)
    # What an end has counted stays when it goes.
    del first, second
    gc.collect()
    assert process_counts() == now
