"""Whatever fits the OpenAPI document is answered as it promises; whatever does not is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from memory_core.interfaces.calls import CALLS
from memory_core.interfaces.listening import Listening

from ..serving import bytes_of, opened
from .conftest import app_over, client_of

QUICK = settings(
    max_examples=8, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
STREAM = "/api/live"
NOT_CHECKED = [unsupported_method, positive_data_acceptance, negative_data_rejection]
"""A word may name no time; "5" and true are taken for numbers; methods are tried by hand."""


@pytest.fixture(scope="module")
def described(folder: Path) -> Iterator[tuple[Any, Any]]:
    """The application's own document, and a client that stays."""
    with opened(folder) as memory:
        app = app_over(memory, listening=Listening(names=("testserver", "127.0.0.1")))
        schema = schemathesis.openapi.from_asgi("/openapi.json", app)
        with get_client(app) as client:
            yield schema, client


def operations(schema: Any) -> list[Any]:
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path != STREAM]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_keeps_what_the_document_promises(described, mode):
    schema, client = described
    tried = []
    for operation in operations(schema):
        takes_something = operation.body or operation.query or operation.path_parameters
        if mode is GenerationMode.NEGATIVE and not takes_something:
            continue  # nothing about it can be wrong

        @QUICK
        @given(operation.as_strategy(generation_mode=mode))
        def keeps_its_promise(case: Any) -> None:
            response = case.call(session=client)
            tried.append(case)
            case.validate_response(response, excluded_checks=NOT_CHECKED)
            assert "Traceback" not in response.text

        keeps_its_promise()
    assert len(tried) > 100


HOSTILE = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["' OR 1=1; --", '") NEAR("', "../../etc/passwd", "%00", "{{7*7}}", "<script>", "\u202e",
         "$(reboot)", "*" * 500, "9" * 500, "-" * 100, "NaN", "١٢٣", "🤖" * 100]
    ),
)  # fmt: skip
ANYTHING = st.recursive(
    HOSTILE | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def plain(folder: Path) -> Iterator[Any]:
    with opened(folder) as memory, client_of(app_over(memory)) as client:
        yield client


@settings(QUICK, max_examples=150)
@given(st.sampled_from(sorted(CALLS)), st.data())
def test_hostile_arguments_are_answered_or_refused_with_a_code(plain, name, data):
    fields = CALLS[name].request.model_fields
    body = data.draw(
        st.dictionaries(st.sampled_from(sorted(fields) or ["x"]), ANYTHING, max_size=4)
    )
    response = plain.post(
        f"/api/{name}", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert response.status_code < 500, (body, response.text)
    if response.status_code != 200:
        assert set(response.json()) == {"code", "message", "next"}


@settings(QUICK, max_examples=40)
@given(HOSTILE, HOSTILE, st.sampled_from(["GET", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"]))
def test_hostile_addresses_find_nothing(plain, path, query, method):
    from urllib.parse import quote

    where = quote(path, safe="/")
    for prefix in ("/api/", "/api/view/", "/", "//"):
        response = plain.request(method, f"{prefix}{where}", params={"id": query, "level": query})
        assert response.status_code < 500, (path, query, response.text)
        assert "Traceback" not in response.text


def test_nothing_of_all_this_was_written(described, plain, folder):
    before = bytes_of(folder)
    schema, client = described
    for operation in operations(schema):

        @settings(QUICK, max_examples=2)
        @given(operation.as_strategy())
        def call(case: Any) -> None:
            assert case.call(session=client).status_code < 500

        call()
    assert bytes_of(folder) == before
