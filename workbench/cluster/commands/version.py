"""Whether who asks speaks the same version of the protocol between tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cluster.commands.serving import Serving
from workbench.cluster.master.tasks import VERSION
from workbench.cluster.shown import shown
from workbench.core.errors import FailedPreconditionError


def check_version(server: Serving, fields: Mapping[str, Any]) -> None:
    """FailedPreconditionError where it does not."""
    version = fields.get("version")
    if version != VERSION:
        raise FailedPreconditionError(
            None,
            None,
            f"{server.task.name} speaks version {VERSION} of the protocol between tasks, and was "
            f"asked by one that speaks {shown(version)}: all processes of a cluster must run the "
            "same version of workbench",
        )
