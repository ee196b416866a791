"""A client of S3's protocol, which Spaces has: signed requests (AWS Signature Version 4), nothing else."""

from localcloud.spaces.client import S3, S3Error

__all__ = ["S3", "S3Error"]
