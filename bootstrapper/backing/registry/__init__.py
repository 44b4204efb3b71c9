"""How registry is built and started when no address is given."""
