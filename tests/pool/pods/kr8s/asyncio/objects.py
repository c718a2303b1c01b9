"""The objects of a cluster that pools make themselves."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import kr8s


class Secret:
    """A secret."""

    def __init__(self, resource: dict[str, Any], namespace: str | None = None) -> None:
        self.resource = resource
        self.name = resource["metadata"]["name"]

    def __await__(self) -> Generator[Any, Any, Secret]:
        async def same() -> Secret:
            return self

        return same().__await__()

    async def exists(self) -> bool:
        """Whether it is in the cluster."""
        return self.name in kr8s.SECRETS

    async def create(self) -> None:
        """Puts it there."""
        kr8s.SECRETS[self.name] = self.resource["data"]

    async def delete(self) -> None:
        """Takes it away."""
        if kr8s.SECRETS.pop(self.name, None) is None:
            raise kr8s.NotFoundError(self.name)
