"""The drill of a large restore: `make drill-large`."""
