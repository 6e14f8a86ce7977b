"""Usher as a system under test: its people, what publishes in it, and a kind of event with six field permissions."""
