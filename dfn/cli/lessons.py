"""`dfn lessons check`: what is wrong with a lesson file, line by line, before learners see it; loads no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dfn.cli.output import BadInput, Json, notes, print_json, results

if TYPE_CHECKING:
    from dfn.lessons import Lesson


def check(
    files: Annotated[list[Path], typer.Argument(help="Lesson files, Markdown with front matter.")], json: Json = False
) -> None:
    """Read lessons as the app would; every problem with its line, the value and what would be accepted."""
    from dfn.lessons import LessonError, read

    wrong = 0
    for file in files:
        try:
            lesson, problems = read(file), []
        except LessonError as error:
            lesson, problems = None, error.problems
        except OSError as error:
            raise BadInput(f"FILE: {file} cannot be read; {error.strerror}") from error
        wrong += len(problems)
        if json:
            said = [{"line": problem.line, "says": problem.says} for problem in problems]
            print_json({"file": str(file), "steps": len(lesson.steps) if lesson else None, "problems": said})
        elif lesson:
            _show(file, lesson)
        for problem in () if json else problems:
            notes().print(escape(f"{file}, line {problem.line}: {problem.says}"), soft_wrap=True)
    if wrong:
        raise BadInput(f"FILE: {wrong} {'problem' if wrong == 1 else 'problems'} found, each on a line above")


def _show(file: Path, lesson: "Lesson") -> None:
    """The lesson in a few lines."""
    lines = [f"[bold]{escape(lesson.title)}[/], {lesson.minutes} minutes, {len(lesson.steps)} steps: {file} is right"]
    for number, step in enumerate(lesson.steps, start=1):
        asks = f", asks ({step.question.kind})" if step.question else ""
        lines.append(f"  {number}. {escape(step.title)} [dim]on {step.page}{asks}[/]")
    results().print(*lines, sep="\n", soft_wrap=True)
