"""Numbered SQL and the schema it results in."""
