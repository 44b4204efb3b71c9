"""What runs in a container on the platform's network: asks each backing service in its own protocol and prepares it."""
