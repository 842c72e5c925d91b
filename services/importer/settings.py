"""What the importer needs to know beside what every worker does."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from schemas.fields import Identifier, Name, TenantId
from services.importer.xpm.directions import Direction
from worker.settings import Positive, Seconds, Settings


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("not a time zone that this machine knows, such as Pacific/Auckland") from None
    return name


class Connection(BaseModel):
    """A practice's connection to XPM."""

    xpm_tenant_id: Identifier
    access_token: SecretStr
    practice_name: Name | None = None
    time_zone: Annotated[str, AfterValidator(_known)] | None = None
    """Where a day ends for the practice, such as `Pacific/Auckland`; UTC unless given. XPM does not tell."""


class ImporterSettings(Settings):
    """Configuration of the importer, from the environment."""

    xpm_url: str = "https://api.xero.com"
    xpm_connections: dict[TenantId, Connection] = Field(default_factory=dict)
    """A JSON object: our tenant's id -> its connection."""

    xpm_directions: dict[TenantId, dict[str, Direction]] = Field(default_factory=dict)
    """A JSON object: our tenant's id -> XPM's word -> how the practice means it, where that is not as usual."""

    imports_at_once: Positive = 250
    """Imports that a process has in hand at once: a bound for its memory, and far more than slow practices can fill."""
    imports_per_practice: Positive = 2
    """Imports of one practice in hand at once, over all processes."""
    import_calls: Positive = 2
    """Calls at once for one import, as far as the quota allows."""
    import_lease_seconds: Annotated[float, Field(ge=1)] = 30
    """How long the imports that a process had in hand lie idle when it is killed."""
    import_retry_seconds: Seconds = 3600
    """How long an import is tried again while XPM is down or unreadable."""
    import_deadline_seconds: Annotated[float, Field(gt=0, lt=72 * 3600)] = 70 * 3600
    """After this time an import ends one way or the other: before its row of progress is gone."""

    xpm_calls_at_once: Positive = 5
    """Calls that may run at once at one practice, over all processes; one of them is kept for people who wait."""
    xpm_calls_a_minute: Positive = 60
    xpm_calls_a_day: Positive = 5_000
    """What Xero allows, or less; where it allows less than this, its answers say so."""
    xpm_kept_for_people_percent: Annotated[float, Field(ge=0, lt=100)] = 5
    """Of the minute's and the day's calls imports leave so many to people who search, and wait for the answer."""
    xpm_minute_seconds: Seconds = 60
    xpm_day_seconds: Seconds = 86_400
    """How long the limits' windows last; other than so only at a sandbox whose time is quickened."""
