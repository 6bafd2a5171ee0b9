"""Pieces of pages: each module has a `show(...)` that draws and returns what the user chose."""
