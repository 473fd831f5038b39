"""Header fields as handlers and tests read them."""

from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Headers"]


class Headers(Mapping[str, str]):
    """The fields of a request or a response; names compare without regard to case.

    A name that occurs several times reads as one text, joined with ``", "`` (RFC 9110, 5.3);
    `get_list` keeps the values apart.
    """

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        """Takes the fields in the order in which they came."""
        self._fields = [(name.lower(), value) for name, value in fields]

    def get_list(self, name: str) -> list[str]:
        """All values of a name, in order; empty when there are none."""
        name = name.lower()
        return [value for known, value in self._fields if known == name]

    def multi_items(self) -> list[tuple[str, str]]:
        """Every field as it came, names in lower case."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        """The value, or all of them joined."""
        values = self.get_list(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        """The names, each once."""
        return iter(dict(self._fields))

    def __len__(self) -> int:
        """The number of different names."""
        return len(dict(self._fields))

    def __contains__(self, name: object) -> bool:
        """Whether a field of that name came."""
        return isinstance(name, str) and bool(self.get_list(name))

    def __repr__(self) -> str:
        """Shows every field."""
        return f"Headers({self._fields!r})"
