"""How postgres is built and started when no address is given."""
