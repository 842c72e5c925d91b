"""The few values that made-up journals are made of: few, so that they collide."""

from dataclasses import dataclass

TENANTS = ("north",) * 6 + ("south", "east")
CLIENTS = ("c1", "c1", "c2", "c3")
UNKNOWN_CLIENT = "c9"
XPM_CLIENT_OF = {"c1": "x1", "c2": "x2", "c3": "x3", UNKNOWN_CLIENT: "x9"}
MEMBERS = ("m1", "m2", "m3")
STAFF = ("Sam", "Kim")
NAMES = ("Ann", "Bob", "Cy")
EMAILS = ("ann@a.example", "bob@b.example", "ANN@a.example", "cy+x@c.example", "Bob@B.example")
BAD_EMAILS = (
    "nobody",
    "a@b",
    "a@@b.example",
    "a..b@c.example",
    "a@b.123",
    "a@-b.example",
    "ä@b.example",
    f"{'a' * 65}@b.example",
    f"a@{'b.' * 130}example",
)
OTHER_FIELDS = {
    "title": ("Mr", "Ms"),
    "phone": ("1", "2"),
    "date_of_birth": ("1990-01-02", "1991-02-03"),
    "address": ("1 High Street", "2 Low Road"),
    "gender": ("x", "y"),
}
CLIENT_FIELDS = {
    "postal_address": ("PO Box 1", "PO Box 2"),
    "website": ("a.example", "b.example"),
    "business_structure": ("Trust", "Company"),
    "company_number": ("11", "12"),
    "business_number": ("21", "22"),
}
RELATIONSHIP_WORDS = ("Director", "Shareholder", "Trustee")


@dataclass(frozen=True, slots=True)
class Tie:
    """A relationship of XPM: its id (None where XPM gives none), its party and its type."""

    id: str | None
    party: str
    type: str


TIES = (
    Tie("r1", "p1", "Director"),
    Tie("r2", "p1", "Shareholder"),
    Tie("r3", "p2", "Spouse"),
    Tie(None, "p2", "Trustee"),
)
PARTIES = ("p1", "p2", "p3")
