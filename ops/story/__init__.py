"""The story of a tenant, client, item, member, import or command, as `muster journal` tells it."""
