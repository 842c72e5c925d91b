"""The broker's jars are what was locked, or they are not used."""

import hashlib
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stack import jars
from stack.errors import JarsUnavailable
from stack.jars import Jar

CONTENT = b"classes"
JAR = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())
NOWHERE = "http://127.0.0.1:9"


class Repository(SimpleHTTPRequestHandler):
    """A Maven repository of files, which remembers what was asked of it."""

    asked: list[str]

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def repository(tmp_path):
    """A repository with one jar in it."""
    served = tmp_path / "served"
    place = served / "org/example/thing/1.0"
    place.mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Repository, directory=str(served))) as server:
        server.jar = place / "thing-1.0.jar"
        server.jar.write_bytes(CONTENT)
        server.asked = []
        server.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "programs"


async def provide(folder, mirror=NOWHERE):
    return await jars.provide([JAR], folder, lambda _: None, mirror)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_lock_names_every_jar_once_with_a_whole_digest():
    """The checked-in lock is complete."""
    lock = jars.locked()

    assert len(lock) > 40
    assert len(lock) == len({jar.filename for jar in lock})
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in lock)
    assert set(jars.ROOTS) <= {jar.coordinates for jar in lock}


async def test_a_missing_jar_is_fetched(folder, repository):
    """What is not there is brought, and nothing else is left beside it."""
    [path] = await provide(folder, repository.address)

    assert path.read_bytes() == CONTENT
    assert names(folder) == ["thing-1.0.jar"]


async def test_a_jar_that_is_there_needs_no_network(folder, repository):
    """The second start asks nobody."""
    await provide(folder, repository.address)
    asked = len(repository.asked)

    await provide(folder, repository.address)
    await provide(folder, NOWHERE)

    assert asked == len(repository.asked)


@pytest.mark.parametrize("damage", [b"", b"klasses", CONTENT + b"\0"])
async def test_a_damaged_jar_is_fetched_again(folder, repository, damage):
    """Whatever happened to the file, what runs is what was locked."""
    [path] = await provide(folder, repository.address)
    path.write_bytes(damage)

    await provide(folder, repository.address)

    assert path.read_bytes() == CONTENT


async def test_a_fetched_jar_that_is_not_the_locked_one_is_not_used(folder, repository):
    """A repository that serves something else is found out, and the file does not stay."""
    repository.jar.write_bytes(b"something else")

    with pytest.raises(JarsUnavailable, match=r"org\.example:thing:1\.0 .* not the file"):
        await provide(folder, repository.address)

    assert names(folder) == []


async def test_without_a_network_the_first_start_says_what_it_needs(folder):
    """The message names the jar and the variables that may help."""
    with pytest.raises(JarsUnavailable, match=r"needs the network.*HTTPS_PROXY.*MUSTER_MAVEN"):
        await provide(folder, NOWHERE)
