"""The version of the rules: raised by hand whenever any record could come to something else than before."""

RULES_VERSION = 1
