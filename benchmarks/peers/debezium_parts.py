"""Kafka Connect's jars and Debezium's plugin: fetched once, and never run unless they are what was locked.

`python -m benchmarks.peers.debezium_parts` writes the lock anew, for the versions named here.
"""

import asyncio
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stack import jars
from stack.aside import aside
from stack.errors import JarsUnavailable
from stack.jars import Jar

CONNECT = ("org.apache.kafka:connect-runtime:4.4.0", "org.apache.kafka:connect-json:4.4.0")
LOGGING = "org.slf4j:slf4j-simple:1.7.36"
GROUP, ARTIFACT, VERSION = "io.debezium", "debezium-connector-jdbc", "3.6.0.Final"
PLUGIN = f"{GROUP}:{ARTIFACT}-plugin:{VERSION}"
LOCK = Path(__file__).with_name("debezium.lock")


class Parts(NamedTuple):
    """What Kafka Connect is started from."""

    classpath: list[Path]
    plugins: Path
    """The folder in which it looks for connectors."""


async def provide(folder: Path, tell: Callable[[str], None], mirror: str | None = None) -> Parts:
    """Have everything here and checked; fetch what is missing. Raises JarsUnavailable."""
    wanted = [Jar(coordinates, digest) for digest, coordinates in _lines()]
    plugin = next(jar for jar in wanted if jar.coordinates == PLUGIN)
    classpath = await jars.provide([jar for jar in wanted if jar != plugin], folder, tell, mirror)
    plugins = folder / f"plugins-{plugin.sha256[:16]}"
    if not plugins.is_dir():
        await asyncio.to_thread(_unpack, plugin, plugins, mirror)
    return Parts(classpath, plugins)


def _lines() -> list[tuple[str, str]]:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return [(digest, coordinates) for digest, coordinates in (line.split() for line in lines)]


def _unpack(plugin: Jar, into: Path, mirror: str | None) -> None:
    with aside(into.parent, "plugins") as folder:
        archive = _fetch_plugin(folder / "repository", mirror)
        if not plugin.is_right(archive):
            raise JarsUnavailable(
                f"{PLUGIN} was fetched, but is not the file that {LOCK.name} names. It was not used."
            )
        unpacked = folder / "plugins"
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)  # since 3.11.4
            tar.extractall(unpacked)
        unpacked.rename(into)


def _fetch_plugin(repository: Path, mirror: str | None) -> Path:
    maven = jars.context(repository, mirror)
    try:
        release = maven.project(GROUP, ARTIFACT).at_version(VERSION)
        return Path(release.artifact("plugin", "tar.gz").resolve())
    except Exception as error:
        raise JarsUnavailable(f"{PLUGIN} could not be fetched: {error}") from error


def lock() -> str:
    """Resolve Kafka Connect with all it needs, and the plugin; return the lines of the lock."""
    with tempfile.TemporaryDirectory() as into:
        maven = jars.context(Path(into))
        wanted = [maven.create_dependency(each) for each in (*CONNECT, LOGGING)]
        roots, needed = maven.resolver.resolve(wanted)
        found = {
            f"{one.groupId}:{one.artifactId}:{one.version}": Path(one.artifact.resolve())
            for one in roots + needed
        }
        found[PLUGIN] = _fetch_plugin(Path(into), None)
        return "".join(f"{jars.sha256(found[name])}  {name}\n" for name in sorted(found))


if __name__ == "__main__":
    LOCK.write_text(lock(), encoding="utf-8")
