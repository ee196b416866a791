"""The rehearsal cloud's API: a loopback stand-in for the DigitalOcean API v2, as far as this project uses it.

`python -m localcloud.cloud` serves it. What it does not cover answers 404 in the API's own form and says so on stderr.
Droplets are containers (localcloud.machines); IPv6, snapshots, load balancers and other images than Debian 12 are
refused by name. Shapes and codes follow the public specification; wordings that no client matches are approximate.
"""

NAME = "stand-in for the DigitalOcean API v2"
