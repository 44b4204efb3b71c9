"""Watches the platform's own parts and what they stand on, and has silent ones replaced.

Owns:   what is known of each subsystem's replicas and of the backing services; incidents with their timelines.
Hears:  Beat; ReplicaReplaced, ReplicaSpared, ReplicaEnded.
Says:   ReplaceReplica (the replica that leads, under its lease's number); IncidentOpened, IncidentMoved, IncidentClosed.
Serves: GET /subsystems, POST /subsystems/{replica}/restart, GET /incidents, GET and POST of one (/acknowledge), GET /backing.
"""
