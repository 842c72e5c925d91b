"""What XPM may hold, made up: a client with relationships of every kind, and its parties as far as they can be read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from services.importer.domain import Party, Request
from services.importer.xpm.records import Client, Details, Relationship

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC)

WORDS = st.sampled_from(("Director", "Shareholder", "Spouse", "Trustee Of", "räumlich & <verwandt>"))
NAMES = st.sampled_from(("Mara Ellison", "Ellison, Tomas", "X Pty Ltd ATF Y Trust", "Ⅷ \"quoted\" & 'so'"))
PARTY_IDS = st.sampled_from([f"party-{number}" for number in range(6)])
RELATIONSHIP_IDS = st.none() | st.sampled_from([f"tie-{number}" for number in range(8)])
DAYS = st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3)).map(date.isoformat)
TEXTS = st.sampled_from(("x", "7 Wattle Parade\nFernleigh", "Ⅷ \"q\" & 'so'", "\u2028"))


def details(name: st.SearchStrategy[str | None]) -> st.SearchStrategy[Details]:
    """Details with any of their fields."""
    others = [field for field in Details.model_fields if field not in ("name", "date_of_birth")]
    held = st.dictionaries(st.sampled_from(others), TEXTS)
    return st.builds(
        lambda name, day, rest: Details(name=name, date_of_birth=day, **rest), name, st.none() | DAYS, held
    )


RELATIONSHIPS = st.builds(
    Relationship,
    xpm_relationship_id=RELATIONSHIP_IDS,
    type=WORDS,
    xpm_party_id=PARTY_IDS,
    party_name=st.none() | NAMES,
    start_date=st.none() | DAYS,
    end_date=st.none() | DAYS,
    number_of_shares=st.none() | st.integers(1, 2**63 - 1),
    percentage=st.none() | st.sampled_from(("0.5", "33.333333", "100")),
)
CLIENTS = st.builds(
    Client,
    xpm_client_id=st.just("client-of-xpm"),
    details=details(NAMES),
    relationships=st.lists(RELATIONSHIPS, max_size=12).map(tuple),
    unreadable_relationships=st.integers(0, 3),
)
RECORDS = st.builds(
    Client,
    xpm_client_id=st.just("a-party"),
    details=details(st.none() | NAMES),
    archived=st.booleans(),
    deleted=st.booleans(),
)
PARTIES = st.dictionaries(
    PARTY_IDS,
    st.builds(
        Party,
        record=st.none() | RECORDS,
        as_of=st.sampled_from((AT, AT - timedelta(days=2))),
    ),
)
REQUESTS = st.builds(
    Request,
    tenant_id=st.sampled_from(("t1", "t2")),
    import_id=st.sampled_from(("import-1", "import-2")),
    client_id=st.sampled_from(("c1", "c2")),
    xpm_client_id=st.sampled_from(("client-of-xpm", "CLIENT-OF-XPM")),
    requested_by=st.just("Anna Lindqvist"),
    bulk_id=st.none() | st.just("bulk"),
    requested_at=st.integers(0, 2**41),
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A client as it was read for a request, with its parties."""

    request: Request
    client: Client
    parties: dict[str, Party]


HOLDINGS = st.builds(Holding, request=REQUESTS, client=CLIENTS, parties=PARTIES)
