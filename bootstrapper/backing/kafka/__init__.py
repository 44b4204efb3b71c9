"""How kafka is built and started when no address is given."""
