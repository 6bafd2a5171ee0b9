"""Lessons as data: what a Markdown file says, checked against what the app's pages accept. No torch, no drawing."""

from dfn.lessons.files import LessonError, Problem, in_words, read, read_presets
from dfn.lessons.lesson import Lesson, Preset, Step

__all__ = ["Lesson", "LessonError", "Preset", "Problem", "Step", "in_words", "read", "read_presets"]
