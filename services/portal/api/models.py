"""What the API takes and gives. What staff type is what the events carry: the same blocks, as strictly read."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.described import Described
from schemas.fields import Digest, Identifier, ReasonCode, Short
from schemas.outcomes import (
    EarlierDecision,
    ItemOutcome,
    MemberOutcome,
    OutcomePersonal,
    OutcomeRecorded,
)
from schemas.people import AmendedClient, AmendedPerson
from services.portal import records

MOST_AT_ONCE = 200
MOST_DECISIONS = 500


class Given(Described):
    """What a caller sends; a field that is not known is an error rather than passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(Described):
    """What a caller is told."""

    model_config = ConfigDict(frozen=True)


class WrongField(Told):
    """One thing that is wrong with what was sent."""

    problem: str
    field: str | None = None
    parameter: str | None = None


class ProblemDocument(Told):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    """A sentence for a person."""
    errors: list[WrongField] | None = None


class Me(Told):
    """Who asks."""

    tenant_id: str
    name: str
    practice: str
    role: Literal["staff", "read_only"]
    csrf: str | None
    """To be sent as `X-CSRF-Token` with whatever changes something."""


class CommandState(Told):
    """A command that was published, and what it came to; without `result` that is not known yet."""

    command_id: str
    result: Literal["applied", "rejected", "failed"] | None = None
    reason: ReasonCode | None = None
    message: str | None = None
    """The reason as a sentence for staff."""
    client_id: str | None = None
    earlier: EarlierDecision | None = None
    items: list[ItemOutcome] = Field(default_factory=list)
    members: list[MemberOutcome] = Field(default_factory=list)
    personal: OutcomePersonal | None = None
    """The details as they are now, where they changed since they were seen; what was replaced."""

    @classmethod
    def of(cls, command_id: str, outcome: OutcomeRecorded | None) -> Self:
        if outcome is None:
            return cls(command_id=command_id)
        return cls(
            command_id=command_id,
            result=outcome.result,
            reason=outcome.reason,
            message=outcome.message,
            client_id=outcome.client_id,
            earlier=outcome.earlier,
            items=outcome.items,
            members=outcome.members,
            personal=outcome.personal,
        )


class Client(Told):
    """A client of the practice."""

    client_id: str
    name: str
    xpm_client_id: str | None
    account_email: str | None
    details: dict[str, str]
    people: int
    to_review: int

    @classmethod
    def of(cls, client: records.Client) -> Self:
        return cls(
            client_id=client.client_id,
            name=client.name,
            xpm_client_id=client.xpm_client_id,
            account_email=client.account_email,
            details=dict(client.details),
            people=client.people,
            to_review=client.pending,
        )


class Clients(Told):
    """A page of clients, by name."""

    clients: list[Client]
    next: str | None
    """The cursor of the next page."""


class AddClient(Given):
    """A client to be added by hand."""

    personal: AmendedClient


class AddFromXpm(Given):
    """A client of XPM to be added, linked; its details come with the first import."""

    xpm_client_id: Identifier


class XpmClient(Told):
    """A client as XPM has it; `client_id` is there if it is in the portal already."""

    xpm_client_id: str
    name: str
    email: str | None
    business_structure: str | None
    archived: bool
    client_id: str | None


class XpmClients(Told):
    """What XPM has for a search."""

    clients: list[XpmClient]


class Relationship(Told):
    """A relationship as XPM holds it, or held it."""

    type: str
    in_xpm: bool


class Member(Told):
    """A person or entity under a client, and where it came from."""

    member_id: str
    client_id: str
    name: str
    co_owner: bool
    details: dict[str, str]
    digest: str
    """What a link to the member has to carry as seen."""
    source: Literal["imported", "linked", "portal"]
    decided_by: str | None
    decided_at: datetime | None
    relationships: list[Relationship]
    xpm_has: dict[str, str]
    """Fields that an import would have replaced and did not."""

    @classmethod
    def of(cls, member: records.Member) -> Self:
        return cls(
            member_id=member.member_id,
            client_id=member.client_id,
            name=member.name,
            co_owner=member.co_owner,
            details=dict(member.details),
            digest=member.digest,
            source=member.source,
            decided_by=member.decided_by,
            decided_at=member.decided_at,
            relationships=[Relationship(type=each.type, in_xpm=each.in_xpm) for each in member.ties],
            xpm_has=member.kept,
        )


class Members(Told):
    """The people of a client, by name."""

    members: list[Member]


class RecordMember(Given):
    """A person to be recorded by hand, or amended: a field that is absent stays as it is, null clears it."""

    personal: AmendedPerson
    relationship: Short | None = None
    co_owner: bool | None = None

    def told(self) -> dict[str, Any]:
        """The fields that were sent, as the command carries them."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class Item(Told):
    """One relationship that an import brought."""

    item_id: str
    client_id: str
    xpm_party_id: str
    state: str
    reason: str | None
    name: str
    personal: dict[str, str]
    relationship: dict[str, Any]
    archived: bool
    stub: bool
    details_as_of: datetime | None
    digest: str
    """What a decision has to carry as seen."""
    member_id: str | None
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, item: records.Item) -> Self:
        return cls(
            **{
                name: getattr(item, name)
                for name in cls.model_fields
                if name not in {"personal", "relationship"}
            },
            personal=dict(item.personal),
            relationship=dict(item.relationship),
        )


class Items(Told):
    """A page of what waits for a decision, by name."""

    items: list[Item]
    next: str | None


class ImportItem(Given):
    """Import the item, with what was amended. A field that is absent confirms what XPM has; null clears it."""

    seen: Digest
    """The item's digest as it was shown."""
    co_owner: bool = False
    relationship: Short | None = None
    personal: AmendedPerson | None = None


class LinkItem(Given):
    """Link the item to a member, which it replaces."""

    member_id: Identifier
    seen_item: Digest
    seen_member: Digest


class Decision(Given):
    """One decision among many; what belongs to it is in the part that is called like it."""

    item_id: Identifier
    decision: Literal["import", "ignore", "link"]
    import_as: ImportItem | None = None
    link_to: LinkItem | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.decision == "import") != (self.import_as is not None):
            raise ValueError("import_as belongs to the decision import, and to no other")
        if (self.decision == "link") != (self.link_to is not None):
            raise ValueError("link_to belongs to the decision link, and to no other")
        return self


class Decisions(Given):
    """Decisions to be made at once; each stands for itself and may be refused on its own."""

    decisions: Annotated[list[Decision], Field(min_length=1, max_length=MOST_DECISIONS)]


class CommandStates(Told):
    """What became of each, in the order in which they were sent."""

    commands: list[CommandState]


class RequestImports(Given):
    """Imports to be asked for. Several share a `bulk_id` and are summed up in one row of progress."""

    client_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Requested(Told):
    """An import that was asked for; its id is that of its row of progress."""

    client_id: str
    import_id: str


class RequestedImports(Told):
    """The imports that were asked for."""

    imports: list[Requested]
    bulk_id: str | None
    unknown: list[str]
    """Ids under which there is no client."""


class EmailHolder(Told):
    """Whether an e-mail is free for a co-owner; the resolver checks it again."""

    free: bool
    held_by: str | None


class AuthorizeRequest(Given):
    """Where the browser comes back to after the consent; the console's own page unless given."""

    return_url: Annotated[str, Field(pattern=r"^https?://", max_length=2000)] | None = None


class Authorize(Told):
    """Where the browser goes to consent. `proof` proves afterwards that it is the same browser: keep it there."""

    authorize_url: str
    proof: str


class CompleteRequest(Given):
    """The `ticket` that the browser came back with, and the proof of where it was begun."""

    ticket: Annotated[str, Field(max_length=200)]
    proof: Annotated[str, Field(max_length=200)]


class Completed(Told):
    """What the attempt came to; `reason` says why it failed."""

    connection: Literal["connected", "choose_practice", "failed"]
    reason: str | None


class ChoosePractice(Given):
    """One of the practices that a consent gave access to."""

    connection_id: Identifier
