"""How the blocks of a page are read, and compared with what is said."""

import pytest

from tests.support.walking.page import Command, blocks, matches

TEXT = """\
Words.

```console scenario=poison
$ muster lag
importer  none
...
$ echo $?
1
```

```sh
make
```
"""


def test_blocks_are_read_with_their_commands():
    """What is typed, what is said, and for which scenario; a block without one is found too."""
    told, silent = blocks(TEXT)

    assert (told.line, told.language, told.scenario) == (3, "console", "poison")
    assert told.commands == (
        Command("muster lag", ("importer  none", "...")),
        Command("echo $?", ("1",)),
    )
    assert (silent.line, silent.language, silent.scenario, silent.commands) == (11, "sh", "", ())


@pytest.mark.parametrize(
    ("expected", "said", "same"),
    [
        ([], "", True),
        ([], "anything", False),
        (["a  b"], "a b   \n", True),
        (["a b"], "a c", False),
        (["a ... c"], "a b b c", True),
        (["a ... c"], "a c d", False),
        (["a", "...", "c"], "a\nb\nb\nc\n", True),
        (["a", "...", "c"], "a\nc", True),
        (["a", "..."], "a\nb", True),
        (["a", "..."], "b\na", False),
        (["a.c"], "abc", False),
        (["", "a"], "\na\n", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(expected, said, same):
    """Within a line for any text, alone for any lines; how many spaces there are does not matter."""
    assert matches(expected, said) is same
