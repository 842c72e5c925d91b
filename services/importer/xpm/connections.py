"""The practices in the answer of `/connections`, which is JSON and may list other products of Xero too."""

from typing import Any

import orjson

from services.importer.xpm import records, values
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.records import Connection


def practices(body: bytes) -> tuple[Connection, ...]:
    """The connections of type PRACTICEMANAGER (one official page says PRACTICE). Raises `SourceInvalid`."""
    try:
        listed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SourceInvalid("connections that are not JSON") from None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise SourceInvalid("connections that are not a list")
    return tuple(_connection(entry) for entry in listed if _text(entry, "tenantType").startswith("PRACTICE"))


def _connection(entry: dict[str, Any]) -> Connection:
    try:
        connection_id = values.identifier(_text(entry, "id"))
        xero_tenant_id = values.identifier(_text(entry, "tenantId"))
    except ValueError:
        raise SourceInvalid("a connection without ids") from None
    name = values.line(_text(entry, "tenantName")) or xero_tenant_id
    return Connection(
        connection_id=connection_id,
        xero_tenant_id=xero_tenant_id,
        practice_name=values.shortened(name, records.NAME_LENGTH),
    )


def _text(entry: dict[str, Any], name: str) -> str:
    found = entry.get(name)
    return found if isinstance(found, str) else ""
