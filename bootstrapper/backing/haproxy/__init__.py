"""How haproxy is built and started when no address is given."""
