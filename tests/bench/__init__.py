"""`make bench`: the figures of docs/figures.md, measured on a stack of its own."""
