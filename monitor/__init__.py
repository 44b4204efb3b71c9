"""Watches the platform's own parts.

Owns: what is known of each subsystem's replicas.
Hears: Beat.
Says: nothing yet.
Serves: /subsystems.
"""
