"""What a checked token says about its bearer: a pure value that handlers ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.errors import Forbidden, NotFound

LEVELS = {"guest": ("read",), "member": ("read", "write"), "owner": ("read", "write", "own")}


@dataclass(frozen=True)
class Claims:
    """`subject` is a username, device, consumer, deployment or subsystem, by `purpose`.

    People have `roles`, `workspaces` (name -> owner, member or guest) and their personal one as `workspace`; for
    devices, consumers and apps `workspace` is the one they belong to.
    """

    subject: str
    purpose: str
    jti: str
    expires: datetime
    roles: tuple[str, ...] = ()
    workspaces: Mapping[str, str] = field(default_factory=dict)
    workspace: str = ""
    generation: int = 0
    name: str = ""
    session: str = ""

    def may(self, workspace: str, level: str) -> bool:
        """read, write or own. Admins may all, operators read all, subsystems act for the platform."""
        if self.purpose == "subsystem":
            return True
        if self.purpose != "user":
            return bool(workspace) and workspace == self.workspace and level != "own"
        if "admin" in self.roles or (level == "read" and "operator" in self.roles):
            return True
        return level in LEVELS.get(self.workspaces.get(workspace, ""), ())

    def need(self, workspace: str, level: str, what: str = "This") -> None:
        """NotFound where it is not theirs to know of, Forbidden where they may only read it."""
        if self.may(workspace, level):
            return
        if level != "read" and self.may(workspace, "read"):
            raise Forbidden(
                f"{what} belongs to workspace {workspace}, where you may only read; ask its owner for more."
            )
        raise NotFound(f"{what} is not there, or not yours to know of.")

    @property
    def readable(self) -> list[str] | None:
        """The workspaces a list shows; None: all of them."""
        if self.may("", "read"):
            return None
        return sorted(self.workspaces) if self.purpose == "user" else [self.workspace]
