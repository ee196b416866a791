"""The HTTP service around the engine: accounts, keys, limits, history, cache, jobs and discovery.

State is in PostgreSQL alone, or in PostgreSQL and Valkey, so replicas are interchangeable.
"""
