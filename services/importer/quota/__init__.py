"""Xero's limits on calls, kept by all importer processes together.

windows    what can be known of one window from outside; pure
budget     what a practice has left, who has leased some of it, and what may be handed out; pure
ledger     the budgets in Postgres
tolls      what a call goes through: it leases, passes on, reports and waits
"""
