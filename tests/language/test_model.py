"""The seam to language models: schemas, one retry, and a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from memory_core.errors import EncodingError, ModelReplyInvalid
from memory_core.language.model import LanguageModel, OpenAICompatibleModel, ask_schema


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Scripted:
    """A language model that says what it was told to say, and keeps what it was told."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.heard: list[list[dict[str, str]]] = []

    def complete(self, messages: Any) -> str:
        self.heard.append(list(messages))
        return self.replies.pop(0)


ASKED = [{"role": "user", "content": "a colour, as JSON"}]


@pytest.mark.parametrize(
    "reply",
    ['{"name": "red"}', 'Sure! Here it is:\n```json\n{"name": "red"}\n```', '  {"name":"red"}  ok'],
)
def test_a_reply_that_fits_is_taken_at_once(reply):
    model = Scripted(reply)
    assert ask_schema(model, ASKED, Colour).name == "red"
    assert len(model.heard) == 1


@pytest.mark.parametrize(
    "wrong",
    ["red", "{", '{"colour": "red"}', '{"name": 3}', '{"name": "x", "run": "rm"}', "", "}{"],
)
def test_a_wrong_reply_is_named_and_asked_again_once(wrong):
    model = Scripted(wrong, '{"name": "red"}')
    assert ask_schema(model, ASKED, Colour).name == "red"
    assert len(model.heard) == 2
    assert model.heard[1][-2] == {"role": "assistant", "content": wrong}
    assert "not valid" in model.heard[1][-1]["content"]


def test_two_wrong_replies_are_an_error():
    model = Scripted("no", "no", '{"name": "red"}')
    with pytest.raises(ModelReplyInvalid, match="twice"):
        ask_schema(model, ASKED, Colour)
    assert len(model.replies) == 1  # a third time was not asked


def test_an_endless_reply_is_cut():
    model = Scripted('{"name": "' + "x" * 100_000 + '"}', '{"name": "red"}')
    assert ask_schema(model, ASKED, Colour).name == "red"
    assert len(model.heard[1][-2]["content"]) == 20_000


class Server:
    """A chat-completions server on the loopback: it replies what `reply` holds."""

    def __init__(self) -> None:
        self.status, self.reply = 200, b""
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.reply)))
                self.end_headers()
                self.wfile.write(outer.reply)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def said(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def test_a_server_is_asked_in_the_chat_completions_protocol(server):
    server.reply = said("hello")
    model = OpenAICompatibleModel(server.url, "small", key="secret")
    assert isinstance(model, LanguageModel)
    assert model.complete(ASKED) == "hello"
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert body == {"model": "small", "messages": ASKED, "temperature": 0}


def test_without_a_key_none_is_sent(server):
    server.reply = said("hello")
    OpenAICompatibleModel(server.url, "small").complete(ASKED)
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (500, b"down"),
        (401, b"{}"),
        (200, b"not json"),
        (200, b"{}"),
        (200, b'{"choices": []}'),
        (200, b'{"choices": [{"message": null}]}'),
        (200, b"[]"),
        (200, b""),
    ],
)
def test_a_server_that_fails_is_an_encoding_error_with_its_address(server, status, reply):
    server.status, server.reply = status, reply
    with pytest.raises(EncodingError, match=r"127\.0\.0\.1"):
        OpenAICompatibleModel(server.url, "small").complete(ASKED)


def test_nobody_listening_is_an_encoding_error(server):
    address = server.url
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(EncodingError, match="failed"):
        OpenAICompatibleModel(address, "small", timeout_s=5).complete(ASKED)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/v1", "localhost:8080", ""])
def test_only_http_addresses_are_taken(url):
    with pytest.raises(EncodingError, match="http"):
        OpenAICompatibleModel(url, "small")
