"""A real Kafka and a real Postgres on a machine without Docker."""
