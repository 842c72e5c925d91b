"""The journey of Northlight Joinery: from an empty portal until all people have been dealt with."""

from collections.abc import Sequence
from typing import Any, Protocol

import httpx

from ops.demo.portal import Portal
from sandbox import harbour
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked, SeenItem, SeenItemAndMember
from schemas.imports import ImportRequested, RequestPersonal
from schemas.outcomes import OutcomeRecorded
from schemas.people import AmendedClient, AmendedPerson
from schemas.portal import ClientAdded, MemberRecorded

CLIENT = "northlight"
TRUST = "ellison-family-trust"
POTTERY = "pier-street-pottery"
STAFF = "Anna Lindqvist"
OPEN_ITEMS = """
    SELECT item_id, digest, xpm_party_id, personal, relationship, archived, stub
    FROM resolver.items WHERE client_id = $1 AND state = 'pending'
    ORDER BY personal->>'name', relationship->>'type'
"""
MEMBERS = """
    SELECT member.member_id, member.co_owner, member.details, member.provenance, member.digest,
        link.xpm_party_id IS NOT NULL AS linked,
        array(
            SELECT item.relationship->>'type' FROM resolver.items AS item
            WHERE item.member_id = member.member_id AND item.state IN ('imported', 'linked', 'attached')
            ORDER BY 1
        ) AS relationships
    FROM resolver.members AS member LEFT JOIN resolver.links AS link USING (tenant_id, member_id)
    WHERE member.client_id = $1 AND NOT member.removed
    ORDER BY member.details->>'name'
"""


class Narrator(Protocol):
    """Whoever shows the story."""

    def chapter(self, title: str) -> None: ...
    def step(self, text: str) -> None: ...
    def answer(self, outcome: OutcomeRecorded) -> None: ...
    def items(self, items: Sequence[dict[str, Any]]) -> None: ...


class Story:
    """The steps, each through a public interface; `narrator` is told of each as it happens."""

    def __init__(self, portal: Portal, sandbox: httpx.AsyncClient, narrator: Narrator) -> None:
        self._portal = portal
        self._sandbox = sandbox
        self._narrator = narrator

    async def play(self) -> Sequence[dict[str, Any]]:
        """All of it. Returns the members as the read side shows them at the end."""
        await self._fill_the_portal()
        await self._import()
        await self._import_mara_as_co_owner()
        await self._link_tomas()
        await self._ignore("Wren & Co Auditors", "D'Arcy Okafor")
        seen = await self._item(harbour.HOLDINGS)
        await self._change_xpm()
        await self._import()
        await self._import_holdings(seen)
        await self._ignore("Wren & Co Auditors")
        await self._import_item(harbour.OKAFOR)
        return await self._portal.read(MEMBERS, CLIENT)

    async def leave_a_review(self) -> None:
        """Another client's import, whose people wait for whoever opens the console."""
        self._narrator.chapter("Left to you: another client")
        await self._tell(
            "Add the client Ellison Family Trust, linked to its record in XPM",
            ClientAdded(
                client_id=TRUST,
                xpm_client_id=harbour.FAMILY_TRUST,
                added_by=STAFF,
                personal=AmendedClient(name="Ellison Family Trust"),
            ),
            f"clients/{TRUST}",
        )
        await self._tell(
            "Record Mara, the trust's appointor, by hand",
            MemberRecorded(
                member_id=f"{TRUST}-mara",
                client_id=TRUST,
                relationship="Appointor",
                recorded_by=STAFF,
                personal=AmendedPerson(name="Mara", phone="0400 000 001"),
            ),
            f"members/{TRUST}-mara",
        )
        await self._tell(
            "Add the client Pier Street Pottery, which is only in the portal",
            ClientAdded(
                client_id=POTTERY, added_by=STAFF, personal=AmendedClient(name="Pier Street Pottery")
            ),
            f"clients/{POTTERY}",
        )
        await self._import(TRUST, harbour.FAMILY_TRUST, "Ellison Family Trust")

    async def _fill_the_portal(self) -> None:
        self._narrator.chapter("The portal, before XPM")
        await self._tell(
            "Add the client Northlight Joinery, linked to its record in XPM",
            ClientAdded(
                client_id=CLIENT,
                xpm_client_id=harbour.NORTHLIGHT,
                added_by=STAFF,
                personal=AmendedClient(
                    name="Northlight Joinery", account_email="office@northlight.example", phone="02 5550 0000"
                ),
            ),
            f"clients/{CLIENT}",
        )
        await self._tell(
            "Record Tom Ellison by hand",
            MemberRecorded(
                member_id=f"{CLIENT}-tom",
                client_id=CLIENT,
                relationship="Director",
                recorded_by=STAFF,
                personal=AmendedPerson(
                    name="Tom Ellison", phone="0400 000 000", email="tom@northlight.example"
                ),
            ),
            f"members/{CLIENT}-tom",
        )

    async def _import(
        self,
        client_id: str = CLIENT,
        xpm_client_id: str = harbour.NORTHLIGHT,
        name: str = "Northlight Joinery",
    ) -> None:
        self._narrator.chapter("Import items from Xero Practice Manager")
        self._narrator.step(f"Request the import of {name}")
        import_id = await self._portal.request(
            ImportRequested(
                client_id=client_id,
                xpm_client_id=xpm_client_id,
                requested_by=STAFF,
                personal=RequestPersonal(client_name=name),
            ),
            f"clients/{client_id}",
        )
        outcome = await self._portal.wait_for(lambda outcome: _brought(outcome, import_id))
        self._narrator.answer(outcome)
        self._narrator.items(await self._portal.read(OPEN_ITEMS, client_id))

    async def _import_mara_as_co_owner(self) -> None:
        self._narrator.chapter("Import, amended, as account co-owner")
        item = await self._item(harbour.MARA)
        for email in ("Office@Northlight.example", "mara@northlight.example"):
            await self._tell(
                f"Import Mara Ellison as Mara J. Ellison, account co-owner with {email}",
                ItemImported(
                    item_id=item["item_id"],
                    decided_by=STAFF,
                    seen=SeenItem(item=item["digest"]),
                    co_owner=True,
                    personal=AmendedPerson(name="Mara J. Ellison", email=email),
                ),
                f"items/{item['item_id']}",
            )

    async def _link_tomas(self) -> None:
        self._narrator.chapter("Link to existing")
        item = await self._item(harbour.TOMAS)
        (member,) = [
            row for row in await self._portal.read(MEMBERS, CLIENT) if row["member_id"] == f"{CLIENT}-tom"
        ]
        await self._tell(
            "Link Ellison, Tomas to Tom Ellison, who is there already",
            ItemLinked(
                item_id=item["item_id"],
                member_id=member["member_id"],
                decided_by=STAFF,
                seen=SeenItemAndMember(item=item["digest"], member=member["digest"]),
            ),
            f"items/{item['item_id']}",
        )

    async def _ignore(self, *names: str) -> None:
        self._narrator.chapter("Ignore")
        for item in await self._portal.read(OPEN_ITEMS, CLIENT):
            if item["personal"]["name"] in names:
                await self._tell(
                    f"Ignore {item['personal']['name']}",
                    ItemIgnored(item_id=item["item_id"], decided_by=STAFF),
                    f"items/{item['item_id']}",
                )

    async def _change_xpm(self) -> None:
        self._narrator.chapter("Meanwhile, in Xero Practice Manager")
        for party, name, phone in (
            (harbour.HOLDINGS, "Ellison Holdings", "(02) 5550 0199"),
            (harbour.TOMAS, "Tomas Ellison", "0491 570 222"),
        ):
            self._narrator.step(f"Somebody gives {name} another phone number")
            change = await self._sandbox.patch(
                f"/sandbox/practices/{harbour.TENANT_ID}/parties/{party}", json={"fields": {"Phone": phone}}
            )
            change.raise_for_status()

    async def _import_holdings(self, seen: dict[str, Any]) -> None:
        self._narrator.chapter("A decision on details that changed since they were seen")
        for digest in (seen["digest"], (await self._item(harbour.HOLDINGS))["digest"]):
            await self._tell(
                "Import Ellison Holdings, "
                + ("as it was shown before" if digest == seen["digest"] else "having looked again"),
                ItemImported(item_id=seen["item_id"], decided_by=STAFF, seen=SeenItem(item=digest)),
                f"items/{seen['item_id']}",
            )

    async def _import_item(self, party: str) -> None:
        self._narrator.chapter("The last one")
        item = await self._item(party)
        await self._tell(
            f"Import {item['personal']['name']}",
            ItemImported(item_id=item["item_id"], decided_by=STAFF, seen=SeenItem(item=item["digest"])),
            f"items/{item['item_id']}",
        )

    async def _item(self, party: str) -> dict[str, Any]:
        items = await self._portal.read(OPEN_ITEMS, CLIENT)
        return next(item for item in items if item["xpm_party_id"] == party)

    async def _tell(self, step: str, data: Any, subject: str) -> None:
        self._narrator.step(step)
        self._narrator.answer(await self._portal.tell(data, subject))


def _brought(outcome: OutcomeRecorded, import_id: str) -> bool:
    over = {"ready_for_review", "in_review", "completed", "failed"}
    return any(run.import_id == import_id and run.status in over for run in outcome.imports)
