"""Printing the contract: JSON Schemas, the AsyncAPI document and the tables of the docs, all made from the models.

`python -m schemas.publishing` writes them, `--check` says what is stale or breaks a promise, and `--release` keeps the
present schemas among those that every later version has to go on reading.
"""
