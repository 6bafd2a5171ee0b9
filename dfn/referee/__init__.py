"""The referee: which nets meet on equal terms, what their runs reached, and what the gaps between them are worth.

No torch in here; training is left to whoever asks.
"""
