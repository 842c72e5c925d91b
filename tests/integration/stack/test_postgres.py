"""The embedded Postgres: durable, its own, and back after whatever happened to it."""

import contextlib
import socket
import subprocess

import asyncpg
import pytest

from stack.errors import ServerFailed
from stack.ports import LOOPBACK, socket_table
from stack.postgres import EmbeddedPostgres, unprivileged_user


async def fetch(dsn, query):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def write(dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept (number int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    await connection.close()


@pytest.mark.parametrize(
    ("setting", "expected"), [("fsync", "on"), ("synchronous_commit", "on"), ("server_encoding", "UTF8")]
)
async def test_it_is_durable(postgres_dsn, setting, expected):
    """What is committed is on disk."""
    assert expected == await fetch(postgres_dsn, f"SHOW {setting}")


@pytest.mark.parametrize(("setting", "expected"), [("wal_segment_size", "4MB"), ("max_wal_size", "1GB")])
async def test_commits_wait_for_small_segments_of_its_log(postgres_dsn, setting, expected):
    """And checkpoints are as far apart as with large ones, which `initdb` does not see to."""
    assert expected == await fetch(postgres_dsn, f"SHOW {setting}")


async def test_it_sorts_the_same_everywhere(postgres_dsn):
    """The order of text does not depend on the machine's locale."""
    assert await fetch(postgres_dsn, "SELECT 'B' < 'a' COLLATE \"default\"")


async def test_it_wants_the_password(postgres):
    """Another user of the machine does not get in."""
    await postgres.start()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn, password="wrong")


async def test_it_listens_on_the_loopback_interface_only(postgres):
    """Nobody outside the machine can reach it."""
    await postgres.start()

    addresses = {row.split()[1] for row in socket_table() if row.split()[3] == "0A"}
    assert {f"0100007F:{postgres.port:04X}"} == {
        one for one in addresses if one.endswith(f":{postgres.port:04X}")
    }


async def test_data_survives_kill_9_and_the_port_stays(postgres):
    """After a kill it comes back where clients look for it, with everything that was committed."""
    await postgres.start()
    await write(postgres.dsn)
    before = postgres.dsn

    await postgres.kill()
    await postgres.start()

    assert before == postgres.dsn
    assert await fetch(postgres.dsn, "SELECT number FROM kept") == 1


async def test_another_owner_finds_data_password_and_port(postgres, tmp_path):
    """The next run of the project goes on where the last one stopped."""
    await postgres.start()
    await write(postgres.dsn)
    await postgres.stop()
    next_run = EmbeddedPostgres(tmp_path / "postgres")

    await next_run.start()
    try:
        assert postgres.dsn == next_run.dsn
        assert await fetch(next_run.dsn, "SELECT number FROM kept") == 1
    finally:
        await next_run.stop()


async def test_a_stale_pid_file_is_no_obstacle(postgres):
    """A pid file that names a living process of somebody else needs no cleaning up by hand."""
    await postgres.start()
    pid_file = postgres.data / "postmaster.pid"
    text = pid_file.read_text()
    await postgres.stop()
    with process_of(unprivileged_user()) as somebody_else:
        pid_file.write_text(text.replace(str(postgres.process.pid), str(somebody_else.pid), 1))

        await postgres.start()

    assert await fetch(postgres.dsn, "SELECT 1") == 1


@contextlib.contextmanager
def process_of(user):
    """A process under the same user as the server: it takes no other for a rival."""
    with subprocess.Popen(["sleep", "600"], user=user) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_a_port_taken_by_somebody_else_is_left_to_them(postgres):
    """Who came first keeps the port; the server takes another, and nobody talks to the wrong one."""
    await postgres.start()
    await postgres.stop()
    taken = postgres.port
    with socket.create_server((LOOPBACK, taken)):
        await postgres.start()

        assert postgres.port != taken
        assert await fetch(postgres.dsn, "SELECT 1") == 1


async def test_data_that_was_never_finished_is_made_anew(postgres):
    """A kill in the middle of the first start leaves nothing in the way of the second."""
    unfinished = postgres.folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    await postgres.start()

    assert await fetch(postgres.dsn, "SELECT 1") == 1


async def test_data_of_another_version_is_left_alone(postgres):
    """The message says which version made the data, and what can be done."""
    postgres.data.mkdir(parents=True)
    (postgres.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(ServerFailed, match=r"PostgreSQL 17, and this is 18.*muster reset"):
        await postgres.start()


async def test_a_server_that_cannot_start_shows_the_end_of_its_log(postgres):
    """The reason is in the message, not only in a file."""
    await postgres.start()
    await postgres.stop()
    (postgres.data / "global" / "pg_control").unlink()

    with pytest.raises(ServerFailed, match="pg_control"):
        await postgres.start()
