"""Integration progress made again from what it is a fold of, beside the live tables, and those mended by it.

Requests and outcomes are kept for longer than a row can be seen, so whatever a reader may see follows from the topics.
"""
