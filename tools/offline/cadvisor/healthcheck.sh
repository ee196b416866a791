#!/bin/sh
# Asks cAdvisor on the port that its command line names (8080 when it names none), as the vendor's check does.
port=$(tr '\0' '\n' </proc/1/cmdline | sed -n 's/^--\{0,1\}port=//p' | tail -n 1)
exec wget -q -O /dev/null "http://127.0.0.1:${port:-8080}/healthz"
