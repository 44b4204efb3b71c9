"""What can go wrong between an app and the platform; each says the cause and the next step.

BerthError
 +- NotOnBerth    the app does not run on Berth: no address, no token
 +- NotBound      the deployment has no need of this name
 +- Refused       the token counts no more: the deployment was stopped or replaced
 +- Unavailable   the platform is away or busy; the same call may work later
"""

from __future__ import annotations


class BerthError(Exception):
    pass


class NotOnBerth(BerthError):
    pass


class NotBound(BerthError):
    pass


class Refused(BerthError):
    pass


class Unavailable(BerthError):
    pass
