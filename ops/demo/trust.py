"""Whose certificates the demo's HTTP clients believe."""

import ssl
from functools import cache

import httpx


@cache
def certificates() -> ssl.SSLContext:
    """Read once for all of them: it takes longer than most of their calls."""
    return httpx.create_ssl_context()
