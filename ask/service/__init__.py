"""The HTTP service around the engine: accounts, keys, limits, history, cache, jobs and discovery.

State is in PostgreSQL and Valkey alone, so replicas are interchangeable.
"""
