"""Decisions at the edge: PDF, calendars, sealed votes, and where decisions are read from."""
