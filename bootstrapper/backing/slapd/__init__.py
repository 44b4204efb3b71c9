"""How slapd is built and started when no address is given."""
