"""What the importer needs to know beside what every worker does."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from schemas.fields import Identifier, Name, TenantId
from services.importer.xpm.directions import Direction
from worker.settings import Positive, Seconds, Settings

XPM_CALLS_AT_ONCE = 5
"""What XPM allows an application at one practice."""


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
    """Calls at once for one import; with the above no more than XPM allows, so that no process need ask another."""
    import_lease_seconds: Annotated[float, Field(ge=1)] = 30
    """How long the imports that a process had in hand lie idle when it is killed."""
    import_retry_seconds: Seconds = 3600
    """How long an import is tried again while XPM is down or unreadable."""
    import_deadline_seconds: Annotated[float, Field(gt=0, lt=72 * 3600)] = 70 * 3600
    """After this time an import ends one way or the other: before its row of progress is gone."""

    @model_validator(mode="after")
    def _as_xpm_allows(self) -> Self:
        if self.imports_per_practice * self.import_calls > XPM_CALLS_AT_ONCE:
            raise ValueError(
                f"MUSTER_IMPORTS_PER_PRACTICE times MUSTER_IMPORT_CALLS is more than the {XPM_CALLS_AT_ONCE} "
                "calls at once that XPM allows"
            )
        return self
