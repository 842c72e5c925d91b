"""A browser before the console, and what staff do there."""
