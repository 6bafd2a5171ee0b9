"""Text from strangers: whatever it is, a design comes out or one clear line, at once.

The line names the field, the value and what would be accepted; nothing but DesignError is ever raised.
"""

import time

import pytest
from refusals import refusal

from dfn.design.paths import path_count
from dfn.design.spec import from_json


def body(nodes):
    return '{"body":{"nodes":[' + nodes + ',{"kind":"head"}]}}'


def fusion(branches, inside='{"nodes":[{"kind":"conv","channels":3}]}'):
    return '{"kind":"fusion","branches":[' + ",".join([inside] * branches) + "]}"


def many(node, times):
    return body(",".join([node] * times))


WHOLE = "is not accepted; accepted: a whole number from 1 to 4096"
SHARE = "is not accepted; accepted: a number from 0 to less than 1"
CONV_FIELDS = "only the fields kind, channels, kernel, stride, projection, dropout"


class TestText:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", "text: nothing is not accepted; accepted: the JSON text of a design"),
            (" \n", "text: nothing is not accepted; accepted: the JSON text of a design"),
            ("{", "text: what stands at line 1, column 2 is not accepted; accepted: JSON (expecting property name"),
            ('{"body": x}', "text: what stands at line 1, column 10 is not accepted; accepted: JSON (expecting value)"),
            ("[" * 100_000, "text: brackets nested too deep is not accepted; accepted: at most 40 levels of nodes"),
            ('{"a":' * 100_000, "text: brackets nested too deep is not accepted"),
            ("[" * 150 + "]" * 150, "design: [[[[[[[...]]]]]]] is not accepted; accepted: an object such as"),
            (" " * 3_000_000, "text: a text of 3,000,000 characters is not accepted; accepted: at most 2,500,000"),
            (b"\xff\xfe{\x00}\x00", "text: bytes that are not UTF-8 (byte 0) is not accepted"),
            (b'{"\xed\xa0\x80":1}', "text: bytes that are not UTF-8 (byte 2) is not accepted"),
            ("\ud800", "text: what stands at line 1, column 1 is not accepted"),
            ('"\ud800"', "design: '\\ud800' is not accepted"),
            (None, "text: None is not accepted; accepted: the JSON text of a design"),
            (5, "text: 5 is not accepted"),
            ("null", "design: None is not accepted; accepted: an object such as"),
            ("[]", "design: [] is not accepted"),
            ("3", "design: 3 is not accepted"),
        ],
        ids=range(17),
    )
    def test_that_is_no_object(self, text, line):
        assert refusal(lambda: from_json(text)).startswith(line)

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("{}", "body: nothing is not accepted; accepted: a value, this field is required"),
            ('{"body":null}', "body: None is not accepted; accepted: an object with named fields"),
            ('{"body":[]}', "body: [] is not accepted; accepted: an object with named fields"),
            ('{"body":{"nodes":{}}}', "body.nodes: {} is not accepted; accepted: a list"),
            ('{"body":{"nodes":"conv"}}', "body.nodes: conv is not accepted; accepted: a list"),
            ('{"body":{"nodes":[]}}', "body: a net without a classifier is not accepted"),
            ('{"body":{"nodes":[3]}}', "body.nodes[0]: 3 is not accepted; accepted: an object with named fields"),
            ('{"body":{"nodes":[[]]}}', "body.nodes[0]: [] is not accepted; accepted: an object with named fields"),
            ('{"body":{"kind":"conv"}}', "body.kind: conv is not accepted; accepted: series"),
            (body('{"channels":4}'), "body.nodes[0].kind: nothing is not accepted; accepted: the kind of a node"),
            (
                body('{"kind":"konv"}'),
                "body.nodes[0].kind: konv is not accepted; accepted: conv, pool, view, tap, head, series, fusion, ",
            ),
            (body('{"kind":3}'), "body.nodes[0].kind: '3' is not accepted; accepted: conv, pool"),
            (body('{"kind":null}'), "body.nodes[0].kind: "),
            (body('{"kind":["conv"]}'), "body.nodes[0].kind: "),
            (body(r'{"kind":"\ud800"}'), "body.nodes[0].kind: "),
            (body('{"kind":"conv"}'), "body.nodes[0].channels: nothing is not accepted; accepted: a value"),
            (
                body('{"kind":"conv","channels":4,"wide":1}'),
                f"body.nodes[0].wide: 1 is not accepted; accepted: {CONV_FIELDS}",
            ),
            (
                body('{"kind":"conv","channels":4,"conv":1}'),
                f"body.nodes[0].conv: 1 is not accepted; accepted: {CONV_FIELDS}",
            ),
            (body('{"kind":"conv","chanels":4}'), f"body.nodes[0].chanels: 4 is not accepted; accepted: {CONV_FIELDS}"),
            (
                body(r'{"kind":"conv","channels":4,"\ud800":1}'),
                r"'body.nodes[0].\ud800': 1 is not accepted; accepted: only",
            ),
            (body('{"kind":"conv","channels":4,"a\\nb":1}'), "'body.nodes[0].a\\nb': 1 is not accepted"),
            (
                body('{"kind":"conv","channels":4,"channels":5}'),
                "channels: a field that is given twice is not accepted; accepted: each field once",
            ),
            (
                '{"self":1,"body":{}}',
                "self: 1 is not accepted; accepted: only the fields version, in_channels, classes, norm, "
                "global_drop_path, body",
            ),
            ('{"version":2,"body":{}}', "version: 2 is not accepted; accepted: only 1"),
            ('{"version":true,"body":{}}', "version: True is not accepted; accepted: only 1"),
            ('{"version":1.0,"body":{}}', "version: 1.0 is not accepted; accepted: only 1"),
            ('{"norm":"layer","body":{}}', "norm: layer is not accepted; accepted: batch, group or none"),
            ('{"classes":1,"body":{}}', "classes: 1 is not accepted; accepted: a whole number from 2 to 100000"),
            ('{"classes":"ten\\n","body":{}}', "classes: 'ten\\n' is not accepted"),
            ('{"in_channels":0,"body":{}}', f"in_channels: 0 {WHOLE}"),
            (
                body('{"kind":"view","view":"dark"}'),
                "body.nodes[0].view: dark is not accepted; accepted: full, low-pass",
            ),
            (
                body('{"kind":"fusion","branches":[{},{}],"join":"plus"}'),
                "body.nodes[0].join: plus is not accepted; accepted: sum, mean, max, concat, gate",
            ),
            (body('{"kind":"fusion","branches":{}}'), "body.nodes[0].branches: {} is not accepted; accepted: a list"),
            (
                body('{"kind":"fusion","branches":[{},{"conv":1}]}'),
                "body.nodes[0].branches[1].conv: 1 is not accepted; accepted: only the fields kind, nodes",
            ),
            (
                body('{"kind":"fusion","branches":[{},{"nodes":[{"kind":"conv","channels":0}]}]}'),
                f"body.nodes[0].branches[1].nodes[0].channels: 0 {WHOLE}",
            ),
            (
                body('{"kind":"fusion","branches":[{},{}],"scales":[0.2]}'),
                "body.nodes[0].scales: a list of 1 is not accepted; accepted: one for each of 2 branches",
            ),
            (
                body('{"kind":"fusion","branches":[{},{}],"join":"max","scales":[1,2]}'),
                "body.nodes[0].scales: scales of a max join is not accepted; accepted: scales of a sum alone",
            ),
            (body('{"kind":"fusion","branches":[{},{}],"scales":[1,NaN]}'), "body.nodes[0].scales[1]: NaN is not acc"),
            (body('{"kind":"fusion","branches":[{},{}],"scales":[0,1]}'), "body.nodes[0].scales[0]: 0 is not accepted"),
            (
                body('{"kind":"fusion","branches":[{},{}],"scales":[1e999,1]}'),
                "body.nodes[0].scales[0]: inf is not accepted; accepted: a number other than 0, from -1000 to 1000",
            ),
            (body('{"kind":"fusion","branches":[{},{}],"scales":5}'), "body.nodes[0].scales: 5 is not accepted"),
            (
                body('{"kind":"merge","steps":[]}'),
                "body.nodes[0].steps: [] is not accepted; accepted: one or more steps, each a list with the block",
            ),
            (body('{"kind":"merge","steps":[{}]}'), "body.nodes[0].steps: [{}] is not accepted; accepted: one or more"),
            (
                body('{"kind":"merge","steps":[[{},{}],[{}]]}'),
                "body.nodes[0].steps[1]: a step of 1 streams is not accepted; accepted: from 2 to 64, as many at every",
            ),
            (
                body('{"kind":"merge","steps":[[{},{"nodes":[{"kind":"conv","channels":0}]}]]}'),
                f"body.nodes[0].steps[0][1].nodes[0].channels: 0 {WHOLE}",
            ),
            (
                body('{"kind":"merge","steps":[[{},{"nodes":[{"kind":"conv","channels":5}]}]]}'),
                "body.nodes[0].steps[0][1]: a map of 5 channels at 1/1 of the size is not accepted; accepted: what "
                "steps[0][0] gives, 3 channels at 1/1",
            ),
            (
                body('{"kind":"merge","steps":[[{},{"nodes":[{"kind":"head"}]}]]}'),
                "body.nodes[0].steps[0][1]: a classifier in a stream is not accepted",
            ),
            (
                body('{"kind":"conv","channels":4,"projection":1}'),
                "body.nodes[0].projection: 1 is not accepted; accepted: true",
            ),
        ],
        ids=range(48),
    )
    def test_with_a_wrong_field(self, text, line):
        assert refusal(lambda: from_json(text)).startswith(line)

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("0", "0"),
            ("-3", "-3"),
            ("1000000000", "1000000000"),
            ("1.0", "1.0"),
            ("8.5", "8.5"),
            ("1e400", "inf"),
            ('"8"', "'8'"),
            ("true", "True"),
            ("null", "None"),
            ("{}", "{}"),
            ("[1]", "[1]"),
            ("NaN", "NaN"),
            ("Infinity", "Infinity"),
            ("-Infinity", "'-Infinity'"),
            ("9" * 30, "a number of over 20 digits"),
            ("9" * 5000, "a number of over 20 digits"),  # Python itself reads no more than 4300
            ("-" + "9" * 5000, "a number of over 20 digits"),
        ],
    )
    def test_with_a_width_that_is_none(self, given, shown):
        line = refusal(lambda: from_json(body(f'{{"kind":"conv","channels":{given}}}')))
        assert line == f"body.nodes[0].channels: {shown} {WHOLE}"

    @pytest.mark.parametrize(
        "given", ["1", "1.0", "-0.1", '"0.5"', "true", "false", "null", "NaN", "1e400", "9" * 5000]
    )
    def test_with_a_probability_that_is_none(self, given):
        line = refusal(lambda: from_json(body(f'{{"kind":"conv","channels":4,"dropout":{given}}}')))
        assert line.startswith("body.nodes[0].dropout: ")
        assert line.endswith(SHARE)

    @pytest.mark.parametrize("name", ["", "A", "a b", "1a", "é", "a\\n", "\\ud800", "x" * 33, "x" * 100_000])
    def test_with_a_tap_name_that_is_none(self, name):
        line = refusal(lambda: from_json(body(f'{{"kind":"tap","name":"{name}"}}')))
        assert line.startswith("body.nodes[0].name: ")

    def test_the_end_of_a_long_field_is_shown(self):
        nested = '{"kind":"series","nodes":[' * 30 + '{"kind":"conv","channels":0}' + "]}" * 30
        line = refusal(lambda: from_json(body(nested)))
        assert f".nodes[0].channels: 0 {WHOLE}" in line


class TestBombs:
    @pytest.mark.medium
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (many('{"kind":"conv","channels":1}', 30_000), "body: a net of more than 20000 nodes"),
            (many('{"kind":"conv","channels":4096}', 9_000), "body: a net of 1"),
            (many("{}", 800_000), "design: more than 160000 values"),
            (many("1", 1_200_000), "design: more than 160000 values"),
            (many("1", 100_000), "body.nodes[0]: 1 is not accepted"),
            (many('{"kind":"head"}', 19_000), "body.nodes[1]: a head behind the classifier"),
            (many('{"kind":"conv","channels":0}', 19_000), "body.nodes[0].channels: 0"),
            (many(fusion(65), 1), "body.nodes[0].branches: a fusion of 65 branches is not accepted; accepted: from 2"),
            (many(fusion(1), 1), "body.nodes[0].branches: a fusion of 1 branches"),
            (many(fusion(64), 300), "body: a net of more than 20000 nodes"),
            (many('{"kind":"series","nodes":[' * 60 + "]}" * 60, 1), "design: nodes nested too deep"),
            (
                many('{"kind":"pool","kernel":8,"stride":8}', 5_000),
                "body.nodes[4].stride: 8 is not accepted; accepted: st",
            ),
            ("{" + ",".join(f'"a{i}":1' for i in range(150_000)) + "}", "a0: 1 is not accepted"),
            ("{" + ",".join(f'"a{i % 99_999}":1' for i in range(100_000)) + "}", "a0: a field that is given twice"),
            ('{"' + "x" * 1_000_000 + '":1}', "xxx"),
            ('{"norm":"' + "x" * 1_000_000 + '","body":{}}', "norm: xxx"),
        ],
        ids=range(16),
    )
    def test_are_refused(self, text, line):
        assert refusal(lambda: from_json(text)).startswith(line)

    def test_many_paths_are_no_bomb(self):
        design = from_json(many(fusion(2), 60))
        assert path_count(design) == 2**60

    def test_nor_is_the_longest_or_the_deepest_design(self):
        began = time.process_time()
        from_json(many('{"kind":"tap","name":"a"}', 1))
        from_json(body(",".join(f'{{"kind":"tap","name":"a{i}"}}' for i in range(19_997))))
        from_json(many('{"kind":"series","nodes":[' * 38 + "]}" * 38, 1))
        assert time.process_time() - began < 2
