"""How a language model says which call it wants: by the server's tool calls, or as JSON.

A server that speaks the chat-completions protocol is given the tools and replies with tool
calls. Any other model is told the tools in words and replies with one JSON object. The
conversation is kept as that protocol has it, for both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from memory_core.language.model import LanguageModel, OpenAICompatibleModel
from memory_core.types import Json

MAX_NAME = 64
MAX_ARGUMENTS = 10_000
REPLY_TOKENS = 1_000

Message: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that a model wants made.

    Attributes:
        id: What its result is to be called.
        name: Of the call, as the model gave it.
        arguments: JSON text, as the model gave it.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a model replied: words, and the calls it wants."""

    text: str
    wishes: tuple[Wish, ...]

    def as_message(self) -> Message:
        """The reply as the protocol has it."""
        calls = [
            {"id": wish.id, "type": "function",
             "function": {"name": wish.name, "arguments": wish.arguments}}
            for wish in self.wishes
        ]  # fmt: skip
        message: Message = {"role": "assistant", "content": self.text}
        return message | {"tool_calls": calls} if calls else message


class Talker(Protocol):
    """A language model that can ask for calls."""

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Json], *, timeout_s: float
    ) -> Said:
        """The model's next message.

        Args:
            messages: The conversation.
            tools: What may be called: `name`, `description`, `parameters` (a JSON schema).
            timeout_s: How long it may take, where that can be held.

        Raises:
            EncodingError: The model failed.
        """


class ServerTalker:
    """A server that speaks the chat-completions protocol with tool calls."""

    def __init__(self, model: OpenAICompatibleModel) -> None:
        """Name the server."""
        self._model = model

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Json], *, timeout_s: float
    ) -> Said:
        """See `Talker.reply`."""
        message = self._model.message(
            messages, timeout_s=timeout_s, max_tokens=REPLY_TOKENS,
            tools=[{"type": "function", "function": tool} for tool in tools],
        )  # fmt: skip
        text = message.get("content")
        calls = message.get("tool_calls")
        return Said(
            text[:MAX_ARGUMENTS] if isinstance(text, str) else "",
            tuple(
                _wish(call, number)
                for number, call in enumerate(calls if isinstance(calls, list) else ())
            ),
        )


def _wish(call: Any, number: int) -> Wish:
    """A tool call as a server sent it; what is not there is left empty, and refused later."""
    call = call if isinstance(call, Mapping) else {}
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Wish(
        str(call.get("id") or f"call-{number}")[:MAX_NAME],
        str(function.get("name") or "")[:MAX_NAME],
        text[:MAX_ARGUMENTS],
    )


class WordTalker:
    """Any language model, told in words how to ask for a call: one JSON object a message."""

    def __init__(self, model: LanguageModel) -> None:
        """Name the model."""
        self._model = model

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Json], *, timeout_s: float
    ) -> Said:
        """See `Talker.reply`."""
        text = self._model.complete([_in_words(message, tools) for message in messages])
        text = text[:MAX_ARGUMENTS]
        start, end = text.find("{"), text.rfind("}")
        try:
            wanted = json.loads(text[start : end + 1])
        except (ValueError, RecursionError):
            return Said(text, ())
        if not isinstance(wanted, dict) or not isinstance(wanted.get("tool"), str):
            return Said(text, ())
        wish = Wish("call", wanted["tool"][:MAX_NAME], json.dumps(wanted.get("arguments") or {}))
        return Said(text, (wish,))


def _in_words(message: Message, tools: Sequence[Json]) -> dict[str, str]:
    if message["role"] == "system":
        listed = "\n".join(json.dumps(tool) for tool in tools)
        how = 'Reply with one JSON object and nothing else: {"tool": NAME, "arguments": {…}}.'
        return {"role": "system", "content": f"{message['content']}\n{how}\nTools:\n{listed}"}
    if message["role"] == "tool":
        return {"role": "user", "content": "The tool returned: " + message["content"]}
    return {"role": message["role"], "content": message["content"]}


def talker_of(model: LanguageModel) -> Talker:
    """The way to talk with a model: tool calls where a server may know them, else in words."""
    if isinstance(model, OpenAICompatibleModel):
        return ServerTalker(model)
    return WordTalker(model)
