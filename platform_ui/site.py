"""What every page stands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backbone.backbone import Backbone
from platform_ui.asking import Api
from platform_ui.beats import Beats
from platform_ui.guard import Guard
from platform_ui.kinds import Kinds
from platform_ui.lasting import Lasting
from platform_ui.platform_seen import PlatformSeen
from platform_ui.store import Person, Store
from platform_ui.tokens import Tokens

ROOT = Path(__file__).parent


class Site:
    def __init__(self, backbone: Backbone) -> None:
        self.backbone, self.root = backbone, ROOT
        self.store = Store(backbone)
        self.tokens = Tokens(backbone, self.store)
        self.kinds = Kinds(backbone.clock)
        self.lasting, self.beats = Lasting(backbone.clock), Beats()
        self.public = backbone.settings.text("BERTH_PUBLIC_URL", "https://localhost:8443").rstrip("/")
        self.guard = Guard(self.public)

    def api(self, person: Person) -> Api:
        return Api(self.backbone.peers, lambda: self.tokens.of(person.session))

    def platform(self, person: Person) -> PlatformSeen:
        """As staff see it."""
        return PlatformSeen(self.api(person), self.lasting, self.beats, self.backbone.clock.now())


@dataclass(frozen=True)
class Crumb:
    name: str
    href: str = ""
