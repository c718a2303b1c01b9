"""Disturbances of a training, drawn at random: kills, stops, and cuts of the network."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

#: How often each kind is drawn, and between how many seconds it lasts. A process that is killed is
#: started again after that; peers are taken for dead after 10 s.
KINDS = {
    "kill": (0.5, (0.0, 1.0)),
    "stop": (0.2, (0.1, 3.0)),
    "long stop": (0.04, (11.0, 14.0)),
    "cut": (0.2, (0.1, 5.0)),
    "long cut": (0.06, (11.0, 14.0)),
}


@dataclass(frozen=True)
class Disturbance:
    """What is done to whom: a role, or a host whose network is cut; and for how long."""

    kind: str
    whom: str
    seconds: float
    #: How long to wait before it.
    pause: float


def draw(
    seed: int, count: int, roles: Sequence[str], hosts: Sequence[str] = ()
) -> list[Disturbance]:
    """Disturbances of all kinds; without hosts there are no cuts.

    >>> {d.kind for d in draw(0, 100, ["a"])} == {"kill", "stop", "long stop"}
    True
    """
    random_ = random.Random(seed)
    kinds = [kind for kind in KINDS if hosts or "cut" not in kind]
    found = []
    for _ in range(count):
        (kind,) = random_.choices(kinds, [KINDS[k][0] for k in kinds])
        whom = random_.choice(list(hosts) if "cut" in kind else list(roles))
        seconds = random_.uniform(*KINDS[kind][1])
        found.append(Disturbance(kind, whom, seconds, random_.uniform(0.0, 0.5)))
    return found


def tally(events: Sequence[Disturbance]) -> str:
    """How often what was done to whom.

    >>> tally([Disturbance("kill", "b", 0, 0), Disturbance("cut", "a", 0, 0)])
    'a: 1 cut; b: 1 kill'
    """
    kinds: dict[str, Counter[str]] = {}
    for event in events:
        kinds.setdefault(event.whom, Counter())[event.kind] += 1
    told = {
        whom: ", ".join(f"{count} {kind}" for kind, count in sorted(of.items()))
        for whom, of in sorted(kinds.items())
    }
    return "; ".join(f"{whom}: {text}" for whom, text in told.items())
