"""What is kept of a practice's client records, and how it is kept fresh.

store      the records in Postgres
keeping    reading lists from XPM into them, one process at a time
parties    what an import needs of them, with as few calls as that takes
"""
