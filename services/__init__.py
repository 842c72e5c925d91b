"""The services, each a process of its own; they talk through Kafka, never through imports."""
