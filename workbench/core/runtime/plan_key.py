"""Under which name a planned program is kept on disk.

Every plan that runs is looked up, most of them in vain: so this imports little.
"""

from __future__ import annotations

import hashlib

from workbench.core.codegen.fingerprint import system
from workbench.core.plan.digest import plan_digest
from workbench.core.plan.plan import Plan


def plan_key(plan: Plan) -> str | None:
    """The name of a plan's entry for this system; None where it can have none.

    That the package is the one which made it stands in the entry, which a newer one replaces.
    """
    digest = plan_digest(plan) if system() is not None else None
    return None if digest is None else _key(f"plan {digest}")


def frame_key() -> str:
    """The name of the entry of what all programs share."""
    return _key("frame")


def _key(what: str) -> str:
    return hashlib.sha256(f"{system()} {what}".encode()).hexdigest()
