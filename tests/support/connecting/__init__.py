"""Connecting practices in tests: a sandbox, the importer's side of it, and a browser."""
