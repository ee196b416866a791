"""`make test-vm`: the program on a virtual machine with systemd and cgroup v2, from its first boot to `make down`."""
