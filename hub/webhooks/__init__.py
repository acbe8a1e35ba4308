"""This package sends events to webhooks: each at least once, in order, as its organisation may see it when it is sent."""
