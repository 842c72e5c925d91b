"""One client's journey, played through public interfaces only: Kafka, the read side, HTTP and SSE."""
