"""Make the project's own environment in `.venv`: once, from the locked requirements; repair it when broken.

`make` runs this file with the machine's Python before there is an environment, so it imports nothing but the
standard library.
"""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
STAMP = VENV / "installed"
LEVELS = ("stack", "dev")  # each includes the one before
REMEDIES = {
    "NewConnectionError": "The package index does not answer: see to the network, or name one that does "
    "(PIP_INDEX_URL, HTTPS_PROXY). The same command then goes on where this one ended.",
    "CERTIFICATE_VERIFY_FAILED": "The package index shows a certificate that this machine does not trust: name the one "
    "that signed it (PIP_CERT).",
    "No space left on device": "The disk is full: .venv and .muster take about 1 GB.",
}
"""What to do, by what pip says when it fails."""


def main(level: str) -> int:
    """Bring `.venv` to a level, saying nothing if it is there already; return an exit code."""
    if is_current(level):
        return 0
    with only_one_at_a_time():
        return 0 if is_current(level) else install(level)


def is_current(level: str) -> bool:
    """Whether everything that the level needs is installed, here, as the files say now."""
    try:
        installed = STAMP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return fingerprint(level) in installed and os.access(VENV / "bin" / "python", os.X_OK)


def fingerprint(level: str) -> str:
    """One line that changes when anything does that the environment was made of, its own path included."""
    files = (requirements(level), PROJECT / "pyproject.toml")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{level} {digest} {PROJECT}"


def requirements(level: str) -> Path:
    return PROJECT / "requirements" / f"{level}.txt"


def install(level: str) -> int:
    keep = is_whole()
    STAMP.unlink(missing_ok=True)  # from here to the end the environment is half made, and counts as such
    with Progress("Installing into .venv") as progress:
        code = (0 if keep else create(progress)) or fill(level, progress)
        if code == 0:
            reached = LEVELS[: LEVELS.index(level) + 1]
            STAMP.write_text("".join(f"{fingerprint(one)}\n" for one in reached), encoding="utf-8")
            progress.stage("finished")
    return code


def is_whole() -> bool:
    """Whether there is an environment that works, was made to the end, and was made at this path."""
    with contextlib.suppress(OSError):
        made_here = STAMP.read_text(encoding="utf-8").splitlines()[0].endswith(f" {PROJECT}")
        return made_here and works(str(VENV / "bin" / "python"))
    return False


def create(progress: "Progress") -> int:
    if not works(sys.executable, "import venv, ensurepip"):
        return complain(
            f"This Python ({sys.executable}) has no venv or no ensurepip: nothing can be installed.",
            "On Debian and Ubuntu: apt install python3-venv. Or name another: make PYTHON=/path/to/one ...",
        )
    progress.stage("creating the environment")
    return run([sys.executable, "-m", "venv", "--clear", str(VENV)], progress)


def fill(level: str, progress: "Progress") -> int:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    progress.stage(f"reading requirements/{level}.txt")
    locked = ["--progress-bar=off", "--require-hashes", "-r", str(requirements(level))]
    project = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(PROJECT)]
    return run(pip + locked, progress) or run(pip + project, progress)


def run(command: list[str], progress: "Progress") -> int:
    """Run to the end, following what it says; show all of it if it fails."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        text=True,
    )
    said = []
    for line in process.stdout or ():
        said.append(line)
        progress.follow(line)
    code = process.wait()
    if code == 0:
        return 0
    remedies = [remedy for sign, remedy in REMEDIES.items() if any(sign in line for line in said)]
    return complain(*said, f"Failed with exit code {code}: {shlex.join(command)}", *remedies)


class Progress:
    """The stage and the seconds so far: one line, repainted, on a terminal; a line per stage elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.terminal = sys.stderr.isatty()
        self.started = time.monotonic()
        self.packages = 0
        self.present = ""
        self.over = threading.Event()
        self.painter = threading.Thread(target=self.repaint, daemon=True)

    def __enter__(self) -> Self:
        self.painter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.painter.join()
        if self.terminal:
            sys.stderr.write("\n")

    def stage(self, text: str) -> None:
        self.present = text
        self.show(text)

    def follow(self, line: str) -> None:
        """Take up what pip says it is doing."""
        if line.startswith("Collecting"):
            self.packages += 1
            self.present = f"{self.packages} packages, now {line.split()[1]}"
        elif line.startswith("Installing collected packages"):
            self.stage(f"unpacking {self.packages} packages")

    def repaint(self) -> None:
        while not self.over.wait(0.2 if self.terminal else 10):
            self.show(self.present)

    def show(self, text: str) -> None:
        line = f"{self.title} {time.monotonic() - self.started:3.0f} s  {text}"
        repainted = "\r\033[K" + line[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write(repainted if self.terminal else line + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    folder = PROJECT / ".muster"
    folder.mkdir(exist_ok=True)
    with (folder / "environment.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Another make is installing into .venv: waiting for it.\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def works(python: str, code: str = "") -> bool:
    try:
        return subprocess.run([python, "-I", "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def complain(*lines: str) -> int:
    sys.stderr.write("\n" + "".join(f"{line.rstrip()}\n" for line in lines))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
