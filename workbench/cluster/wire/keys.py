"""Keys of the wire (CURVE): made here or given, kept in files that only their user reads.

All tasks and clients of a cluster have one pair of keys, or each has its own and a list of the
public ones that may come in.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.cluster.addresses import canonical
from workbench.core.errors import InvalidArgumentError

#: The environment variable with the path of a file of keys, for all of a process.
VARIABLE = "WORKBENCH_WIRE_KEYS"


@dataclass(frozen=True)
class Keys:
    """A pair of keys, and whom it talks to. Keys are text of 40 characters (Z85).

    `servers` is the public key of those that are connected to, and `allowed` are those of who may
    connect; both are the own public key where they are left out.
    """

    public: str
    secret: str
    servers: str = ""
    allowed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Keys(public={self.public!r})"

    @property
    def server_key(self) -> bytes:
        """The public key that servers are known by."""
        return (self.servers or self.public).encode()

    @property
    def admitted(self) -> frozenset[bytes]:
        """The public keys of those that may connect."""
        return frozenset(key.encode() for key in self.allowed or (self.public,))


def make_keys() -> Keys:
    """A new pair of keys.

    >>> from workbench.cluster.wire.keys import make_keys
    >>> len(make_keys().public)
    40
    """
    import zmq

    public, secret = zmq.curve_keypair()
    return Keys(public.decode(), secret.decode())


def save_keys(keys: Keys, path: str | os.PathLike[str]) -> None:
    """Writes keys to a file that only this user can read."""
    content = {"public": keys.public, "secret": keys.secret}
    if keys.servers:
        content["servers"] = keys.servers
    text = json.dumps({**content, **({"allowed": list(keys.allowed)} if keys.allowed else {})})
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load_keys(path: str | os.PathLike[str]) -> Keys:
    """The keys of a file. InvalidArgumentError where it has none, or others can read it."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = json.loads(file.read(1 << 20))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(
            None, None, f"No keys can be read from {path}: {error}"
        ) from None
    if mode & 0o077:
        raise InvalidArgumentError(
            None, None, f"The keys in {path} can be read by others: use chmod 600"
        )
    return keys_of(content, str(path))


def keys_of(content: object, where: str) -> Keys:
    """The keys of what a file of keys has. InvalidArgumentError where it is something else."""
    if isinstance(content, dict):
        allowed = content.get("allowed", [])
        texts = [content.get("public"), content.get("secret"), content.get("servers", "")]
        listed = allowed if isinstance(allowed, list) else [None]
        lengths = [len(t) if isinstance(t, str) else -1 for t in (*texts, *listed)]
        if all(n == 40 for n in (*lengths[:2], *lengths[3:])) and lengths[2] in (0, 40):
            public, secret, servers = (str(text) for text in texts)
            return Keys(public, secret, servers, tuple(str(key) for key in listed))
    raise InvalidArgumentError(None, None, f"{where} has no pair of keys of 40 characters each")


_lock = threading.Lock()
_chosen: Keys | None = None
_by_address: dict[str, Keys | None] = {}


def use_keys(keys: Keys | None, addresses: Sequence[str] = ()) -> None:
    """The keys of all servers and clients of this process that are given none; None: no keys.

    With `addresses`, in any spelling, the keys that are shown there and nowhere else: a process may
    use clusters with keys, each its own, and some without.
    """
    global _chosen
    with _lock:
        if addresses:
            _by_address.update({canonical(address): keys for address in addresses})
        else:
            _chosen = keys


def keys_at(address: str) -> Keys | None:
    """The keys that this process shows at an address, which are its own where no others are known
    for it."""
    with _lock:
        if address in _by_address:
            return _by_address[address]
    return default_keys()


def default_keys() -> Keys | None:
    """The keys of this process: those of `use_keys`, or of the file that the variable names."""
    with _lock:
        if _chosen is not None:
            return _chosen
    path = os.environ.get(VARIABLE)
    return load_keys(path) if path else None
