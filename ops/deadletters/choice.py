"""Which dead letters are meant: by id, or by what they have in common."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from ops.deadletters.letter import DeadLetter
from ops.ending import Misused
from ops.times import instant

State = Literal["open", "redriven", "discarded", "replayed", "in doubt"]
SHORTEST_ID = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A letter is meant if everything that is given fits. `ids` may be beginnings of ids; times are milliseconds."""

    ids: Collection[str] = ()
    why: str | None = None
    topic: str | None = None
    tenant: str | None = None
    type: str | None = None
    group: str | None = None
    since: int | None = None
    until: int | None = None
    state: State | None = "open"

    def __post_init__(self) -> None:
        short = [each for each in self.ids if len(each) < SHORTEST_ID]
        if short:
            raise Misused(f"{short[0]!r} is too short for an id: {SHORTEST_ID} characters at least.")

    @property
    def narrows(self) -> bool:
        """Whether it says anything beside the state."""
        return bool(self.ids) or any(
            each is not None
            for each in (self.why, self.topic, self.tenant, self.type, self.group, self.since, self.until)
        )

    def means(self, letter: DeadLetter, state: State) -> bool:
        """Whether the letter, which stands like that, is one of those."""
        return (
            (self.state is None or self.state == state)
            and (not self.ids or any(letter.id.startswith(each) for each in self.ids))
            and self.why in {None, letter.why}
            and (self.topic is None or self.topic in {letter.topic, letter.kept_in})
            and self.tenant in {None, letter.tenant_id}
            and self.type in {None, letter.event_type, letter.short_type}
            and self.group in {None, letter.group}
            and (self.since is None or self.since <= letter.kept_at)
            and (self.until is None or letter.kept_at < self.until)
        )

    def arguments(self) -> Mapping[str, object]:
        """For the audit: what was said, without what was not."""
        said: dict[str, object] = {"state": self.state or "all"}
        said |= {
            name: getattr(self, name) for name in self.__slots__ if getattr(self, name) not in (None, ())
        }
        for name, time in (("since", self.since), ("until", self.until)):
            if time is not None:
                said[name] = f"{instant(time):%Y-%m-%dT%H:%M:%SZ}"
        return said
