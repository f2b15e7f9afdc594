"""A day of Gold, rebuilt on a branch and published when it has been audited.

Claimed (`claims`), written by the batch, audited by Trino, published (`publishing`), released.
"""
