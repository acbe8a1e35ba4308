"""This package answers subscriptions: events of the outbox, each read at its delivery by whoever may see it then."""
