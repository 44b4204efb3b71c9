"""The command line: every actor's verbs over the HTTP API, and the bootstrapper's verbs on this machine."""
