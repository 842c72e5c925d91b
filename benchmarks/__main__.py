"""Everything that is measured, and the page that tells it: `make bench`.

Parts that are named are measured; without names all of them, except what takes long and is measured on request only.
What other parts found before is kept. A part that fails is told of as that in the page, and the rest goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from benchmarks import borrowed, ceilings, commands, growth, idle, throughput, warm
from benchmarks.bench import Figures, Part, folder, kept, opened, run, tell
from benchmarks.options import Options, parsed, parser
from benchmarks.page import render
from benchmarks.targets import judged
from stack.errors import StackError
from stack.settings import StackSettings, project

ALONE: Mapping[str, Callable[[Options, StackSettings], Awaitable[Figures]]] = {
    "warm": warm.measure,
    "importer": lambda options, _: borrowed.importer(options),
}
"""Measured first, without the Kafka and Postgres that the others share."""
TOGETHER: Mapping[str, Part] = {
    "idle": idle.measure,
    "ceilings": ceilings.measure,
    "throughput": throughput.measure,
    "commands": commands.measure,
    "growth": growth.measure,
    "lost-database": borrowed.lost_database,
}
ON_REQUEST = {"lost-database"}
PARTS = (*ALONE, *TOGETHER)


def main() -> None:
    """Measure what was asked for, write the page, and end with 1 if a part failed."""
    taking = parser(__doc__)
    taking.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    arguments = taking.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        taking.error(f"there is no part {', '.join(sorted(unknown))}")
    wanted = arguments.parts or [part for part in PARTS if part not in ON_REQUEST]
    try:
        failed = asyncio.run(_measure(parsed(arguments), wanted, quick=arguments.quick))
    except StackError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit("Stopped; what was measured by then is kept.") from None
    if failed:
        raise SystemExit(
            f"Failed: {', '.join(failed)}. The others' results are kept; repeat with these names."
        )


async def _measure(options: Options, wanted: Sequence[str], *, quick: bool) -> list[str]:
    stack = StackSettings.from_environment()
    results = folder(stack, quick=quick)
    failed = []
    for name, measure in ALONE.items():
        if name in wanted and not await run(name, partial(measure, options, stack), options, results):
            failed.append(name)
    async with opened(options) as bench:
        for name, part in TOGETHER.items():
            if name in wanted and not await run(name, partial(part, bench), options, results):
                failed.append(name)
    page = results / "benchmarks.md" if quick else project() / "docs" / "benchmarks.md"
    found = kept(results)
    page.write_text(render(found), encoding="utf-8")
    for verdict in judged(found):
        value = "" if verdict.value is None else f"{verdict.value:.2f} {verdict.target.unit}"
        tell(f"{verdict.word.strip('*'):12} {value:>10}  {verdict.target.measure}")
    tell(f"written: {page}")
    return failed


if __name__ == "__main__":
    main()
