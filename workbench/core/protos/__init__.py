"""TensorFlow's protocol buffer messages: ``GraphDef``, ``ConfigProto``, ``Event`` and the others.

Each name is made at its first use; importing this package loads no protobuf.

>>> from workbench.core import protos
>>> node = protos.NodeDef(name="x", op="Placeholder")
>>> protos.GraphDef(node=[node]).node[0].name
'x'
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Messages and enumerations are written like classes; the modules of this package are not, and
    # asking for one of those must not load all tables.
    if name[:1].isupper():
        from workbench.core.protos.pool import POOL

        try:
            value = POOL.get(name)
        except KeyError:
            pass
        else:
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from workbench.core.protos.pool import POOL

    return sorted({*globals(), *POOL.names()})
