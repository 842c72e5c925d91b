"""What every handler works with, and who is asking it."""

from dataclasses import dataclass

from starlette.requests import Request

from services.portal.commands import Commands
from services.portal.importer import Importer
from services.portal.limits import Limit
from services.portal.news import News
from services.portal.people import Person, check_may_change, person_of
from services.portal.problems import not_allowed
from services.portal.progress import Notifier
from services.portal.reads import Reads
from services.portal.sessions import Sessions
from services.portal.settings import PortalSettings
from worker.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one may ask for: each person, and each address at the sign-in."""

    commands: Limit
    reads: Limit
    sign_ins: Limit


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal's parts."""

    settings: PortalSettings
    reads: Reads
    commands: Commands
    importer: Importer
    notifier: Notifier
    news: News
    sessions: Sessions
    tokens: Tokens
    limits: Limits


def portal_of(request: Request) -> Portal:
    portal: Portal = request.app.state.portal
    return portal


def reader(request: Request) -> Person:
    """Who is asking to look at something. Raises `Problem`."""
    portal = portal_of(request)
    person = person_of(request, portal.tokens)
    portal.limits.reads.take(person.key)
    return person


def editor(request: Request) -> Person:
    """Who is asking for a form with which something is changed, and may. Raises `Problem`."""
    person = reader(request)
    if not person.may_decide:
        raise not_allowed()
    return person


def decider(request: Request, form_token: str | None = None) -> Person:
    """Who is asking to change something, and may. Raises `Problem`."""
    portal = portal_of(request)
    person = person_of(request, portal.tokens)
    check_may_change(request, person, form_token)
    portal.limits.commands.take(person.key)
    return person


def public_url(request: Request, path: str) -> str:
    """The address of a page of ours as browsers see it."""
    settings = portal_of(request).settings
    if settings.public_url is not None:
        return settings.public_url.rstrip("/") + path
    return f"{request.url.scheme}://{request.url.netloc}{settings.path_prefix}{path}"
