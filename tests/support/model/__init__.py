"""A second statement of docs/rules.md, written for reading: plain dicts, counting all numbers afresh.

It shares no code with the resolver. `fold.Model` takes journal records one by one; `take` says what each came
to, `tables` what the generation holds afterwards.
"""
