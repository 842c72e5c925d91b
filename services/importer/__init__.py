"""The importer brings outside facts in: it reads XPM and stages what it finds.

Consumes: `muster.requests`. Produces: `muster.journal` (facts of imports and connections).
Owns: its table of requests and the sets of events not yet acknowledged; connections to XPM and their tokens.
Never: decides what becomes of an item, or reads the resolver's tables.
"""
