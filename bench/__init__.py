"""Benchmarks: each measures against a peer or a limit in the same run, and prints a table and, with --json, one line of figures."""
