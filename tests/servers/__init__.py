"""Real servers on loopback for tests, and a connection to them that can be disturbed."""
