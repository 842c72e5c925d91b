"""
Harbour & Hill Accountants: a small practice written by hand, for demonstrations and for people to recognise.

Northlight Joinery has eight relationships. Six are to be decided: Mara Ellison twice (director, shareholder),
Tomas Ellison, the trustee company, an archived auditor, and a public officer whose record is gone. Two are
left out: a secretary who has left, and a director whose record is deleted.
"""

from sandbox.practice import Contact, Field, Group, Party, Practice, Relationship

NAME = "Harbour & Hill Accountants"
TENANT_ID = "4a1c8f52-6b7e-4d3a-9c15-0e2f7b9d6a31"
TOKEN = "harbour-and-hill"  # noqa: S105 - opens nothing but this sandbox

NORTHLIGHT = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d701"
MARA = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d702"
TOMAS = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d703"
HOLDINGS = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d704"
FAMILY_TRUST = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d705"
PRIYA = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d706"
GORDON = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d707"
WREN = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d708"
OKAFOR = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d709"
"""The public officer: a related client of whom no record exists."""
SALTGRASS = "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d70a"

_ELLISONS = Group("c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d7a0", "Ellison Family")
_NORTHLIGHT_NAME = "Northlight Joinery Pty Ltd"
_HOLDINGS_NAME = "Ellison Holdings Pty Ltd ATF Ellison Family Trust"
_MARRIED = "2004-11-13"
_HOME = {
    "Address": "7 Wattle Parade",
    "City": "Fernleigh",
    "Region": "New South Wales",
    "PostCode": "2999",
    "Country": "Australia",
}


def harbour_practice() -> Practice:
    """A fresh copy of the practice, as it is before anybody edits it."""
    people = [_mara(), _tomas(), _priya(), _gordon()]
    return Practice(NAME, [_northlight(), *people, _holdings(), _family_trust(), _wren(), _saltgrass()])


def _fields(**texts: str) -> dict[str, Field]:
    return dict(texts)


def _tie(number: int, word: str, party_uuid: str, party_name: str, **more: str) -> Relationship:
    return Relationship(
        f"e5b90c36-7d14-4c8f-b2a8-91f4d06e3c{number:02}", word, party_uuid, party_name, **more
    )


def _northlight() -> Party:
    return Party(
        NORTHLIGHT,
        _fields(
            Name=_NORTHLIGHT_NAME,
            Email="office@northlight.example",
            Address="\r\n      Unit 4, The Old Sawmill\r\n      18 Quarry Lane\r\n    ",
            City="Fernleigh",
            Region="NSW",
            PostCode="2999",
            Country="Australia",
            Phone="(02) 5550 0140",
            BusinessStructure="Company",
            CompanyNumber="600123456",
        ),
        contacts=(_managing_director(),),
        groups=(_ELLISONS,),
        relationships=[
            _tie(1, "Director", MARA, "Mara Ellison", start="2011-02-01"),
            _tie(
                2,
                "Shareholder",
                MARA,
                "Mara Ellison",
                shares="60",
                percentage="0",
                start="2011-02-01T00:00:00",
            ),
            _tie(3, "Director", TOMAS, "Ellison, Tomas", start="20140701", end=""),
            _tie(4, "Shareholder", HOLDINGS, _HOLDINGS_NAME, shares="40", start="2016-05-20"),
            _tie(5, "Secretary", PRIYA, "Priya Nair", start="2012-03-05", end="2021-06-30"),
            _tie(6, "Director", GORDON, "Gordon Blythe", start="2011-02-01"),
            _tie(7, "Auditor", WREN, "Wren & Co Auditors", start="2013-09-01"),
            _tie(8, "Public Officer", OKAFOR, "D'Arcy Okafor"),
        ],
    )


def _managing_director() -> Contact:
    fields = dict.fromkeys(("Name", "Salutation", "Addressee", "Mobile", "Email", "Phone"), "")
    known = {"Name": "Mara Ellison", "Email": "mara@northlight.example", "IsPrimary": "Yes", "Position": "MD"}
    return Contact("b7f3a1d0-2c94-4e6b-8d57-6a0e9c41f201", fields | known)


def _mara() -> Party:
    return Party(
        MARA,
        _fields(
            Name="Mara Ellison",
            Title="Ms",
            Gender="Female",
            FirstName="Mara",
            LastName="Ellison",
            Email="mara@northlight.example",
            DateOfBirth="1978-04-09T00:00:00",
            Phone="0491 570 110",
            BusinessStructure="Individual",
            **_HOME,
        ),
        groups=(_ELLISONS,),
        relationships=[
            _tie(1, "Director Of", NORTHLIGHT, _NORTHLIGHT_NAME, start="2011-02-01"),
            _tie(2, "Shareholder Of", NORTHLIGHT, _NORTHLIGHT_NAME, shares="60", start="2011-02-01"),
            _tie(9, "Spouse", TOMAS, "Ellison, Tomas", start=_MARRIED),
            _tie(11, "Appointor Of", FAMILY_TRUST, "Ellison Family Trust"),
        ],
        echoes=("DateOfBirth",),
    )


def _tomas() -> Party:
    return Party(
        TOMAS,
        _fields(
            Name="Ellison, Tomas",
            Title="Mr",
            Gender="Male",
            FirstName="Tomás",
            LastName="Ellison",
            Email="tomas@northlight.example; workshop@northlight.example",
            DateOfBirth="19751230",
            Phone="0491 570 111",
            BusinessStructure="Individual",
            **_HOME,
        ),
        groups=(_ELLISONS,),
        relationships=[
            _tie(3, "Director Of", NORTHLIGHT, _NORTHLIGHT_NAME, start="2014-07-01"),
            _tie(9, "Spouse", MARA, "Mara Ellison", start=_MARRIED),
        ],
    )


def _holdings() -> Party:
    return Party(
        HOLDINGS,
        _fields(Name=_HOLDINGS_NAME, Email="mara@northlight.example", BusinessStructure="Company", **_HOME),
        groups=(_ELLISONS,),
        relationships=[
            _tie(4, "Shareholder Of", NORTHLIGHT, _NORTHLIGHT_NAME, shares="40", start="2016-05-20"),
            _tie(10, "Trustee Of", FAMILY_TRUST, "Ellison Family Trust", start="2015-07-01"),
        ],
    )


def _family_trust() -> Party:
    return Party(
        FAMILY_TRUST,
        _fields(Name="Ellison Family Trust", BusinessStructure="Discretionary Trust", **_HOME),
        groups=(_ELLISONS,),
        relationships=[
            _tie(10, "Trustee", HOLDINGS, _HOLDINGS_NAME, start="2015-07-01"),
            _tie(11, "Appointor", MARA, "Mara Ellison"),
        ],
    )


def _priya() -> Party:
    """The secretary who has left."""
    return Party(
        PRIYA,
        _fields(Name="Priya Nair", Title="Ms", Email="priya@nair.example", BusinessStructure="Individual"),
        relationships=[
            _tie(5, "Secretary Of", NORTHLIGHT, _NORTHLIGHT_NAME, start="2012-03-05", end="2021-06-30"),
        ],
    )


def _gordon() -> Party:
    return Party(
        GORDON,
        _fields(Name="Gordon Blythe", Title="Mr", BusinessStructure="Individual"),
        deleted=True,
    )


def _wren() -> Party:
    return Party(
        WREN,
        _fields(
            Name="Wren & Co Auditors",
            Email="post@wren.example",
            Phone="call the office",
            BusinessStructure="Partnership",
        ),
        archived=True,
    )


def _saltgrass() -> Party:
    """A client that was added through an integration: a name and nothing else."""
    return Party(SALTGRASS, _fields(Name='Saltgrass Bakery "by the Pier"'))
