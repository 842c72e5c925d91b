"""The same made-up journals as in the tests of the pure core."""

from tests.support.journals.effort import offer_fuzzing

offer_fuzzing()
