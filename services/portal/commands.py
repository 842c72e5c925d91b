"""Publishing commands, and waiting for what each came to."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from schemas.codec import content_digest, encode
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.envelope import EventData
from schemas.fields import timestamp
from schemas.ids import derived_id
from schemas.imports import ImportRequested
from schemas.outcomes import OutcomeRecorded
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from schemas.topics import JOURNAL, REQUESTS
from services.portal.news import News
from services.portal.people import Person
from services.portal.reads import Reads
from worker.failures import NotPublished
from worker.problems import Problem, unavailable
from worker.publisher import Publisher
from worker.records import Outgoing

SOURCE = "/portal/console"
KEY_REUSED = Problem(422, "key-reused", "Another command was sent under this key: use a new one.")


@dataclass(frozen=True, slots=True)
class Command:
    """A command under its id. The same id with the same content again has no further effect."""

    id: str
    data: EventData

    @property
    def content(self) -> bytes:
        """The digest by which the resolver tells the same command again from another one."""
        return content_digest(self.data.TYPE, _subject(self.data), self.data.model_dump(exclude_unset=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command; `outcome` None: it is published, and not known to be processed yet."""

    command: Command
    outcome: OutcomeRecorded | None

    @property
    def applied(self) -> bool:
        return self.outcome is not None and self.outcome.result == "applied"

    @property
    def refused(self) -> bool:
        return self.outcome is not None and self.outcome.result != "applied"


def command_id(tenant_id: str, idempotency_key: str | None, *parts: str) -> str:
    """A new id, or the one that belongs to the key, so that a command sent twice is one command."""
    return derived_id(tenant_id, "portal", idempotency_key, *parts) if idempotency_key else str(uuid4())


class Commands:
    """The way of a tenant's commands to the topics, and of their outcomes back."""

    def __init__(self, publisher: Publisher, news: News, reads: Reads) -> None:
        self._publisher = publisher
        self._news = news
        self._reads = reads

    async def publish(self, person: Person, commands: Sequence[Command]) -> None:
        """Publish commands and return when all are acknowledged. Raises `Problem` when Kafka does not take them."""
        try:
            await self._publisher.publish([_outgoing(person.tenant_id, each) for each in commands])
        except NotPublished as error:
            raise unavailable("Muster can't take this in at the moment; try again.") from error

    async def carry_out(self, person: Person, command: Command, within: float) -> Answer:
        """Publish a command and wait so many seconds for its outcome. Raises `Problem` like `publish`."""
        (answer,) = await self.carry_out_all(person, [command], within)
        return answer

    async def carry_out_all(self, person: Person, commands: Sequence[Command], within: float) -> list[Answer]:
        """The same for several; the seconds are for all of them together."""
        with ExitStack() as listening:
            answers = [
                listening.enter_context(self._news.awaiting(person.tenant_id, each.id)) for each in commands
            ]
            await self.publish(person, commands)
            if answers:
                await asyncio.wait(answers, timeout=within)
            missed = [each.id for each, answer in zip(commands, answers, strict=True) if not answer.done()]
        late = await self._reads.outcomes(person.tenant_id, missed) if missed else {}
        return [
            Answer(command, answer.result() if answer.done() else late.get(command.id))
            for command, answer in zip(commands, answers, strict=True)
        ]

    async def check_unused(self, person: Person, commands: Sequence[Command]) -> None:
        """Raise `Problem` where another command was published under the id of one of these."""
        said = await self._reads.claims(person.tenant_id, [each.id for each in commands])
        for each in commands:
            if said.get(each.id, each.content) != each.content:
                raise KEY_REUSED

    async def outcome(self, tenant_id: str, command_id: str, within: float) -> OutcomeRecorded | None:
        """What a command came to, waiting for it if need be.

        What is told at once comes from Kafka; what came before this process listened is in the resolver's table.
        """
        with self._news.awaiting(tenant_id, command_id) as answer:
            found = await self._reads.outcomes(tenant_id, [command_id])
            if found or not within:
                return found.get(command_id)
            try:
                return await asyncio.wait_for(answer, within)
            except TimeoutError:
                return (await self._reads.outcomes(tenant_id, [command_id])).get(command_id)


def _outgoing(tenant_id: str, command: Command) -> Outgoing:
    topic = REQUESTS if isinstance(command.data, ImportRequested) else JOURNAL
    event = encode(
        command.data,
        id=command.id,
        source=SOURCE,
        time=timestamp(int(datetime.now(UTC).timestamp() * 1000)),
        subject=_subject(command.data),
        tenant_id=tenant_id,
    )
    return Outgoing(topic, tenant_id, event)


def _subject(data: EventData) -> str:
    match data:
        case ImportRequested() | ClientAdded():
            return f"clients/{data.client_id}"
        case MemberRecorded() | MemberRemoved():
            return f"members/{data.member_id}"
        case ItemImported() | ItemIgnored() | ItemLinked():
            return f"items/{data.item_id}"
    raise AssertionError(data)
