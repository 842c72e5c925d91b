"""A whole Muster with its portal, whose demo users belong to the practices of the test."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ServiceProcess, running
from tests.support.system import System, whole_system

STAFF = {
    "anna": ("Anna Lindqvist", "staff"),
    "ben": ("Ben Okoye", "staff"),
    "rita": ("Rita Moss", "read_only"),
}


NOT_CONNECTED = "not-connected"
"""A practice that nobody connects to XPM."""
CONNECT_THEMSELVES = (
    "new-practice",
    "of-two-minds",
    "of-two-practices",
    "of-another-sign-in",
    "of-two-shifts",
    "lured",
)
"""Practices that staff connect in a test."""


@dataclass(frozen=True, slots=True)
class Served:
    """The system, and where its console is."""

    system: System
    portal: ServiceProcess

    @property
    def address(self) -> str:
        return self.portal.address


@asynccontextmanager
async def served(kafka: str, dsn: str, folder: Path, practices: int) -> AsyncIterator[Served]:
    """Everything, ready: tenants `practice-0` and so on, and Harbour & Hill's."""
    async with whole_system(kafka, dsn, folder, practices) as system:
        portal = portal_process(system, folder)
        async with running(portal):
            yield Served(system, portal)


def portal_process(system: System, folder: Path, name: str = "portal", **variables: str) -> ServiceProcess:
    """A portal for the system; `variables` are settings of its own."""
    given = {
        "MUSTER_DEMO": "true",
        "MUSTER_DEMO_USERS": json.dumps(
            [
                user
                for tenant in [*system.connected, NOT_CONNECTED, *CONNECT_THEMSELVES]
                for user in _users(tenant)
            ]
        ),
        "MUSTER_NOTIFIER_URL": system.notifier,
        "MUSTER_IMPORTER_URL": system.services["importer"].address,
        "MUSTER_SESSION_KEY": secrets.token_hex(32),
        "MUSTER_SIGN_INS_PER_MINUTE": "1000",
        **variables,
    }
    return ServiceProcess("portal", system.settings, folder, process_name=name, **given)


def _users(tenant_id: str) -> list[dict[str, str]]:
    return [
        {
            "username": f"{who}@{tenant_id}",
            "name": name,
            "tenant_id": tenant_id,
            "practice": "Harbour & Hill Accountants",
            "role": role,
        }
        for who, (name, role) in STAFF.items()
    ]
