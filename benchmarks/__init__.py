"""Measurements, not tests: they print figures and assert nothing.

One file a benchmark: its docstring says what is compared with what and which figure is aimed at, its `rows()` measures
and yields. A new benchmark is a new file and its name in `__main__.BENCHMARKS`.
"""
