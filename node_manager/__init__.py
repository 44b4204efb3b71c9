"""Nodes, and the agent that lives on each.

Owns:   nodes and what is seen of the instances on them; each node's firewall.
Hears:  NodeSeen, InstanceSeen (role api); ReplaceReplica (role agent).
Says:   NodeSeen, InstanceSeen (role agent: the only prober of app instances); ReplicaReplaced, ReplicaSpared, ReplicaEnded.
Serves: GET /nodes, GET /instances (role api).
"""
