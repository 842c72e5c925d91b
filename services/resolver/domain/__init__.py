"""The rules, as pure functions of a record and its tenant's state. `docs/rules.md` states them in words.

Start with `fold.py`. What Postgres, Kafka and the clock know is not known here.
"""
