"""The most that one visit may want."""

MOST_ORDERS = 20
"""A visit could bring thousands; running them all would keep everybody else waiting."""
