"""The notifier tells: it keeps the list of all integration actions of the past 72 hours, and everybody watches it live.

Consumes: `muster.requests`, `muster.outcomes`. Produces: `muster.progress`.
Owns: the rows of integration progress and the snapshots of them that are to be published.
Serves: the list over HTTP, and a stream of server-sent events that resumes where it was cut off.
Never: decides anything, or takes a row back that only a swap may take back.
"""
