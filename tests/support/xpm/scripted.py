"""A client whose other party is a script."""

import httpx

from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Access

ACCESS = Access("secret-token", "tenant", "https://xero.example")


class Script:
    """Answers every request with the next of its answers, the last one for ever, and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def http(*answers: httpx.Response | Exception) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(Script(*answers)))


def xpm(*answers: httpx.Response | Exception) -> Xpm:
    return Xpm(http(*answers), ACCESS)
