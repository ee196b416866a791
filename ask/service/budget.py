"""The language model's daily budget in PostgreSQL: one for all replicas, and it outlives a restart.

When the database does not answer, nothing is reserved and no request is sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import sqlalchemy as sa

from ask.model.meter import Reservation, Spent, spent
from ask.service import database
from ask.service.problems import Problem

LOG = logging.getLogger("ask.budget")
# The day is the server's, so that replicas agree. No row comes back if the tokens exceed the budget.
_RESERVE = """
INSERT INTO model_usage AS own (day, tokens, requests)
SELECT (now() AT TIME ZONE 'UTC')::date, CAST(:tokens AS bigint), 1 WHERE :tokens <= :daily
ON CONFLICT (day) DO UPDATE SET tokens = own.tokens + excluded.tokens, requests = own.requests + 1
WHERE own.tokens + excluded.tokens <= :daily
RETURNING day
"""
_SETTLE = "UPDATE model_usage SET tokens = greatest(0, tokens + :change) WHERE day = CAST(:day AS date)"


@dataclass(frozen=True)
class Stored:
    """`daily` tokens a day."""

    pool: sa.Engine
    daily: int

    def reserve(self, tokens: int) -> Reservation:
        """Take tokens from the budget of today. Raises Spent, also if the database does not answer."""
        try:
            with database.transaction(self.pool) as connection:
                row = connection.execute(sa.text(_RESERVE), {"tokens": tokens, "daily": self.daily}).first()
        except Problem:
            raise Spent("The language model's budget cannot be read, because the database does not answer") from None
        if row is None:
            raise Spent(spent(self.daily))
        return Reservation(str(row[0]), tokens)

    def settle(self, reservation: Reservation, used: int) -> None:
        """Return what was not used. Without the database the reservation counts as used."""
        try:
            with database.transaction(self.pool) as connection:
                change = used - reservation.tokens
                connection.execute(sa.text(_SETTLE), {"change": change, "day": reservation.day})
        except Problem as problem:
            LOG.warning("budget: %s", problem)

    def used(self) -> int:
        """Tokens of today."""
        own = "SELECT tokens FROM model_usage WHERE day = (now() AT TIME ZONE 'UTC')::date"
        with database.transaction(self.pool) as connection:
            return int(connection.execute(sa.text(own)).scalar() or 0)
