"""Figures from plain numbers, for the app and for notebooks. Nothing here knows torch, nothing shows itself."""
