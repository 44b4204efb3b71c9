"""The directory port: the promise that LDAP and the memory twin keep alike: who is who, and in which groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Person:
    """`groups` are the names of the groups, in order."""

    username: str
    name: str
    mail: str
    groups: tuple[str, ...]


class Directory(Protocol):
    """People and their groups, read only; safe to share between threads.

    Names are compared without regard to case and given back as the directory spells them. Passwords and names are taken
    literally: no wildcard, no filter. Every verb may raise Unavailable: the directory is away, answered late, showed a
    certificate that is not trusted, or refused the platform's own account.
    """

    def login(self, username: str, password: str) -> Person:
        """The person whose password it is. Refused: no such person, a wrong or an empty password (never told apart)."""

    def find(self, username: str) -> Person | None:
        """The person, or None."""

    def people(self) -> list[Person]:
        """Everybody, by username."""

    def ready(self) -> None:
        """Returns when the directory answers, else raises Unavailable with the reason."""
