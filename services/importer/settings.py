"""What the importer needs to know beside what every worker does."""

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from schemas.fields import Identifier, Name, TenantId
from services.importer.connecting.application import Application
from services.importer.connecting.keyring import DEMO_KEY, Keyring
from services.importer.xpm.directions import Direction
from worker.settings import Positive, Seconds, Settings
from worker.tokens import is_loopback


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("not a time zone that this machine knows, such as Pacific/Auckland") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known)]
WebAddress = Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$", max_length=2000)]
XpmAddress = Annotated[WebAddress, AfterValidator(lambda address: address.rstrip("/"))]
LEAST_TOKEN = 32


class Connection(BaseModel):
    """A practice's connection to XPM."""

    xpm_tenant_id: Identifier
    access_token: SecretStr
    practice_name: Name | None = None
    time_zone: TimeZone | None = None
    """Where a day ends for the practice, such as `Pacific/Auckland`; UTC unless given. XPM does not tell."""


class ImporterSettings(Settings):
    """Configuration of the importer, from the environment."""

    xpm_url: XpmAddress = "https://api.xero.com"
    xpm_connections: dict[TenantId, Connection] = Field(default_factory=dict)
    """A JSON object: our tenant's id -> its connection."""

    xpm_directions: dict[TenantId, dict[str, Direction]] = Field(default_factory=dict)
    """A JSON object: our tenant's id -> XPM's word -> how the practice means it, unless it says otherwise."""
    xpm_client_id: str | None = None
    """What Xero knows us as; with it go the secret and the redirect address, as they are registered there."""
    xpm_client_secret: SecretStr | None = None
    xpm_redirect_url: WebAddress | None = None
    """How browsers reach `/oauth/callback` of the importer, `https://muster.example/oauth/callback`."""
    xpm_scopes: str = "offline_access practicemanager.client.read"
    xpm_authorize_url: WebAddress = "https://login.xero.com/identity/connect/authorize"
    xpm_token_url: WebAddress = "https://identity.xero.com/connect/token"  # noqa: S105 - an address
    xpm_revocation_url: WebAddress = "https://identity.xero.com/connect/revocation"
    xpm_token_keys: SecretStr | None = None
    """Encrypt the tokens: Fernet keys separated by commas. The first one encrypts, any of them decrypts."""
    xpm_practice_shared: bool = False
    """Whether two tenants may be connected to one practice; as a rule that is a mix-up."""
    xpm_time_zone: TimeZone = "UTC"
    """Where a day ends for practices that connect themselves. XPM does not tell."""
    connect_return_urls: tuple[WebAddress, ...] = ("http://127.0.0.1", "http://localhost")
    """A JSON list: below which addresses browsers may be sent back to. One of this machine stands for all its ports."""
    connect_seconds: Seconds = 900
    """How long a person may take to consent at Xero."""

    internal_token: SecretStr | None = None
    """What callers of the internal HTTP API bear: 32 characters or more. Needed to listen beyond this machine."""

    imports_at_once: Positive = 250
    """Imports that a process has in hand at once: a bound for its memory, and far more than slow practices can fill."""
    imports_per_practice: Positive = 4
    """Imports of one practice in hand at once, over all processes: as many as may call at once beside a person.

    Those whose client a list has brought call nobody, and do not count; of a practice that answers quickly there are
    more, and they take turns to call."""
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
    xpm_mirror: bool = True
    """Keep details of parties, so that they need not be read for each import; else nothing of them is kept."""
    xpm_mirror_fresh_seconds: Seconds = 10
    """How old details may be when an import is asked for; else XPM is asked what has changed."""
    xpm_mirror_whole_seconds: Seconds = 7 * 86_400
    """How old the last reading of everything may be: not every change shows otherwise."""
    xpm_list_imports: Positive = 20
    """So many imports of a practice that wait are read by one list of everything, not client by client."""

    xpm_minute_seconds: Seconds = 60
    xpm_day_seconds: Seconds = 86_400
    """How long the limits' windows last; other than so only at a sandbox whose time is quickened."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        asked = (self.xpm_client_secret, self.xpm_redirect_url, self.keys)
        if self.xpm_client_id is not None and not all(asked):
            raise ValueError(
                "MUSTER_XPM_CLIENT_ID, _CLIENT_SECRET, _REDIRECT_URL and MUSTER_XPM_TOKEN_KEYS belong together"
            )
        try:
            Keyring(self.keys or [DEMO_KEY])
        except ValueError:
            raise ValueError(
                "MUSTER_XPM_TOKEN_KEYS: each has to be 32 bytes in URL-safe base64; `muster xpm-keys --new` makes one"
            ) from None
        token = self.internal_token.get_secret_value() if self.internal_token else None
        if token is None and not is_loopback(self.http_host):
            raise ValueError(
                f"MUSTER_INTERNAL_TOKEN is needed to listen on {self.http_host} (MUSTER_HTTP_HOST)"
            )
        if token is not None and len(token) < LEAST_TOKEN:
            raise ValueError(f"MUSTER_INTERNAL_TOKEN is too short: {LEAST_TOKEN} characters or more")
        return self

    @property
    def keys(self) -> list[str]:
        """The keys, the newest first; in demo mode one that everybody knows."""
        given = self.xpm_token_keys.get_secret_value() if self.xpm_token_keys else ""
        return [key.strip() for key in given.split(",") if key.strip()] or ([DEMO_KEY] if self.demo else [])

    @property
    def application(self) -> Application | None:
        """What Xero knows us as, if practices can connect themselves."""
        if self.xpm_client_id is None or self.xpm_client_secret is None or self.xpm_redirect_url is None:
            return None
        return Application(
            self.xpm_client_id,
            self.xpm_client_secret,
            self.xpm_redirect_url,
            self.xpm_authorize_url,
            self.xpm_token_url,
            self.xpm_revocation_url,
            self.xpm_scopes,
        )
