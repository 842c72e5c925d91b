"""The blocks that hold personal data, each of them in one piece so that it can be redacted in one piece."""

from typing import Any, Self

from pydantic import model_validator
from pydantic.json_schema import SkipJsonSchema

from schemas.envelope import Block
from schemas.fields import CalendarDate, EmailText, Long, Name, Short


class PersonDetails(Block):
    """What XPM has about a person or entity at the other end of a relationship; absent and null both mean *nothing*."""

    name: Name
    title: Short | None = None
    email: EmailText | None = None
    phone: Short | None = None
    date_of_birth: CalendarDate | None = None
    address: Long | None = None
    gender: Short | None = None


class EntityDetails(PersonDetails):
    """What XPM has about the client itself."""

    postal_address: Long | None = None
    website: Long | None = None
    business_structure: Short | None = None
    company_number: Short | None = None
    business_number: Short | None = None


class Amendment(Block):
    """Details as a person changes them: an absent field stays as it is, null clears it. A name can't be cleared."""

    def given(self) -> dict[str, Any]:
        """The fields that were sent, with their values, in the schema's order."""
        return {field: value for field, value in vars(self).items() if field in self.model_fields_set}

    @model_validator(mode="after")
    def _name_is_never_cleared(self) -> Self:
        if "name" in self.model_fields_set and getattr(self, "name", None) is None:
            raise ValueError("a name can be changed but not cleared")
        return self


class AmendedPerson(Amendment):
    """A member's details, as typed in the portal."""

    name: Name | SkipJsonSchema[None] = None
    """Can be changed, but not cleared."""
    title: Short | None = None
    email: EmailText | None = None
    phone: Short | None = None
    date_of_birth: CalendarDate | None = None
    address: Long | None = None
    gender: Short | None = None


class AmendedClient(AmendedPerson):
    """A client's own details, as typed in the portal, with the sign-in of the account's owner."""

    account_email: EmailText | None = None
    """The sign-in of the account's owner; counts as a co-owner's e-mail."""
    postal_address: Long | None = None
    website: Long | None = None
    business_structure: Short | None = None
    company_number: Short | None = None
    business_number: Short | None = None
