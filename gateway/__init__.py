"""The front door.

Owns:   HAProxy's configuration and its state at run time: routes to apps, revoked tokens, limits.
Hears:  RouteWanted, InstanceSeen, NodeSeen; reads TokenRevoked from the beginning.
Says:   RouteSeen, once HAProxy really has the servers.
Serves: nothing of its own; HAProxy, a container beside it, takes every request.
"""
