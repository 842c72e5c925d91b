"""Signing in by OpenID Connect: the practice and the role come from claims, and without a practice nobody gets in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browsing.issuer import CLIENT_ID, CLIENT_SECRET, issuing
from tests.support.browsing.serving import Served, portal_process
from tests.support.processes import running
from tests.support.system import Practice

KEY = "a-key-of-thirty-two-characters-or-more"
STAFF = {"name": "Ida Sørensen", "muster_role": "staff", "muster_practice": "Oak & Co"}


@asynccontextmanager
async def sent_to_sign_in(
    muster: Served, browser: Browser, folder: Path, claims: dict
) -> AsyncIterator[Page]:
    """A browser that was sent to the issuer by a portal outside demo mode, and back."""
    async with issuing(claims) as issuer:
        portal = portal_process(
            muster.system,
            folder,
            MUSTER_DEMO="false",
            MUSTER_TOKEN_KEY=KEY,
            MUSTER_COOKIE_SECURE="false",
            MUSTER_OIDC_ISSUER=issuer.address,
            MUSTER_OIDC_CLIENT_ID=CLIENT_ID,
            MUSTER_OIDC_CLIENT_SECRET=CLIENT_SECRET,
        )
        async with running(portal):
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(f"{portal.address}/clients")
            await page.get_by_role("link", name="Continue to sign in").click()
            yield page
            await context.close()


async def test_the_claims_say_which_practice_and_what_may_be_done(
    muster: Served, practice: Practice, browser, tmp_path
) -> None:
    """Staff of a practice see its clients and may add to them."""
    await practice.add_client("oak")
    claims = {**STAFF, "muster_tenant": practice.tenant_id}
    async with sent_to_sign_in(muster, browser, tmp_path, claims) as page:
        await expect(page).to_have_url(re.compile("/clients$"))
        await expect(page.get_by_role("banner")).to_contain_text("Ida Sørensen")
        await expect(page.get_by_role("banner")).to_contain_text("Oak & Co")
        await expect(page.get_by_role("link", name="oak", exact=True)).to_be_visible()
        await expect(page.get_by_role("link", name="Add by hand")).to_be_visible()


async def test_without_the_role_one_may_only_look(
    muster: Served, practice: Practice, browser, tmp_path
) -> None:
    """No claim of a role is the least of them."""
    claims = {"name": "Ida", "muster_tenant": practice.tenant_id}
    async with sent_to_sign_in(muster, browser, tmp_path, claims) as page:
        await expect(page.get_by_role("banner")).to_contain_text("read-only")
        await expect(page.get_by_role("link", name="Add by hand")).to_have_count(0)


@pytest.mark.parametrize("claims", [STAFF, {**STAFF, "muster_tenant": "not ascii \u00e4"}])
async def test_without_a_practice_nobody_gets_in(muster: Served, browser, tmp_path, claims) -> None:
    """The issuer knows them, and we do not."""
    async with sent_to_sign_in(muster, browser, tmp_path, claims) as page:
        await expect(page.get_by_role("main")).to_contain_text("belongs to no practice here")
        await page.goto(page.url.partition("/sign-in")[0] + "/clients")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
