"""docs/operations.md, walked through: every command block is typed, in a situation where it makes sense."""
