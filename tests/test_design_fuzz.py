"""Random data and settings: a design comes out, or DesignError with a line that can be printed."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import designs

from dfn.design.catalogue import catalogue
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.picture import picture
from dfn.design.spec import from_data, from_json, to_json

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["conv", "sum", "head"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(
            st.one_of(st.text(), st.sampled_from(["kind", "nodes", "body", "branches", "channels", "join", "version"])),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=30,
)


def attempt(make):
    """A design or a DesignError with a line that can be printed; any other exception fails the test."""
    try:
        return make()
    except DesignError as error:
        assert str(error).isprintable()
        return None


class TestFuzz:
    @pytest.mark.medium
    @given(JSON)
    @example({"body": {"nodes": [{"kind": {}}]}})
    @example({"body": {"nodes": [{"kind": "fusion", "branches": "ab"}]}})
    @example({1: 2})
    def test_any_data(self, value):
        attempt(lambda: from_data(value))

    @given(st.one_of(st.text(), st.binary(), JSON.map(json.dumps)))
    def test_any_text(self, text):
        attempt(lambda: from_json(text))

    @pytest.mark.medium
    @settings(max_examples=200)
    @given(designs(), st.data())
    def test_a_design_with_a_part_replaced(self, design, data):
        value = json.loads(to_json(design))
        place, way = value, []
        while place and (not way or data.draw(st.booleans())):
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            way.append((place, key))
            place = place[key]
            if not isinstance(place, dict | list):
                break
        holder, key = way[-1]
        action = data.draw(st.sampled_from(["replace", "delete", "copy", "add"]))
        if action == "replace":
            holder[key] = data.draw(JSON)
        elif action == "delete":
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, holder[key] if action == "copy" else data.draw(JSON))
        else:
            holder[data.draw(st.text())] = data.draw(JSON)
        changed = attempt(lambda: from_data(value))
        if changed is not None:  # then it is a net in every respect
            assert from_json(to_json(changed)) == changed
            cost(changed)
            picture(changed)

    @pytest.mark.medium
    @settings(max_examples=200)
    @given(designs(), st.data())
    def test_a_design_with_characters_replaced(self, design, data):
        text = to_json(design)
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 5)))
            text = text[:start] + data.draw(st.text(max_size=4)) + text[end:]
        attempt(lambda: from_json(text))

    @pytest.mark.medium
    @given(
        st.sampled_from(sorted(catalogue())),
        st.dictionaries(
            st.sampled_from(["deep", "shallow", "depth", "fusions", "width", "join", "classes", "in_channels", "norm"]),
            st.one_of(JSON, st.integers(-2, 60), st.sampled_from(["sum", "concat", "gate", "batch", "none"])),
        ),
    )
    def test_any_settings_of_a_named_net(self, name, given):
        try:
            attempt(lambda: catalogue()[name].make(**given))
        except TypeError as error:  # Python's own word for an argument that a function does not have
            assert "argument" in str(error)
