"""The names that callers give to their streams."""

from __future__ import annotations

from ..stores.contract import NameBinding
from ..stores.exceptions import StoreError
from ..stores.health import Health
from .naming import Naming, name_key
from .stream import Stream


class OwnedNames:
    """Names of streams; each caller has names of its own.

    Args:
        names: Where the names are kept.
        health: Counts failures of the store.
    """

    def __init__(self, names: Naming, health: Health) -> None:
        self._names = names
        self._health = health

    async def claim(
        self, name: str, owner: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """Bind a name to a stream id unless it is already bound.

        A compare-and-set with ``instead_of``: that binding, if there is one, is replaced.

        Returns:
            The other binding that the name has; None if it is bound to ``binding`` now.

        Raises:
            StoreError: The store fails.
        """
        return await self._names.claim(name_key(name, owner), binding, instead_of)

    async def bind(self, name: str, stream: Stream) -> None:
        """Bind an additional name to a stream, replacing an earlier binding.

        A failure of the store is recorded, not raised: a stream without its name still runs.
        """
        try:
            await self._names.name(name_key(name, stream.meta.owner), stream)
        except StoreError as error:
            self._health.failed(error)

    async def lookup(self, name: str, owner: str) -> NameBinding | None:
        """Return what an owner's name is bound to; None if it is not bound.

        Raises:
            StoreError: The store fails.
        """
        return await self._names.lookup(name_key(name, owner))
