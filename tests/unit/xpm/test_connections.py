"""The list of connections, which is JSON and not always ours."""

import orjson
import pytest

from services.importer.xpm.connections import practices
from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.records import Connection

PRACTICE = {"id": "E1", "tenantId": "A2", "tenantType": "PRACTICEMANAGER", "tenantName": " Harbour\n& Hill "}


def test_practices_are_told_from_other_tenants():
    """A user often brings organisations along on the same consent."""
    books = {"id": "E2", "tenantId": "A3", "tenantType": "ORGANISATION", "tenantName": "Books"}

    assert practices(orjson.dumps([books, PRACTICE])) == (
        Connection(connection_id="e1", xero_tenant_id="a2", practice_name="Harbour & Hill"),
    )


def test_a_practice_without_a_name_is_called_by_its_id():
    """Something must be shown to choose it by."""
    (connection,) = practices(orjson.dumps([PRACTICE | {"tenantName": None}]))

    assert connection.practice_name == "a2"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[1]", b'[{"tenantType": "PRACTICEMANAGER"}]', b'["\\ud800"]']
)
def test_what_is_no_list_of_connections_is_invalid(body):
    """No exception of a parser gets out."""
    with pytest.raises(SourceInvalid):
        practices(body)
