"""A small process between an owner and a server: when the owner is gone, however it went, so is the server.

`stack.process` runs this file as a script, on the standard library alone. Its standard input is a pipe whose
other end only the owner holds: its end is the order to stop, and the kernel sees to it even when the owner is
killed. The server in turn is killed by the kernel when this process is. A lock on a file is held by both and by
every process the server starts, so that a successor can tell, without pid files, when the last of them is gone.

Argument: one JSON object, see `Charge`. Standard output: one line, `started PID` or what is wrong.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import NamedTuple, NoReturn

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class Charge(NamedTuple):
    """What to run, and how to end it."""

    command: list[str]
    lock: str
    log: str
    stop_signal: int
    grace: float
    """Seconds between the stop signal and SIGKILL."""
    patience: float
    """Seconds to wait for a predecessor's processes to let go of the lock."""
    user: int | None
    """For a server that refuses to run as root: the user id to take on, with root's access to files."""
    stale: list[str]
    """Files that an earlier run may have left and that mean nothing once nobody holds the lock."""


def main(charge: Charge) -> int:
    lock = os.open(charge.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not locked(lock, charge.patience):
        return say(f"still in use after {charge.patience:g} s: {charge.lock}")
    for path in charge.stale:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108  # no pathlib, as below
    wake = wake_on_signals()
    try:
        server = start(charge, lock)
    except OSError as error:
        return say(f"cannot run {charge.command[0]}: {error}")
    except subprocess.SubprocessError:
        return say(
            "it refuses to run as root, and this root may not become another user: run as somebody else"
        )
    say(f"started {server.pid}")
    while server.poll() is None and owner_wants_it(wake):
        pass
    return stop(server, charge, wake)


def locked(lock: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def wake_on_signals() -> int:
    """Return a descriptor that becomes readable at the server's end and at a request to stop."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable


def start(charge: Charge, lock: int) -> subprocess.Popen[bytes]:
    library = ctypes.CDLL(None, use_errno=True)
    guardian = os.getpid()

    def become() -> None:
        if charge.user is not None:
            take_on(library, charge.user)
        checked(library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))  # last: a change of user clears it
        if os.getppid() != guardian:
            os._exit(1)

    with open(charge.log, "ab") as log:  # noqa: PTH123  # pathlib would double the time to start
        return subprocess.Popen(
            charge.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
            preexec_fn=become,  # noqa: PLW1509  # this process has a single thread
        )


def take_on(library: ctypes.CDLL, user: int) -> None:
    """Become another user who still reaches every file: the project may lie where only root may look."""
    checked(library.prctl(PR_SET_KEEPCAPS, 1))
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(*[1 << CAP_DAC_OVERRIDE] * 3)
    checked(library.capset(header, effective_permitted_inheritable))
    checked(library.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def owner_wants_it(wake: int) -> bool:
    """Sleep until something happens; false once the owner is gone or says stop."""
    ready, _, _ = select.select([0, wake], [], [])
    signals = os.read(wake, 512) if wake in ready else b""
    return 0 not in ready and not set(signals) - {signal.SIGCHLD}


def stop(server: subprocess.Popen[bytes], charge: Charge, wake: int) -> int:
    if server.poll() is None:
        server.send_signal(charge.stop_signal)
    deadline = time.monotonic() + charge.grace
    while server.poll() is None and (left := deadline - time.monotonic()) > 0:
        if select.select([wake], [], [], left)[0]:
            os.read(wake, 512)
    server.kill()
    code = abs(server.wait())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)  # whatever it has started and not ended
    return code


def say(line: str) -> int:
    """Tell the owner, if it is still there to listen."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())
    return 1


def run() -> NoReturn:
    sys.exit(main(Charge(**json.loads(sys.argv[1]))))


if __name__ == "__main__":
    run()
