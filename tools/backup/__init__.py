"""`make backup`, `make restore` and `make drill`: the hub's backups, seen from the machine that runs the program."""
