"""This package keeps the hub's replica of sister feeds: synced on schedule, refreshed on demand, sealed like cases."""
