"""`make` explains itself, and says what is missing."""

import os
import re
import subprocess

from stack.settings import project


def make(*words, **variables):
    ours = ("MAKE", "PYTHON")  # somebody may have named theirs for these very tests
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    finished = subprocess.run(
        ["make", *words],
        cwd=project(),
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


def test_make_alone_prints_every_verb():
    """Whoever types `make` learns what can be typed, one line each."""
    code, said = make()

    targets = re.findall(r"^([a-z-]+):.*## ", (project() / "Makefile").read_text(), re.MULTILINE)
    assert code == 0
    assert {"run", "test"} <= set(targets)
    assert targets == re.findall(r"^  make ([a-z-]+) +\S", said, re.MULTILINE)


def test_a_machine_without_a_python_that_is_new_enough_is_told_so(tmp_path):
    """Neither a traceback nor a silent failure."""
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)

    code, said = make("up", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert code == 2
    assert "Muster needs Python 3.11 or newer" in said
    assert "make PYTHON=" in said
