"""Readings to apps: a router copies what is bound into one topic keyed by deployment, an endpoint gives each app its own."""
