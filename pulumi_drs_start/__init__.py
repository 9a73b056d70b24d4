"""Start data-replication jobs of Open Telekom Cloud DRS from Pulumi."""

__version__ = "0.1.0"
