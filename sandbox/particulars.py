"""What is written on the record of one made-up party, with the habits and slips of those who typed it."""

import unicodedata
from dataclasses import dataclass

from sandbox.chance import Chance, made_up_uuid
from sandbox.households import STRUCTURES, Member
from sandbox.practice import STAFF, Contact, Field
from sandbox.vocabulary import JUNK_EMAILS, JUNK_PHONES, PLACES, STREETS

_TITLES = {"Female": ("Ms", "Mrs", "Dr"), "Male": ("Mr", "Dr", "Rev.")}


@dataclass(frozen=True)
class Particulars:
    fields: dict[str, Field]
    contacts: tuple[Contact, ...]


def particulars(luck: Chance, member: Member, email_name: str, *, tied: bool = False) -> Particulars:
    """
    The fields and contacts of a member; `email_name` is whose e-mail address stands there.

    Whoever is to be `tied` has a business structure: XPM knows no relationships of others.
    """
    fields: dict[str, Field] = {"Name": _name_text(luck, member.name)}
    if member.is_person:
        fields |= _personal(luck, member)
    fields |= _reachable(luck, email_name) | _addresses(luck) | _staff(luck) | _office(luck, member)
    if luck.happens(95) or tied:
        fields["BusinessStructure"] = STRUCTURES[member.part]
    if luck.happens(60):
        fields |= _tax(luck)
    contacts = tuple(_contact(luck, member, number) for number in range(luck.below(3)))
    return Particulars(fields, contacts)


def date_text(luck: Chance, first_year: int, last_year: int) -> str:
    """A day in one of the three formats that XPM has been seen to print."""
    year = first_year + luck.below(last_year - first_year + 1)
    month, day = 1 + luck.below(12), 1 + luck.below(28)
    return luck.pick(("{:04}-{:02}-{:02}", "{:04}-{:02}-{:02}T00:00:00", "{:04}{:02}{:02}")).format(
        year, month, day
    )


def _name_text(luck: Chance, name: str) -> str:
    """The name, sometimes with the blanks and line breaks that come along when people paste."""
    return (
        luck.pick((f" {name}", f"{name}  ", f"{name}\n", name.replace(" ", "  ", 1)))
        if luck.happens(2)
        else name
    )


def _personal(luck: Chance, member: Member) -> dict[str, Field]:
    fields: dict[str, Field] = {"FirstName": member.given_name, "LastName": member.family_name}
    if luck.happens(70):
        fields |= {"Title": luck.pick(_TITLES[member.gender]), "Gender": member.gender}
    if luck.happens(75):
        years = (2006, 2019) if member.part == "child" else (1938, 1994)
        fields["DateOfBirth"] = date_text(luck, *years)
    return fields


def _reachable(luck: Chance, email_name: str) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    if luck.happens(70):
        fields["Email"] = _email_text(luck, email_name)
    if luck.happens(85):
        number = f"(02) 5550 {luck.below(10000):04}"
        fields["Phone"] = luck.pick(JUNK_PHONES) if luck.happens(4) else number
    return fields


def _email_text(luck: Chance, name: str) -> str:
    address = _address_of(name)
    if luck.happens(3):
        return luck.pick(JUNK_EMAILS)
    if luck.happens(5):
        return f"{address}{luck.pick(('; ', ', ', ' / '))}accounts@{address.partition('@')[2]}"
    return address.upper() if luck.happens(5) else address


def _address_of(name: str) -> str:
    """An address under `.example` in plain letters, whatever the name is written in."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = [word for word in ("".join(filter(str.isalpha, part)) for part in plain.lower().split()) if word]
    return f"{'.'.join(words[:2])}@{words[-1]}.example"


def _addresses(luck: Chance) -> dict[str, Field]:
    postal = _address(luck, "Postal") if luck.happens(50) else dict.fromkeys(_names("Postal"), "")
    return _address(luck, "") | postal


def _names(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}{name}" for name in ("Address", "City", "Region", "PostCode", "Country"))


def _address(luck: Chance, kind: str) -> dict[str, Field]:
    if luck.happens(15):
        return dict.fromkeys(_names(kind), "")
    street = f"{1 + luck.below(240)} {luck.pick(STREETS)}"
    if luck.happens(25):
        street = f"\r\n      Level {1 + luck.below(9)}, c/- Reception\r\n      {street}\r\n\r\n    "
    return dict(zip(_names(kind), (street, *luck.pick(PLACES)), strict=True))


def _staff(luck: Chance) -> dict[str, Field]:
    """Nested elements with names and ids of their own, which are not the client's."""
    manager = luck.pick(STAFF)
    fields: dict[str, Field] = {"BillingClient": ""}
    if luck.happens(40):
        fields["AccountManager"] = {"UUID": manager.uuid, "Name": manager.fields["Name"]}
    if luck.happens(40):
        fields["Type"] = {"Name": "Monthly & fixed", "CostMarkup": "30.00", "PaymentTerm": "DayOfMonth"}
    return fields


def _office(luck: Chance, member: Member) -> dict[str, Field]:
    """What the practice notes for itself."""
    fields: dict[str, Field] = {}
    if luck.happens(20):
        fields["Website"] = f"www.{_address_of(member.name).partition('@')[2]}"
    if luck.happens(30):
        fields["ClientCode"] = f"{member.name[:4].upper().strip()}{luck.below(1000):03}"
    return fields


def _tax(luck: Chance) -> dict[str, Field]:
    return {
        "TaxNumber": f"******{luck.below(1000):03}",
        "CompanyNumber": "",
        "BusinessNumber": f"{luck.below(10**11):011}",
        "BranchNumber": luck.pick(("1", "")),
        "GSTRegistered": luck.pick(("Yes", "No")),
        "PrepareGST": "No",
        "SignedTaxAuthority": "Yes",
        "AgencyStatus": luck.pick(("With EOT", "Without EOT", "Unlinked")),
        "PrepareActivityStatement": "No",
        "PrepareTaxReturn": "Yes",
        "ActiveAtoClient": "No",
    }


def _contact(luck: Chance, member: Member, number: int) -> Contact:
    name = luck.pick((member.given_name or "Some guy", "some guy", "Reception", "pat@bluegum.example"))
    fields = {
        "Name": name,
        "Salutation": "",
        "Addressee": "",
        "Mobile": f"0491 57{luck.below(10000):04}" if luck.happens(50) else "",
        "Email": f"contact{number}@{_address_of(member.name).partition('@')[2]}" if luck.happens(70) else "",
        "Phone": "",
        "IsPrimary": "Yes" if luck.happens(8) else "No",
        "Position": luck.pick(("", "0", "Office manager")),
    }
    return Contact(made_up_uuid("contact", member.name, luck.below(2**48)), fields)
