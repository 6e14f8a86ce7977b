"""What the client has already shown."""

from collections import OrderedDict

MOST = 20_000


class Seen:
    """Ids, in the order of their coming; beyond a bound the oldest are forgotten, so days of watching cost nothing."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, identity: str) -> bool:
        return identity in self._ids

    def add(self, identity: str) -> bool:
        """Remember an id, and return whether it is new."""
        is_new = identity not in self._ids
        self._ids[identity] = None
        self._ids.move_to_end(identity)
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return is_new
