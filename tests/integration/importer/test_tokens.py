"""Tokens: renewed in time, once for everybody, survived when answers are lost, and nowhere in plain."""

import asyncio

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from sandbox import harbour
from services.importer.connecting import upkeep
from services.importer.connecting.keyring import Keyring
from services.importer.xpm import errors
from services.importer.xpm.api import Xpm
from tests.support.connecting.desk import KEY, Desk, World, world


async def read(desk: Desk, tenant: str = "t1") -> str | None:
    """Read a client as an import does."""
    client = await Xpm(desk.http, await desk.keys.of(tenant)).read_client(harbour.NORTHLIGHT)
    return client.details.name


def renewals(xpm: World) -> int:
    """How many token sets the sandbox has handed out beyond the first."""
    return xpm.sandbox.authority.issues - 1


async def test_a_token_is_renewed_before_it_is_over(desk: Desk, xpm: World) -> None:
    await desk.connect()
    await read(desk)
    assert renewals(xpm) == 0
    await desk.expire()
    await read(desk)
    await read(desk)
    assert renewals(xpm) == 1


async def test_everybody_waits_for_the_one_who_renews(desk: Desk, xpm: World) -> None:
    """Twenty calls of one process and of another find the token over: it is renewed once."""
    await desk.connect()
    await desk.expire()
    async with xpm.desk() as other:
        await asyncio.gather(*(read(each) for each in [desk, other] * 10))
    assert renewals(xpm) == 1


async def test_a_token_that_dies_is_renewed_and_the_call_is_made_again(desk: Desk, xpm: World) -> None:
    """Within one import too, between two of its calls."""
    await desk.connect()
    client = Xpm(desk.http, await desk.keys.of("t1"))
    xpm.trouble("token_dies", calls=1)
    names = [(await client.read_client(each)).details.name for each in (harbour.NORTHLIGHT, harbour.MARA)]
    assert names == ["Northlight Joinery Pty Ltd", "Mara Ellison"]
    assert renewals(xpm) == 1


async def test_a_lost_answer_is_survived(desk: Desk, xpm: World) -> None:
    """The old refresh token is good for another while: also when the second attempt is lost too."""
    await desk.connect()
    await desk.expire()
    xpm.trouble("refresh_lost", calls=1)
    assert await read(desk) == "Northlight Joinery Pty Ltd"
    await desk.expire()
    xpm.trouble("refresh_lost", calls=4)
    with pytest.raises(errors.SourceUnavailable):
        await read(desk)
    assert await read(desk) == "Northlight Joinery Pty Ltd"
    assert (await desk.connection())["state"] == "connected"


async def test_the_next_refresh_token_is_committed_before_its_access_token_is_used(
    desk: Desk, xpm: World
) -> None:
    """A process that dies right after the renewal leaves the next set in the row."""
    await desk.connect()
    await desk.expire()
    key = await desk.keys.of("t1")
    access = await key.access()
    async with xpm.desk() as survivor:
        assert (await (await survivor.keys.of("t1")).access()).token == access.token
    assert renewals(xpm) == 1


async def test_an_answer_lost_for_too_long_needs_another_consent(database: str) -> None:
    """After the grace Xero no longer takes the old token."""
    async with world(database, grace=0) as xpm, xpm.desk() as desk:
        await desk.connect()
        await desk.expire()
        xpm.trouble("refresh_lost", calls=1)
        with pytest.raises(errors.ReconnectRequired):
            await read(desk)
        assert (await desk.connection())["state"] == "reconnect_required"


async def test_a_withdrawn_consent_is_told_and_can_be_given_again(desk: Desk, xpm: World) -> None:
    """By a refresh that is refused: the tokens are forgotten, and staff are told what to do."""
    await desk.connect(user="anna@x.example")
    xpm.sandbox.authority.withdraw("anna@x.example")
    await desk.expire()
    for _ in range(2):
        with pytest.raises(errors.ReconnectRequired):
            await read(desk)
    connection = await desk.connection()
    assert (connection["state"], connection["practice_name"]) == ("reconnect_required", harbour.NAME)
    *_, fact = await desk.facts()
    assert (fact.state, fact.message) == ("reconnect_required", errors.ReconnectRequired.sentence)
    assert len(await desk.facts()) == 2
    assert await desk.pool.fetchval("SELECT tokens FROM connections") is None
    assert await desk.connect() == {"connection": "connected"}
    assert await read(desk) == "Northlight Joinery Pty Ltd"


async def test_a_practice_that_is_taken_away_at_xero_needs_another_consent(desk: Desk, xpm: World) -> None:
    """The tokens are alive, but reach the practice no longer: XPM answers 403, which alone may mean other things."""
    await desk.connect()
    xpm.sandbox.authority.connections.clear()
    answer = await desk.api.get("/internal/tenants/t1/clients", params={"query": "north"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "reconnect_required")
    assert (await desk.connection())["state"] == "reconnect_required"


async def test_a_token_is_not_used_for_another_practice(desk: Desk, xpm: World) -> None:
    """A key stays with its practice: who holds it while another practice is connected has to begin anew."""
    await desk.connect("t1")
    key = await desk.keys.of("t1")
    await desk.disconnect("t1")
    await desk.connect("t1", "5b0e2c1d-7d55-4d0b-8a6f-9c2f35a1e702")
    with pytest.raises(errors.SourceUnavailable):
        await key.access()


async def test_xero_being_away_loses_no_connection(desk: Desk, xpm: World) -> None:
    await desk.connect()
    await desk.expire()
    xpm.trouble("outage", path="/connect/token")
    with pytest.raises(errors.SourceUnavailable):
        await read(desk)
    xpm.sandbox.faults.clear()
    assert await read(desk) == "Northlight Joinery Pty Ltd"


async def test_tokens_are_nowhere_in_plain(desk: Desk, xpm: World, capsys, caplog) -> None:
    """Neither in any table of the importer, byte for byte, nor in what was logged."""
    await desk.connect("t1")
    await desk.connect("t2", harbour.TENANT_ID, "5b0e2c1d-7d55-4d0b-8a6f-9c2f35a1e702")
    await desk.expire()
    await read(desk)
    secrets = xpm.sandbox.authority.secrets()
    assert len(secrets) >= 6
    tables = await desk.pool.fetch(
        "SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'importer'"
    )
    kept = b""
    for table in tables:
        rows = await desk.pool.fetch(f"SELECT * FROM importer.{table['name']}")
        kept += b"".join(_bytes(value) for row in rows for value in row.values())
    said = capsys.readouterr()
    logged = f"{said.out}{said.err}{caplog.text}".encode()
    assert len(kept) > 1_000
    for secret in secrets:
        assert secret.encode() not in kept + logged


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def test_keys_are_rotated_without_anybody_noticing(xpm: World) -> None:
    """A new key in front: old rows can be read, are encrypted anew, and the old key can go."""
    new = Fernet.generate_key().decode()
    async with xpm.desk() as before:
        await before.connect("t1")
    async with xpm.desk(xpm_token_keys=SecretStr(f"{new},{KEY}")) as between:
        assert await read(between) == "Northlight Joinery Pty Ltd"
        assert await upkeep.reseal(between.pool, Keyring([new, KEY])) == upkeep.Sealed(0, 1, 0, [])
        assert await upkeep.reseal(between.pool, Keyring([new, KEY])) == upkeep.Sealed(1, 0, 0, [])
    async with xpm.desk(xpm_token_keys=SecretStr(new)) as after:
        assert await read(after) == "Northlight Joinery Pty Ltd"
        await after.expire()
        assert await read(after) == "Northlight Joinery Pty Ltd"


async def test_a_missing_key_destroys_nothing(xpm: World) -> None:
    """Imports wait as for an outage, and go on when the key is back."""
    async with xpm.desk() as before:
        await before.connect("t1")
    async with xpm.desk(xpm_token_keys=SecretStr(Fernet.generate_key().decode())) as without:
        with pytest.raises(errors.SourceUnavailable):
            await read(without)
    async with xpm.desk() as again:
        assert await read(again) == "Northlight Joinery Pty Ltd"


async def test_tokens_of_one_tenant_open_nothing_for_another(desk: Desk) -> None:
    """A row that was copied within the database is not read."""
    await desk.connect("t1")
    await desk.pool.execute(
        "INSERT INTO connections SELECT 't2', state, connection_id, xpm_tenant_id, "
        "practice_name, tokens, refresh_at, changed_at FROM connections"
    )
    with pytest.raises(errors.SourceUnavailable):
        await read(desk, "t2")
