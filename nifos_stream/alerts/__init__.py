"""Counts -> alerts: what rises, crosses a line or falls silent, told once."""
