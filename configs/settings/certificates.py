"""Certificates as PEM, in clear in the stack file."""

from __future__ import annotations

import base64
import re
from typing import Annotated

from pydantic import AfterValidator

from configs.settings.base import HIDDEN


def _certificates(value: str) -> str:
    if not re.search(r"-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END", value) or "PRIVATE KEY" in value:
        raise ValueError(
            "expected certificates as PEM: the text from -----BEGIN CERTIFICATE----- on (in YAML behind `|`), no "
            "private key"
        )
    for body in re.findall(r"CERTIFICATE-----([^-]+)-----END", value):
        try:
            base64.b64decode("".join(body.split()), validate=True)
        except ValueError:
            raise ValueError(
                "expected base64 between the lines BEGIN and END CERTIFICATE; copy them once more"
            ) from None
    return value.strip() + "\n"


Certificates = Annotated[str, AfterValidator(_certificates), HIDDEN]
