"""The processes of this machine, as Linux's `/proc` shows them."""

from pathlib import Path


def processes_of(folder: Path) -> dict[int, str]:
    """Every process whose command line names the folder: its id and command line."""
    every = {
        int(path.name): read(path / "cmdline") for path in Path("/proc").iterdir() if path.name.isdigit()
    }
    return {pid: command for pid, command in every.items() if str(folder) in command}


def environment_of(pid: int) -> str:
    """The variables that the process was started with."""
    return read(Path(f"/proc/{pid}/environ"))


def parent_of(pid: int) -> int:
    return int(read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(each) for each in read(Path(f"/proc/{pid}/task/{pid}/children")).split()]


def read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
