"""Measurements on a net that never change it."""
