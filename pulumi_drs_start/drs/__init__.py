"""The DRS API: client, wire models, errors, retry policy. Knows nothing of Pulumi."""
