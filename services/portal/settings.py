"""What the portal needs to know beside what every worker does."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from schemas.fields import Identifier, StaffName, TenantId
from worker.settings import Positive, Seconds, Settings

Role = Literal["staff", "read_only"]
PathPrefix = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=200)]
WebAddress = Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$", max_length=2000)]


class DemoUser(BaseModel):
    """Somebody who signs in without a password; in demo mode only."""

    model_config = ConfigDict(frozen=True)

    username: Identifier
    name: StaffName
    tenant_id: TenantId
    practice: str = ""
    """What the practice is called on the screens."""
    role: Role = "staff"


def _harbour(username: str, name: str, role: Role = "staff") -> DemoUser:
    return DemoUser(
        username=username,
        name=name,
        tenant_id="harbour-and-hill",
        practice="Harbour & Hill Accountants",
        role=role,
    )


DEMO_USERS = (
    _harbour("anna", "Anna Lindqvist"),
    _harbour("ben", "Ben Okoye"),
    _harbour("rita", "Rita Moss", "read_only"),
)


class PortalSettings(Settings):
    """Configuration of the portal, from the environment."""

    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Always a port of its own: whoever reaches the portal does not reach what is measured of it."""
    demo_users: tuple[DemoUser, ...] = DEMO_USERS
    """A JSON list of those who may sign in without a password; looked at in demo mode only."""

    session_key: SecretStr | None = None
    """Signs the sessions: 32 characters or more, the same for every process."""
    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 12
    """How long somebody is signed in, from the sign-in on."""
    cookie_secure: bool = True
    """Sessions travel over HTTPS only; in demo mode plain HTTP will do."""
    path_prefix: PathPrefix = ""
    """Where the portal lies behind a proxy: `/muster`."""
    public_url: WebAddress | None = None
    """How browsers reach it, `https://portal.example/muster`; unless given, it is taken from each request."""

    oidc_issuer: WebAddress | None = None
    """Sign-in by OpenID Connect: the issuer, whose `/.well-known/openid-configuration` says the rest."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_scopes: str = "openid profile email"
    oidc_tenant_claim: str = "muster_tenant"
    """The claim that holds our tenant's id. Without it nobody gets in."""
    oidc_practice_claim: str = "muster_practice"
    oidc_role_claim: str = "muster_role"
    """The claim that says `staff` or `read_only`; anything else, and nothing, is `read_only`."""

    notifier_url: WebAddress = "http://127.0.0.1:8080"
    importer_url: WebAddress = "http://127.0.0.1:8090"
    internal_token: SecretStr | None = None
    """What the importer's internal HTTP asks for."""

    outcome_seconds: Seconds = 8
    """How long a page waits for what a command came to before it says that it is under way."""
    commands_per_minute: Positive = 240
    """Of one person; a bulk of many counts as one."""
    reads_per_minute: Positive = 2400
    sign_ins_per_minute: Positive = 30
    """Of one address."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        oidc = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(oidc) and not all(oidc):
            raise ValueError("MUSTER_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET belong together")
        if not all(oidc) and not self.demo:
            raise ValueError(
                "nobody could sign in: give MUSTER_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET, or try it out with "
                "MUSTER_DEMO=true"
            )
        if self.session_key is None and not self.demo:
            raise ValueError("MUSTER_SESSION_KEY is missing: 32 characters or more that nobody can guess")
        if self.session_key is not None and len(self.session_key.get_secret_value()) < LEAST_KEY:
            raise ValueError("MUSTER_SESSION_KEY is too short: 32 characters or more")
        return self

    @property
    def signs_in_by_oidc(self) -> bool:
        return self.oidc_issuer is not None


LEAST_KEY = 32
