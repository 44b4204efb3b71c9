"""The directory's memory twin."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from backbone.directory import Person
from contracts.errors import Refused, Unavailable


class MemoryDirectory:
    """A test sets `away` to a reason to take the directory away."""

    def __init__(self, people: Iterable[tuple[Person, str]] = ()) -> None:
        """`people` are persons with their passwords."""
        self.away = ""
        self._people: dict[str, tuple[Person, str]] = {}
        for person, password in people:
            self.add(person, password)

    def add(self, person: Person, password: str) -> None:
        self._people[person.username.lower()] = (person, password)

    def login(self, username: str, password: str) -> Person:
        self.ready()
        person, expected = self._people.get(username.lower(), (None, ""))
        if person is None or not password or not hmac.compare_digest(password.encode(), expected.encode()):
            raise Refused("the directory knows no such username with this password")
        return person

    def find(self, username: str) -> Person | None:
        self.ready()
        person, _ = self._people.get(username.lower(), (None, ""))
        return person

    def people(self) -> list[Person]:
        self.ready()
        return sorted((person for person, _ in self._people.values()), key=lambda person: person.username)

    def ready(self) -> None:
        if self.away:
            raise Unavailable(f"the directory is away: {self.away}")
