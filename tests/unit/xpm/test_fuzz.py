"""However an answer is spoilt, the reader says what it makes of it: `make fuzz` reads as many as one likes."""

import json
import os
import subprocess
import sys
from pathlib import Path

DOCUMENTS = int(os.environ.get("FUZZ_DOCUMENTS", "3000"))
SEED = os.environ.get("FUZZ_SEED", "fuzz")
MODULE = "tests.support.xpm.fuzzing"


def test_no_spoilt_answer_crashes_or_holds_up_the_reader(tmp_path: Path, record_property):
    """In a process of its own, since parsers crash with their process; each is read, refused or invalid."""
    place = tmp_path / "place"
    ended = subprocess.run(
        [sys.executable, "-m", MODULE, str(DOCUMENTS), SEED],
        env={**os.environ, "FUZZ_PLACE": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    again = f"{sys.executable} -m {MODULE} 50 {SEED} {place.read_text(encoding='utf-8')}"
    assert ended.returncode == 0, f"{ended.stderr[-3000:]}\nAgain: {again}"

    told = json.loads(ended.stdout)
    sys.stdout.write(f"\n{ended.stdout}\n")
    assert told["read"] + told["invalid"] + told["refused"] == DOCUMENTS
    assert told["read"] > DOCUMENTS / 10
    assert told["invalid"] > DOCUMENTS / 10
    assert told["refused"] > 0
