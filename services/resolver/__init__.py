"""The resolver decides: it folds the journal into Postgres and tells what each record came to.

Consumes: `muster.journal`. Produces: `muster.outcomes`.
Owns: clients, members, links, items, imports, co-owner e-mails, decisions, in generations.
Never: reads XPM, asks a clock, or changes its mind about a record.
"""
