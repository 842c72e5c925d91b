"""What can go wrong with the stack, in sentences that a person can act on.

StackError
├── ServerFailed    a server did not start or did not answer
├── JarsUnavailable the broker's jars cannot be fetched, or are not what the lock says
└── StackBusy       another process of this checkout owns the stack
"""


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what to do."""


class ServerFailed(StackError):
    """A server did not come up; the message ends with the last lines of its log."""


class JarsUnavailable(StackError):
    """The broker's jars cannot be fetched, or what was fetched is not what the lock says."""


class StackBusy(StackError):
    """Another process of this checkout owns the stack and does not share it."""
