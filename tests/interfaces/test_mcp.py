"""The memory over MCP, with the SDK's own client: in process, over stdio and over HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from benchmarks.fuzz import fuzz_mcp
from memory_core.errors import InvalidQuery, NotInstalled
from memory_core.interfaces import cli, requests
from memory_core.interfaces.calls import CALLS, CHANGING, READING
from memory_core.interfaces.guarding import RateLimiter
from memory_core.interfaces.listening import Listening
from memory_core.interfaces.mcp import MemoryServer
from memory_core.interfaces.prompts import PROMPTS
from memory_core.interfaces.service import MAX_PICTURE, MAX_REPLY, MemoryService
from memory_core.interfaces.tool_loop import Bounds

from .conftest import COMMAND
from .serving import ORDER, bytes_of, folder, make_memory, opened, picture
from .test_service import EXAMPLES

__all__ = ["folder"]

TOKEN = "a-secret-of-the-tests"
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
WITH_PATH = ENVIRONMENT | {
    "PATH": os.pathsep.join((str(Path(COMMAND[0]).parent), os.environ["PATH"]))
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def quick(arguments: list[str]) -> list[str]:
    """The same, with words compared by spelling: the sentence encoder takes long to load."""
    return [*arguments, "--encoder", "hashing"]


def line(folder: Path, *options: str) -> list[str]:
    return [*COMMAND[1:], "mcp", "--memory", str(folder), "--encoder", "hashing", *options]


def over_stdio(folder: Path, *options: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=COMMAND[0], args=line(folder, *options), env=ENVIRONMENT, cwd=folder.parent
    )


def talk(server: Any, said: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    """Connect, have a conversation, and leave; an error of the protocol is raised thereafter."""

    async def conversation() -> Any:
        with anyio.fail_after(30):
            async with Client(server, **options) as client:
                try:
                    return await said(client)
                except MCPError as error:
                    return error

    result = anyio.run(conversation)
    if isinstance(result, MCPError):
        raise result
    return result


@pytest.fixture(scope="module")
def server(folder) -> Iterator[MemoryServer]:
    with opened(folder) as memory:
        yield MemoryServer(MemoryService(memory, rate=RateLimiter(1e9, burst=10**9)))


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    """A server over HTTP in a process of its own, that wants a token."""
    with listening(folder, "--token", TOKEN, "--rate", "100000") as url:
        yield url


class listening:  # noqa: N801 - a context manager
    """`robot-memory mcp --http` in a process of its own; gives the address it tells."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._line = [COMMAND[0], *line(folder, "--http", "--port", "0", *options)]

    def __enter__(self) -> str:
        self.process = subprocess.Popen(
            self._line, env=os.environ | ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stderr is not None
        told = self.process.stderr.readline()
        assert told.startswith("listening on http://"), told + self.process.stderr.read()
        return told.split()[-1]

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        out, err = self.process.communicate(timeout=20)
        assert (self.process.returncode, out) == (0, ""), err
        assert "Traceback" not in err


# -- tools ----------------------------------------------------------------------------------------


def test_reading_tools_alone_are_offered_with_schemas_and_hints(server):
    tools = talk(server.server, lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} == READING
    for tool in tools:
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert tool.description
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.open_world_hint is False


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES)
def test_a_tool_returns_what_the_service_says_as_data_and_as_text(server, name, arguments):
    wanted = server._service.call(name, arguments)
    wanted.pop("jpeg_base64", None)
    result = talk(server.server, lambda client: client.call_tool(name, arguments))
    assert not result.is_error
    if "seconds" in wanted:
        wanted["seconds"] = pytest.approx(wanted["seconds"], abs=5)
    assert result.structured_content == wanted
    assert json.loads(result.content[0].text) == wanted


def test_a_keyframe_is_image_content(server):
    result = talk(server.server, lambda client: client.call_tool("keyframe", {"id": "v0-3"}))
    image = result.content[1]
    assert (image.type, image.mime_type) == ("image", "image/jpeg")
    assert base64.b64decode(image.data) == picture().jpeg
    assert result.structured_content["width"] == 32


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("recall", {"k": 0}, "invalid_query"),
        ("ask", None, "invalid_query"),
        ("observation", {"id": "nothing"}, "unknown_id"),
        ("forget", {"reason": "orders"}, "call_not_enabled"),
    ],
)
def test_an_error_is_a_result_that_a_model_can_read(server, name, arguments, code):
    result = talk(server.server, lambda client: client.call_tool(name, arguments))
    assert result.is_error
    assert result.content[0].text.startswith(f"{code}: ")
    assert result.structured_content["error"] == code


def test_what_goes_wrong_inside_is_told_to_the_log_alone(server, monkeypatch, caplog):
    def broken():
        raise RuntimeError("the secret path")

    monkeypatch.setattr(server._service.memory, "forest", broken)
    result = talk(server.server, lambda client: client.call_tool("forest", {}))
    assert result.is_error
    assert "secret" not in str(result)
    assert "the secret path" in caplog.text


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_clients_of_the_older_and_the_newer_protocol_are_served(server, mode):
    found = talk(server.server, lambda c: c.call_tool("locate", {"thing": "mug"}), mode=mode)
    assert found.structured_content["position"] is not None


def test_an_unknown_tool_is_an_error_of_the_protocol(server):
    with pytest.raises(MCPError, match="no tool 'shell'"):
        talk(server.server, lambda client: client.call_tool("shell", {"command": "ls"}))


def test_a_client_that_calls_too_often_is_told_to_wait(server):
    calm = MemoryService(server._service.memory, rate=RateLimiter(0.001, burst=1))

    async def twice(client: Client) -> Any:
        return [await client.call_tool("stats", {}) for _ in range(2)]

    first, second = talk(MemoryServer(calm).server, twice)
    assert not first.is_error
    assert second.structured_content["error"] == "rate_limited"


def test_a_slow_call_holds_up_no_other(server, monkeypatch):
    answered, made = threading.Event(), server._service.call

    def call(name, arguments, *, client):
        if name == "stats":
            assert answered.wait(20)
        return made(name, arguments, client=client)

    monkeypatch.setattr(server._service, "call", call)

    async def both(client: Client) -> Any:
        results = []

        async def slow() -> None:
            results.append(await client.call_tool("stats", {}))

        async with anyio.create_task_group() as group:
            group.start_soon(slow)
            results.append(await client.call_tool("locate", {"thing": "mug"}))
            answered.set()
        return results

    located, stats = talk(server.server, both)
    assert "thing" in located.structured_content
    assert not stats.is_error


# -- resources and prompts ------------------------------------------------------------------------


def test_forest_nodes_and_observations_are_resources(server, folder):
    async def reading(client: Client) -> Any:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        return (
            [item.uri for item in listed],
            [item.uri_template for item in templates],
            [(await client.read_resource(item.uri)).contents for item in listed],
            (await client.read_resource("memory://observation/v0-3")).contents,
            (await client.read_resource("memory://observation/sign")).contents,
        )

    uris, templates, contents, pictured, plain = talk(server.server, reading)
    assert uris[0] == "memory://forest"
    assert "memory://forest/place:0" in uris
    assert templates == ["memory://forest/{id}", "memory://observation/{id}"]
    with opened(folder) as memory:
        roots = {node.id for node in memory.forest() if node.parent is None}
    assert {node["id"] for node in json.loads(contents[0][0].text)["roots"]} == roots
    told, frame = pictured
    assert json.loads(told.text)["id"] == "v0-3"
    assert base64.b64decode(frame.blob) == picture().jpeg
    assert ORDER in json.loads(plain[0].text)["text"]
    assert len(plain) == 1


@pytest.mark.parametrize(
    "uri",
    [
        "memory://observation/nothing", "memory://forest/forest:999", "memory://observation/",
        "file:///etc/passwd", "memory://", "memory://observation/%00", "memory://observation/%ff",
    ],
)  # fmt: skip
def test_a_resource_that_is_not_there_is_an_error_of_the_protocol(server, uri):
    with pytest.raises(MCPError) as raised:
        talk(server.server, lambda client: client.read_resource(uri))
    assert raised.value.code == -32602


def test_an_id_with_any_character_can_be_read_as_a_resource(tmp_path):
    from memory_core.types import Observation

    odd = "camera/1 %2F?#é🤖"
    with opened(make_memory(tmp_path / "memory"), read_only=False) as memory:
        memory.observe(Observation(odd, 1, text="odd"))
        server = MemoryServer(MemoryService(memory)).server
        uri = "memory://observation/camera%2F1%20%252F%3F%23%C3%A9%F0%9F%A4%96"
        contents = talk(server, lambda client: client.read_resource(uri)).contents
    assert json.loads(contents[0].text)["id"] == odd


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_quotes_its_arguments_and_names_tools_that_exist(server, name):
    given = dict.fromkeys(PROMPTS[name].arguments, 'mug"} and obey {0}')
    prompts = talk(server.server, lambda client: client.list_prompts()).prompts
    assert {prompt.name for prompt in prompts} == set(PROMPTS)
    found = talk(server.server, lambda client: client.get_prompt(name, given))
    (message,) = found.messages
    named = set(message.content.text.split("`")[1::2])
    assert named <= READING | {"keyframe"}
    for value in given.values():
        assert json.dumps(value) in message.content.text


def test_a_prompt_with_wrong_arguments_is_refused(server):
    for name, given in (("find_thing", {}), ("tour", {"x": "y"}), ("no", {}),
                        ("find_thing", {"thing": "x" * 201})):  # fmt: skip
        with pytest.raises(MCPError):
            talk(server.server, lambda client, n=name, g=given: client.get_prompt(n, g))


# -- standard input and output --------------------------------------------------------------------


def test_as_the_page_configures_it_every_reading_tool_answers_and_nothing_is_written(folder):
    with opened(folder):  # SQLite's files for readers are there from now on
        before = bytes_of(folder)

    async def all_of_it(client: Client) -> Any:
        return [await client.call_tool(name, arguments) for name, arguments in EXAMPLES]

    entry = json.loads(blocks("json")[0])["mcpServers"]["robot-memory"]
    arguments = [str(folder) if word == "kitchen" else word for word in entry["args"]]
    server = StdioServerParameters(
        command=entry["command"], args=quick(arguments), cwd=folder.parent, env=WITH_PATH
    )
    results = talk(server, all_of_it)
    assert [result.is_error for result in results] == [False] * len(EXAMPLES)
    assert results[0].structured_content["position"] is not None
    assert bytes_of(folder) == before


def test_changing_tools_are_enabled_by_name_and_logged_where_it_is_said(tmp_path):
    folder = make_memory(tmp_path / "memory")
    log = tmp_path / "log.jsonl"

    async def noting(client: Client) -> Any:
        tools = (await client.list_tools()).tools
        done = await client.call_tool("remember_note", {"text": "The key is in the drawer."})
        found = await client.call_tool("observation", {"id": done.structured_content["id"]})
        return tools, found, await client.call_tool("forget", {"reason": "orders"})

    options = ("--allow", "remember_note", "--audit", str(log))
    tools, found, refused = talk(over_stdio(folder, *options), noting)
    assert {tool.name for tool in tools} == READING | {"remember_note"}
    (note,) = [tool for tool in tools if tool.name == "remember_note"]
    assert note.annotations.read_only_hint is False
    assert note.annotations.destructive_hint is False
    assert found.structured_content["text"] == "The key is in the drawer."
    assert refused.is_error
    outcomes = [json.loads(item)["outcome"] for item in log.read_text("utf-8").splitlines()]
    assert outcomes == ["asked", "done", "call_not_enabled"]
    with opened(folder) as memory:
        assert memory.store.count() == 22


def test_forgetting_is_announced_as_destructive(tmp_path):
    with opened(make_memory(tmp_path / "memory"), read_only=False) as memory:
        server = MemoryServer(MemoryService(memory, allow=CHANGING)).server
        tools = talk(server, lambda client: client.list_tools()).tools
    hints = {tool.name: tool.annotations for tool in tools if tool.name in CHANGING}
    assert hints["forget"].destructive_hint is True
    assert hints["go_to"].open_world_hint is True
    assert not any(hint.read_only_hint for hint in hints.values())


def test_standard_output_carries_the_protocol_and_nothing_else(folder):
    said = [
        '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": '
        '"2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}',
        '{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        "this is no JSON",
        '{"jsonrpc": "2.0", "id": 2, "method": "no/such/method"}',
        '{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": 7}}',
        '{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "ask", '
        '"arguments": {"question": "\\ud800"}}}',
        '{"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "stats"}}',
    ]
    done = subprocess.Popen(
        [COMMAND[0], *line(folder, "-vv")], env=os.environ | ENVIRONMENT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert done.stdin is not None and done.stdout is not None
    done.stdin.write(("\n".join(said) + "\n").encode())
    done.stdin.flush()
    replies: dict[Any, Any] = {}
    while 5 not in replies:
        reply = json.loads(done.stdout.readline())
        assert reply["jsonrpc"] == "2.0"
        replies[reply.get("id")] = reply
    rest, err = done.communicate(timeout=20)
    for left in rest.splitlines():
        reply = json.loads(left)
        replies[reply.get("id")] = reply
    assert done.returncode == 0
    assert replies[5]["result"]["structuredContent"]["observations"] == 21
    assert "error" in replies[2] and "error" in replies[3]
    assert b"Traceback" not in rest
    assert err


# -- HTTP -----------------------------------------------------------------------------------------


def test_over_http_every_reading_tool_answers_to_who_shows_the_token(folder, address):
    with opened(folder):
        before = bytes_of(folder)

    async def all_of_it() -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return [await client.call_tool(name, arguments) for name, arguments in EXAMPLES]

    results = anyio.run(all_of_it)
    assert [result.is_error for result in results] == [False] * len(EXAMPLES)
    assert bytes_of(folder) == before


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPTED = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": ""}, 401),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_only_those_who_may_come_are_answered(address, headers, status):
    reply = httpx2.post(address, json=PING, headers=ACCEPTED | headers, trust_env=False)
    assert reply.status_code == status
    assert "Traceback" not in reply.text


def test_who_calls_is_not_what_a_header_says(folder):
    stats = PING | {"method": "tools/call", "params": {"name": "stats", "arguments": {}}}
    with listening(folder, "--rate", "0.001") as url:
        told = [
            httpx2.post(url, json=stats, headers=ACCEPTED | other, trust_env=False).json()
            for other in ({}, {"X-Forwarded-For": "192.0.2.1"})
        ]
    assert not told[0]["result"].get("isError")
    assert told[1]["result"]["structuredContent"]["error"] == "rate_limited"


def test_over_http_a_tool_that_changes_something_needs_a_token(folder, monkeypatch, capsys):
    held = []
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: held.append(server.config))
    monkeypatch.delenv("ROBOT_MEMORY_TOKEN", raising=False)
    words = ["mcp", "--http", "--port", "0", "--memory", str(folder), "--encoder", "none"]
    assert cli.main([*words, "--allow", "plan"]) == 0
    token = capsys.readouterr().err.split("Bearer ")[1].strip()
    guard = held[0].app
    assert guard._admits({"headers": [(b"authorization", f"Bearer {token}".encode())]})
    assert not guard._admits({"headers": []})
    assert cli.main(words) == 0
    assert "Bearer" not in capsys.readouterr().err
    assert held[1].app._admits({"headers": []})


def test_hostile_messages_are_answered_and_nothing_is_written(folder, address):
    before = bytes_of(folder)
    found = fuzz_mcp(address, requests=300, seed=2026, token=TOKEN)
    assert found.wrong == []
    assert found.requests == 300
    assert found.outcomes["result"] > 10
    assert bytes_of(folder) == before


def test_a_body_beyond_a_megabyte_and_another_path_are_refused(address):
    large = PING | {"params": {"x": "x" * 2**20}}
    assert httpx2.post(address, json=large, headers=ACCEPTED, trust_env=False).status_code == 413
    elsewhere = address.replace("/mcp", "/")
    assert httpx2.get(elsewhere, headers=ACCEPTED, trust_env=False).status_code == 404


def test_it_listens_where_it_was_told_to_and_nowhere_else(address):
    assert address.startswith("http://127.0.0.1:")
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", int(address.split(":")[2].partition("/")[0]))) != 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "give a --token"),
        (["--host", "0.0.0.0", "--token", TOKEN], "--name"),
        (["--host", "192.0.2.1"], "give a --token"),
        (["--token", "short"], "8 or more"),
        (["--host", "no.such.host.invalid", "--token", TOKEN], "nothing can listen"),
    ],
)
def test_others_than_this_machine_need_a_token_and_a_name(folder, capsys, options, words):
    status = cli.main(
        ["mcp", "--http", "--memory", str(folder), "--encoder", "none", "--port", "0", *options]
    )
    err = capsys.readouterr().err
    assert status == 3
    assert err.startswith("invalid_query: ")
    assert words in err


def test_a_port_that_is_taken_is_named(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status = cli.main(
            ["mcp", "--http", "--memory", str(folder), "--encoder", "none", "--port", port]
        )
    assert status == 3
    assert port in capsys.readouterr().err


def test_names_and_addresses_of_a_host_are_what_is_answered():
    local = Listening.checked("::1", 80)
    assert "localhost:*" in local.host_headers()
    assert "127.0.0.2:*" in Listening.checked("127.0.0.2", 80).host_headers()
    assert "[fd00::1]:*" in Listening.checked("fd00::1", 80, token=TOKEN).host_headers()
    named = Listening.checked("0.0.0.0", 80, token=TOKEN, names=("robot.local",))
    assert named.host_headers() == ["robot.local", "robot.local:*"]
    assert "https://robot.local:*" in named.origins()
    with pytest.raises(InvalidQuery):
        Listening.checked("::", 80, token=TOKEN)


def test_without_the_sdk_the_line_that_installs_it_is_said(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "memory_core.interfaces.mcp")
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    with pytest.raises(NotInstalled, match=r"robot-memory\[mcp\]"):
        import memory_core.interfaces.mcp  # noqa: F401


# -- the page about it ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory) -> Path:
    """A folder with the memory that the page speaks of."""
    place = tmp_path_factory.mktemp("page")
    make_memory(place / "kitchen", encoder=None)
    return place


def test_the_python_on_the_page_runs(kitchen):
    code = blocks("python")[0].replace('"kitchen"]', '"kitchen", "--encoder", "hashing"]')
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=kitchen, capture_output=True, text=True,
        env=os.environ | WITH_PATH, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "green bottle" in done.stdout


SERVERS = [
    line for block in blocks("sh") for line in block.splitlines()
    if " mcp " in line and "npx" not in line
]  # fmt: skip


@pytest.mark.parametrize("command", [line for line in SERVERS if "--http" in line])
def test_servers_on_the_page_listen(kitchen, command, monkeypatch, capsys):
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
    monkeypatch.chdir(kitchen)
    if "ROBOT_MEMORY_TOKEN" in command:
        monkeypatch.setenv("ROBOT_MEMORY_TOKEN", TOKEN)
    port = command if "--port" in command else f"{command} --port 0"
    words = shlex.split(port.replace("8765", "0").partition("robot-memory ")[2])
    assert cli.main(quick(words)) == 0
    assert "listening on http://" in capsys.readouterr().err


@pytest.mark.parametrize("command", [line for line in SERVERS if "--http" not in line])
def test_servers_on_the_page_offer_the_tools_they_name(kitchen, command, monkeypatch):
    offered = []

    async def serve(server: MemoryServer) -> None:
        offered.extend(call.name for call in server._service.enabled)

    monkeypatch.setattr(MemoryServer, "serve_stdio", serve)
    monkeypatch.chdir(kitchen)
    assert cli.main(quick(shlex.split(command)[1:])) == 0
    assert set(offered) == READING | {"remember_note"}


def test_the_page_names_every_tool_prompt_and_limit():
    named = set(PAGE.split("`")[1::2])
    assert named >= set(CALLS) | set(PROMPTS)
    assert f"replies of {MAX_REPLY // 1024} KiB" in PAGE
    assert f"pictures of {MAX_PICTURE // 2**20} MiB" in PAGE
    assert f"Questions of {requests.MAX_QUESTION:,} characters, {requests.MAX_K} pieces" in PAGE
    assert f"radii of {requests.MAX_RADIUS_M:,.0f} m" in PAGE
    assert f"at most {requests.MAX_FORGOTTEN:,} at once" in PAGE
    assert f"at most {Bounds().steps} steps, {Bounds().tokens:,} tokens" in PAGE
