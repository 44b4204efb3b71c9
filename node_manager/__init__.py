"""Nodes, and the agent that lives on each.

Owns:   nodes and what is seen of the instances on them, their figures of the last day; each node's firewall.
Hears:  NodeSeen, InstanceSeen, RunDeployment, StopDeployment, figures (role api); ReplaceReplica (role agent).
Says:   NodeSeen, InstanceSeen (role agent: the only prober of app instances); ReplicaReplaced, ReplicaSpared, ReplicaEnded.
Serves: GET /nodes, /instances, and their figures: now, of the last day, and as they come (role api).
"""
