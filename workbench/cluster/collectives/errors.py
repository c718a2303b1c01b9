"""What a collective operation fails with when ranks are gone."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import UnavailableError


class LostMembersError(UnavailableError):
    """Members of a group are gone; `ranks` says which. The operation may be done by the others."""

    def __init__(self, message: str, ranks: Sequence[int]) -> None:
        super().__init__(None, None, message)
        self.ranks = tuple(ranks)
