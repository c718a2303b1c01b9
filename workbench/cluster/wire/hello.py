"""How two endpoints meet: what each says of itself, whether they fit, what memory they share.

Who connects says hello first; who listens answers with a welcome or a refusal. Both may share
memory where each finds the other's host to be its own, and the one that listens has read a secret
from a file in memory that the other has made, and says what it was. It names a door to itself then
(`workbench.cluster.wire.channel`), and what is said there to be taken for the one that it welcomes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.cluster.wire import host

_SECRET_BYTES = 32
_TEXTS = ("name", "cluster", "host", "proof", "door", "token")


def new_incarnation() -> int:
    """A number that tells this process from one that had the same address before."""
    return random.SystemRandom().getrandbits(53)


@dataclass(frozen=True)
class Identity:
    """What an endpoint says of itself.

    `name` is whose it is (a task), "" for nobody in particular; `cluster` is what all of a cluster
    must have in common, "" where it is not checked: one word, or several as `job=tasks`, of which
    those are compared that both sides say something of.
    """

    name: str = ""
    incarnation: int = field(default_factory=new_incarnation)
    cluster: str = ""


@dataclass(frozen=True)
class Hello:
    """What the other one says."""

    name: str
    incarnation: int
    cluster: str
    epoch: int
    host: str
    process: int
    started: int
    #: A file in memory with a secret, or what the secret in such a file was.
    proof: str
    #: Where to come in within the host, and what to say there; "" where that cannot be.
    door: str = ""
    token: str = ""


def fields_of(
    identity: Identity, epoch: int, proof: str, door: str = "", token: str = ""
) -> dict[str, Any]:
    """The fields of a hello or a welcome."""
    process = os.getpid()
    return {
        "name": identity.name,
        "incarnation": identity.incarnation,
        "cluster": identity.cluster,
        "epoch": epoch,
        "host": host.host_id(),
        "process": process,
        "started": host.start_of(process) or 0,
        "proof": proof,
        "door": door,
        "token": token,
    }


def read(fields: Mapping[str, Any]) -> Hello:
    """What fields say. ValueError where they are not those of a hello."""
    texts = [fields.get(key) for key in _TEXTS]
    numbers = [fields.get(key) for key in ("incarnation", "epoch", "process", "started")]
    if not all(isinstance(t, str) and len(t) <= 512 for t in texts):
        raise ValueError(f"a hello lacks one of {', '.join(_TEXTS)}")
    if not all(type(n) is int for n in numbers):
        raise ValueError("a hello lacks an incarnation, an epoch or a process")
    return Hello(
        name=fields["name"],
        incarnation=fields["incarnation"],
        cluster=fields["cluster"],
        epoch=fields["epoch"],
        host=fields["host"],
        process=fields["process"],
        started=fields["started"],
        proof=fields["proof"],
        door=fields["door"],
        token=fields["token"],
    )


def mismatch(own: Identity, other: Hello) -> str | None:
    """Why two endpoints do not belong together, in words; None where they do."""
    mine, others = _said(own.cluster), _said(other.cluster)
    if any(mine[key] != others[key] for key in mine.keys() & others.keys()):
        return (
            f"{other.name or 'a client'} is of cluster {other.cluster!r}, and "
            f"{own.name or 'this one'} of {own.cluster!r}: start all tasks with one specification "
            "and one graph"
        )
    return None


def _said(cluster: str) -> dict[str, str]:
    """What is said of a cluster, by what it is said of."""
    words = [word.rpartition("=") for word in cluster.split()]
    return {key: value for key, _, value in words}


class Offer:
    """A file in memory with a secret, to be read by who shares memory with this process."""

    def __init__(self) -> None:
        self.name = ""
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        if not host.host_id():
            return
        name = host.new_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(host.FOLDER / name, flags, 0o600)
        except OSError:
            return
        self.name = name
        with open(descriptor, "wb") as file, contextlib.suppress(OSError):
            file.write(self._secret)

    def is_proven(self, answer: Hello) -> bool:
        """Whether the other one has read the secret."""
        wanted = _digest(self._secret)
        is_near = bool(self.name) and answer.host == host.host_id()
        return is_near and secrets.compare_digest(answer.proof.encode(), wanted.encode())

    def close(self) -> None:
        """Removes the file."""
        if self.name:
            host.remove(self.name)
            self.name = ""


def prove(hello: Hello) -> str:
    """What shows that this process has read the secret that was offered; "" where it cannot."""
    if not hello.proof or not hello.host or hello.host != host.host_id():
        return ""
    try:
        descriptor = host.open_own(hello.proof, os.O_RDONLY)
    except (OSError, ValueError):
        return ""
    with open(descriptor, "rb") as file:
        secret = file.read(_SECRET_BYTES + 1)
    return _digest(secret) if len(secret) == _SECRET_BYTES else ""


def _digest(secret: bytes) -> str:
    return hashlib.sha256(b"workbench wire" + secret).hexdigest()
