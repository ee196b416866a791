"""For detect-secrets: the tokens of the services that this project talks to, which it does not know by itself.

Their forms: https://docs.digitalocean.com/reference/api/create-personal-access-token/ (dop_v1_, doo_v1_, dor_v1_),
Pulumi Cloud's pul-, Grafana's service accounts glsa_.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from detect_secrets.plugins.base import RegexBasedDetector


class FleetTokenDetector(RegexBasedDetector):
    """Tokens of DigitalOcean, Pulumi Cloud and Grafana."""

    secret_type = "Token of DigitalOcean, Pulumi or Grafana"  # pragma: allowlist secret
    denylist = (
        re.compile(r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
        re.compile(r"\bpul-[0-9a-f]{40}\b"),
        re.compile(r"\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b"),
    )

    def analyze_string(self, string: str) -> Generator[str, None, None]:
        """Every token in a line."""
        for form in self.denylist:
            yield from form.findall(string)
