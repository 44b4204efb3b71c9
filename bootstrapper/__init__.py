"""Brings the whole platform up from one declared file, in order, behind readiness gates; takes it down, tells how it stands.

Owns: what an installation is made of: backing services, networks, secrets, images, the subsystems' services.
Hears and says: nothing on the bus; it speaks to Docker, and to each backing service in its own protocol.
Serves: `up`, `down`, `status`, `doctor`, `logins` (bootstrapper.commands), which the command line wires to its verbs.
"""
