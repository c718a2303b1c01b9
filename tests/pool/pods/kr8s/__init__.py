"""Stands in for kr8s: what is kept of a Kubernetes cluster is in this process."""


class NotFoundError(Exception):
    """There is no such object."""


#: The secrets by their names.
SECRETS = {}
