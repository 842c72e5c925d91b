"""The portal is a portal's own backend, and the web console in which staff make the whole journey.

Consumes: `muster.outcomes` and `muster.progress`, from their end, to tell browsers and waiting callers at once.
Produces: `muster.requests`, `muster.journal` (facts of the portal, commands of staff).
Reads: the resolver's views as one tenant's reader, progress through the notifier, XPM through the importer.
Never: owns a rule or a table. Whatever it checks early, the resolver checks again.
"""
