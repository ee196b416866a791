"""The rehearsal cloud's API: a loopback stand-in for the part of the DigitalOcean API v2 that this project uses.

`python -m localcloud.cloud` serves it. Routes that it does not cover answer 404 in the API's format and are logged on
stderr. Droplets are containers (localcloud.machines). The API refuses IPv6, snapshots, load balancers for anything but
TCP, and images other than Debian 12 with an error that names them. Fields and status codes follow the public
specification; the text of messages that no client matches is approximate.
"""

NAME = "stand-in for the DigitalOcean API v2"
