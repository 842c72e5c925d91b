"""The contract: what is on the wire, and nothing else.

Start with `topics.py`, the one table of topics; `envelope.py` says what surrounds every event, `codec.py` turns
bytes into events and back. The other modules group the events by the story they tell.
"""
