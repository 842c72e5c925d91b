"""Import every module of ours and tell of each that reaches out of the process meanwhile.

Run by path, as a process of its own: `python -I watched_imports.py PACKAGE...`. Prints a line per offence.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator

REACHING_OUT = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.fork")
READERS_FOR_US = ("pydantic_settings",)

offences: list[str] = []
importing = ""


class WatchedEnvironment(dict[str, str]):
    """The environment, whose readers are noted, when they are ours or read our settings for us."""

    def __getitem__(self, name: str) -> str:
        note_reading(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        note_reading(name)
        return super().__contains__(name)

    def get(self, name, default=None):
        note_reading(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        note_reading("all")
        return super().__iter__()

    def items(self):
        note_reading("all")
        return super().items()

    def copy(self) -> dict[str, str]:
        note_reading("all")
        return super().copy()


def note_reading(name: object) -> None:
    reader = sys._getframe(2)
    if reader.f_code is os.getenv.__code__:
        reader = reader.f_back
    module = reader.f_globals["__name__"]
    if module.partition(".")[0] in (*packages, *READERS_FOR_US):
        offences.append(f"{importing} reads {name} from the environment (in {module})")


def note_reaching_out(event: str, arguments: tuple[object, ...]) -> None:
    if importing and event in REACHING_OUT:
        offences.append(f"{importing} causes {event}{arguments}")


def modules() -> Iterator[str]:
    for name in packages:
        yield name
        yield from (each.name for each in pkgutil.walk_packages(sys.modules[name].__path__, f"{name}."))


packages = sys.argv[1:]
os.environ = WatchedEnvironment(os.environ)  # noqa: B003 - to be watched, not to be cleared
sys.addaudithook(note_reaching_out)
for importing in modules():
    importlib.import_module(importing)
sys.stdout.write("".join(f"{offence}\n" for offence in offences))
