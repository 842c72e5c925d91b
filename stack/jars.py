"""The broker's jars: fetched once from Maven's central repository, and never run unless they are what was locked.

`python -m stack.jars` writes the lock anew, for the versions named here.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stack.aside import aside
from stack.errors import JarsUnavailable

if TYPE_CHECKING:
    from jgo.maven import MavenContext

ROOTS = ("org.apache.kafka:kafka_2.13:4.4.0", "org.slf4j:slf4j-simple:1.7.36")
LOCK = "kafka-jars.lock"
ATTEMPTS = 3
TELLS_EVERY = 10
AT_ONCE = 8
"""Downloads at the same time: most jars are small, and waiting is what takes long."""


class Jar(NamedTuple):
    """One jar as locked."""

    coordinates: str
    """`group:artifact:version`."""
    sha256: str

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"

    def is_right(self, path: Path) -> bool:
        return path.is_file() and sha256(path) == self.sha256


def locked() -> list[Jar]:
    lines = resources.files("stack").joinpath(LOCK).read_text(encoding="utf-8").splitlines()
    return [Jar(coordinates, digest) for digest, coordinates in (line.split() for line in lines)]


async def provide(
    wanted: list[Jar], folder: Path, tell: Callable[[str], None], mirror: str | None
) -> list[Path]:
    """Return the jars' paths, all of them checked just now; fetch those that are missing or damaged.

    `mirror` is the address of a repository to use instead of the central one. Raises JarsUnavailable.
    """
    wrong = [jar for jar in wanted if not jar.is_right(folder / jar.filename)]
    if wrong:
        await asyncio.to_thread(fetch, wrong, folder, tell, mirror)
    return [folder / jar.filename for jar in wanted]


def fetch(jars: list[Jar], folder: Path, tell: Callable[[str], None], mirror: str | None) -> None:
    """Fetch into the folder, each jar put in place only when complete and right."""
    tell(f"Fetching Kafka: {len(jars)} jars")
    with aside(folder, "jars") as repository, ThreadPoolExecutor(AT_ONCE) as pool:
        fetched = pool.map(lambda jar: download(jar.coordinates, repository, mirror), jars)
        for number, (jar, path) in enumerate(zip(jars, fetched, strict=True), start=1):
            if not jar.is_right(path):
                raise JarsUnavailable(
                    f"{jar.coordinates} was fetched, but is not the file that {LOCK} names "
                    f"(its sha256 is {sha256(path)}). It was not used."
                )
            path.replace(folder / jar.filename)
            if number % TELLS_EVERY == 0:
                tell(f"Fetching Kafka: {number} of {len(jars)} jars are here")


def download(coordinates: str, into: Path, mirror: str | None) -> Path:
    for attempt in range(ATTEMPTS):
        maven = context(
            into / str(attempt), mirror
        )  # a file that broke off counts as there, so each has its own
        try:
            return Path(maven.create_dependency(coordinates).artifact.resolve())
        except Exception as error:  # noqa: BLE001  # jgo passes on whatever its parts raise
            failure = error
    raise JarsUnavailable(
        f"{coordinates} could not be fetched: {failure}\nThe first start needs the network. Proxies and "
        "certificates are the environment's (HTTPS_PROXY, REQUESTS_CA_BUNDLE), and so is a mirror (MUSTER_MAVEN)."
    ) from failure


def context(into: Path, mirror: str | None = None) -> "MavenContext":
    from jgo.maven import MavenContext  # noqa: PLC0415  # only the first start pays for it

    return MavenContext(
        repo_cache=into, local_repos=[], remote_repos={"mirror": mirror} if mirror else None, timeout=60
    )


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock() -> str:
    """Resolve the roots with everything they need, and return the lines of the lock."""
    with tempfile.TemporaryDirectory() as into:
        maven = context(Path(into))
        roots, needed = maven.resolver.resolve([maven.create_dependency(root) for root in ROOTS])
        found = {
            f"{one.groupId}:{one.artifactId}:{one.version}": one.artifact.resolve() for one in roots + needed
        }
        return "".join(f"{sha256(found[coordinates])}  {coordinates}\n" for coordinates in sorted(found))


if __name__ == "__main__":
    Path(__file__).with_name(LOCK).write_text(lock(), encoding="utf-8")
