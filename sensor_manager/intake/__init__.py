"""Where readings come in, by HTTP: parsed, checked against device and kind, and acknowledged only when Kafka has them."""
