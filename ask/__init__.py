"""Ask: answers questions in plain language over a fleet's metrics and logs. Knows nothing of Pulumi."""
