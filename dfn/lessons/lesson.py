"""What a lesson is, as data that was checked: its head, its steps, their questions.

A step opens a page of the app in a state, says what to look at, may ask, and is finished when its conditions hold.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dfn.design.errors import DesignError
from dfn.lessons.conditions import MEASURES, Condition, Term, Told, condition, term
from dfn.lessons.pages import KNOBS, PAGES, PARTS

CURVES = ("recorded_accuracy",)

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_a_term(text: str) -> str:
    term(text)
    return text


Measured = Annotated[str, Field(max_length=200), AfterValidator(_is_a_term)]


class Answer(_Data):
    """One answer of a choice, and what is said to whoever gives it."""

    text: Short
    feedback: Long
    right: bool = False


class Choice(_Data):
    """A question with answers to choose from."""

    kind: Literal["choice"]
    ask: Long
    answers: Annotated[tuple[Answer, ...], Field(min_length=2, max_length=6)]

    @field_validator("answers")
    @classmethod
    def _one_is_right(cls, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
        if not any(answer.right for answer in answers):
            raise DesignError("right", "nothing", "true in at least one answer")
        return answers


class Number(_Data):
    """A number to predict before it is measured. `truth` is a measure, `low` and `high` bound what can be said."""

    kind: Literal["number"]
    ask: Long
    truth: Measured
    low: float
    high: float
    explain: Long

    @property
    def term(self) -> Term:
        return term(self.truth)

    @model_validator(mode="after")
    def _is_a_range(self) -> "Number":
        if self.low >= self.high:
            raise DesignError("low", self.low, f"a number below high, which is {self.high:g}")
        return self


class Pick(_Data):
    """The one to predict that has the largest or the smallest value of a measure, among its arguments."""

    kind: Literal["pick"]
    ask: Long
    measure: str
    among: Annotated[tuple[Short, ...], Field(min_length=2, max_length=24)]
    most: Literal["largest", "smallest"] = "largest"
    explain: Long

    @field_validator("measure")
    @classmethod
    def _has_brackets(cls, name: str) -> str:
        if name not in MEASURES or not MEASURES[name].argument:
            raise ValueError(f"one of {', '.join(key for key, value in MEASURES.items() if value.argument)}")
        return name

    @field_validator("among")
    @classmethod
    def _are_arguments(cls, among: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "measure" in info.data:
            for argument in among:
                term(f"{info.data['measure']}({argument})")
        return among


class Curve(_Data):
    """A curve over the epochs to draw before it is shown; `beside` are curves that are shown from the start."""

    kind: Literal["curve"]
    ask: Long
    truth: Measured
    beside: Annotated[tuple[Measured, ...], Field(max_length=4)] = ()
    explain: Long

    @field_validator("truth", "beside")
    @classmethod
    def _are_curves(cls, said: Any) -> Any:
        for text in (said,) if isinstance(said, str) else said:
            if term(text).measure not in CURVES:
                raise ValueError(f"a measure that has a curve: {', '.join(CURVES)}")
        return said


Question = Annotated[Choice | Number | Pick | Curve, Field(discriminator="kind")]


class _Opens(_Data):
    """What opens a page in a state: `state` holds the knobs of `page` that are set, every other is at its default."""

    page: str
    state: dict[str, Any] = {}

    @field_validator("page")
    @classmethod
    def _is_a_page(cls, page: str) -> str:
        if page not in PAGES:
            raise ValueError(f"one of {', '.join(PAGES)}")
        return page

    @field_validator("state")
    @classmethod
    def _the_page_has_it(cls, state: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return _typed(state, info.data["page"]) if "page" in info.data else state


class Step(_Opens):
    """One step. `look` says what to look at, `highlight` frames knobs and parts of the page, `free` names the knobs
    that stay free where a link locks all, `button` the words of a button to press, `done` the conditions under which
    it is finished; without `done` that is an answer."""

    title: Short
    text: Long
    look: Short | None = None
    highlight: tuple[str, ...] = ()
    question: Question | None = None
    button: Short | None = None
    done: tuple[Short, ...] = ()
    free: tuple[str, ...] = ()
    _conditions: tuple[Condition, ...] = PrivateAttr(())

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All of them hold when the step is finished."""
        return self._conditions

    @field_validator("done", "highlight", mode="before")
    @classmethod
    def _one_or_more(cls, said: Any) -> Any:
        return (said,) if isinstance(said, str) else said

    @field_validator("highlight")
    @classmethod
    def _the_page_shows_it(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "page" in info.data:
            shown = PARTS[info.data["page"]]
            if not set(names) <= set(shown):
                raise ValueError(f"what the page {info.data['page']} shows: {', '.join(shown) or 'nothing to frame'}")
        return names

    @field_validator("free")
    @classmethod
    def _are_knobs(cls, free: tuple[str, ...]) -> tuple[str, ...]:
        for name in free:
            if name not in KNOBS:
                raise ValueError(f"names of knobs: {', '.join(KNOBS)}")
        return free

    @model_validator(mode="after")
    def _can_be_finished(self) -> "Step":
        asked = {None: (), "choice": ("answered",)}.get(self.question and self.question.kind, ("predicted",))
        told = (*asked, *(("pressed",) if self.button else ()))
        texts = self.done or told
        if not texts:
            raise DesignError("done", "nothing", "a question, a button, or conditions for the step to be finished")
        self._conditions = tuple(_condition(text, self.page, told) for text in texts)
        return self


class Preset(_Opens):
    """A starting point: a page in a state, and what it shows."""

    title: Short
    text: Long
    source: Short


class Lesson(_Data):
    """A lesson. `idea` says in one sentence what it teaches, `source` where that idea comes from."""

    id: str
    title: Short
    minutes: Annotated[int, Field(ge=1, le=120)]
    idea: Long
    source: Short
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]


def _condition(text: str, page: str, told: tuple[str, ...]) -> Condition:
    try:
        what = condition(text, page)
    except ValueError as error:
        raise DesignError("done", text, str(error)) from None
    if isinstance(what, Told) and what.what not in told:
        raise DesignError("done", text, "only what the step asks for: it has no such question or button")
    return what


def _typed(state: dict[str, Any], page: str) -> dict[str, Any]:
    """The values of the knobs of this page, read."""
    knobs, found = PAGES[page], {}
    for name, said in state.items():
        if name not in knobs:
            raise DesignError(name, said, f"only knobs of the page {page}: {', '.join(knobs) or 'it has none'}")
        value = knobs[name].read(said)
        if value is None:
            raise DesignError(name, said, knobs[name].accepted)
        found[name] = value
    return found
