"""The seam to language models: one method, text in, text out.

A model is optional everywhere. What it replies goes through a schema and is never executed;
what is remembered reaches it as quoted data.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ValidationError

from memory_core.errors import EncodingError, ModelReplyInvalid, NotInstalled

MAX_REPLY = 20_000
MAX_BODY = 1_000_000

Schema = TypeVar("Schema", bound=BaseModel)


@runtime_checkable
class LanguageModel(Protocol):
    """Completes a conversation."""

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """Reply to messages of `role` (system, user, assistant) and `content`.

        Raises:
            EncodingError: The model or its server failed.
        """


class OpenAICompatibleModel:
    """Any server that speaks the chat-completions protocol (llama.cpp, vLLM, Ollama, …)."""

    def __init__(self, url: str, model: str, *, key: str = "", timeout_s: float = 60.0) -> None:
        """Name the server; nothing is sent yet.

        Args:
            url: Base address, such as http://127.0.0.1:8080/v1.
            model: The model's name there.
            key: Bearer token, where the server wants one.
            timeout_s: How long a reply may take, seconds.

        Raises:
            EncodingError: The address is not http or https.
        """
        if not url.startswith(("http://", "https://")):
            raise EncodingError(
                f"language model address {url!r} must begin with http:// or https://"
            )
        self._url = url.rstrip("/") + "/chat/completions"
        self._model = model
        self._key = key
        self._timeout_s = timeout_s

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """See `LanguageModel.complete`."""
        text = self.message(messages).get("content")
        if not isinstance(text, str):
            raise EncodingError(f"the language model at {self._url} failed: it sent no text")
        return text

    def message(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        timeout_s: float | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """The assistant's next message, as the server sent it: `content`, `tool_calls`.

        Args:
            messages: The conversation, as the protocol has it.
            timeout_s: How long all of it may take, seconds; by default as for a reply.
            **more: What else goes into the request (`tools`, `max_tokens`).

        Raises:
            EncodingError: The server failed, took too long, or sent too much.
        """
        until = time.monotonic() + (timeout_s or self._timeout_s)
        body = {"model": self._model, "messages": list(messages), "temperature": 0, **more}
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            self._url, json.dumps(body).encode(), headers
        )
        try:
            left = min(self._timeout_s, timeout_s or self._timeout_s)
            with urllib.request.urlopen(request, timeout=left) as response:  # noqa: S310
                reply: Any = json.loads(_read(response, until))
            message = reply["choices"][0]["message"]
            if not isinstance(message, dict):
                raise TypeError(f"a message is {type(message).__name__}")
        except (
            OSError,
            urllib.error.URLError,
            http.client.HTTPException,
            RecursionError,
            ValueError,
            KeyError,
            IndexError,
            TypeError,
        ) as error:
            raise EncodingError(f"the language model at {self._url} failed: {error}") from error
        return message


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    """A whole body; a server that drips or floods is left."""
    parts: list[bytes] = []
    length = 0
    while part := response.read1(65_536):
        parts.append(part)
        length += len(part)
        if length > MAX_BODY:
            raise ValueError(f"the reply has over {MAX_BODY:,} bytes")
        if time.monotonic() > until:
            raise TimeoutError("the reply took too long")
    return b"".join(parts)


class TransformersModel:
    """A local causal language model with a chat template, by name or path."""

    def __init__(self, model: str, *, max_new_tokens: int = 300) -> None:
        """Load it.

        Args:
            model: A folder or hub name that transformers knows; safetensors only.
            max_new_tokens: Longest reply.

        Raises:
            NotInstalled: transformers or torch is missing.
            EncodingError: The model cannot be loaded.
        """
        try:
            from safetensors import SafetensorError
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise NotInstalled.part("transformers", "perception") from error
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
            self._model: Any = AutoModelForCausalLM.from_pretrained(
                model, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise EncodingError(
                f"the language model {model!r} cannot be loaded: {error}"
            ) from error
        self._max_new_tokens = max_new_tokens

    def complete(self, messages: Sequence[dict[str, str]]) -> str:
        """See `LanguageModel.complete`."""
        if getattr(self._tokenizer, "chat_template", None):
            text = self._tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True
            )
        else:
            text = "\n".join(f"{m['role']}: {m['content']}" for m in messages) + "\nassistant:"
        try:
            inputs = self._tokenizer(text, return_tensors="pt", truncation=True)
            inputs.pop("token_type_ids", None)
            output = self._model.generate(
                **inputs, max_new_tokens=self._max_new_tokens, do_sample=False
            )
        except (RuntimeError, ValueError, IndexError) as error:
            raise EncodingError(f"the language model failed: {error}") from error
        length = inputs["input_ids"].shape[1]
        return str(self._tokenizer.decode(output[0][length:], skip_special_tokens=True))


def ask_schema(
    model: LanguageModel, messages: Sequence[dict[str, str]], schema: type[Schema]
) -> Schema:
    """A reply that fits a schema; one retry that names the fault.

    Args:
        model: The model.
        messages: The conversation; its last message asks for JSON.
        schema: What the reply must be.

    Raises:
        ModelReplyInvalid: Neither reply fits.
        EncodingError: The model failed.
    """
    conversation = list(messages)
    fault = ""
    for _ in range(2):
        reply = model.complete(conversation)[:MAX_REPLY]
        try:
            return schema.model_validate_json(_json_part(reply))
        except ValidationError as error:
            fault = str(error).splitlines()[0]
        conversation += [
            {"role": "assistant", "content": reply},
            {
                "role": "user",
                "content": f"That was not valid ({fault}). Reply with the JSON object alone.",
            },
        ]
    raise ModelReplyInvalid(f"the language model's reply did not fit its schema twice: {fault}")


def _json_part(reply: str) -> str:
    start, end = reply.find("{"), reply.rfind("}")
    return reply[start : end + 1] if 0 <= start < end else reply
