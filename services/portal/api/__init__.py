"""The HTTP API, described by its own OpenAPI document under `/api/openapi.json`."""
