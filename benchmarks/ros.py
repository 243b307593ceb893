"""The ROS 2 stack under load: a camera at 10 Hz, ten things seen in every frame.

A simulated robot publishes 640x480 colour and depth, camera_info, transforms, odometry and
vision_msgs detections; `perception_node` and `memory_node` run as on a robot. Measured are what was
dropped, how long a frame takes until it is on disk, how long `Query` takes meanwhile, and the
processor time, memory and file handles of both nodes. Then a memory of many observations is brought
up, asked, and stopped.

    source ros_ws/.venv/bin/activate && source /opt/ros/jazzy/setup.bash
    source ros_ws/install/setup.bash
    python -m benchmarks.ros --minutes 60
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from robot_memory_interfaces.msg import Acknowledgement, Observation
from robot_memory_ros import qos
from robot_memory_ros.client import MemoryClient
from robot_memory_ros.memory_node import encoder_of
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3D, Detection3DArray, ObjectHypothesisWithPose

from benchmarks.common import (
    Target,
    descriptions,
    latency,
    machine,
    make_log,
    parse_size,
    print_json,
    print_table,
    print_targets,
    rounded,
    say,
    size_name,
    today,
)

WIDTH, HEIGHT = 640, 480
FRAME_S = 0.1
QUERY_EVERY_S = 0.5
THINGS = 10
SPEED_M_S = 0.5
LOOP_M = 6.0
WARM_S = 20.0
LATE_S = 30.0
DIAGNOSED_S = 2.5
"""Nodes tell their counts every second."""
FLAT = 0.05
"""RAM that grows by less than this share of itself an hour is flat."""
PICTURES = ("/camera/image_raw", "/camera/depth")
SAMPLE_S = 5.0
LABELS = (
    "red mug", "kettle", "toaster", "blue chair", "laptop", "plant", "white plate", "lamp",
    "backpack", "keyboard", "green bottle", "sofa", "bowl", "book", "fire extinguisher", "shoe",
)  # fmt: skip


class Robot(Node):
    """Publishes what a robot with an RGB-D camera and a detector would."""

    def __init__(self, *, seed: int) -> None:
        """Make what is published once; frames differ by where they are cut from a large one."""
        super().__init__("robot")
        chance = np.random.default_rng(seed)
        coarse = chance.integers(0, 255, (90, 120, 3), dtype=np.uint8)
        self._scene = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
        self._scene = self._scene + chance.integers(0, 12, self._scene.shape, dtype=np.uint8)
        self._depth = np.full((HEIGHT, WIDTH), 2_000, np.uint16).tobytes()
        self._chance = chance
        self._image = self.create_publisher(Image, "camera/image_raw", qos.SENSOR)
        self._deep = self.create_publisher(Image, "camera/depth", qos.SENSOR)
        self._camera = self.create_publisher(CameraInfo, "camera/camera_info", qos.SENSOR)
        self._seen = self.create_publisher(Detection3DArray, "detections", qos.SENSOR)
        self._moved = self.create_publisher(Odometry, "odom", qos.SENSOR)
        self._tf = self.create_publisher(TFMessage, "/tf", 100)
        self.frames = 0
        self.sent_s: dict[int, float] = {}
        self._stamps: dict[str, int] = {}
        self.taken_s: list[float] = []
        self.told: dict[str, dict[str, str]] = {}
        self.create_subscription(Observation, "observations", self._note, qos.STREAM)
        self.create_subscription(Acknowledgement, "durable", self._durable, qos.STREAM)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, 10)

    def _note(self, message: Observation) -> None:
        if message.source == "/detections":
            stamp = message.header.stamp
            self._stamps.setdefault(message.id, stamp.sec * 10**9 + stamp.nanosec)

    def _durable(self, message: Acknowledgement) -> None:
        now = time.monotonic()
        for name in message.added:
            sent = self.sent_s.pop(self._stamps.pop(name, -1), None)
            if sent is not None:
                self.taken_s.append(now - sent)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.told[status.name] = {item.key: item.value for item in status.values}

    def listened_to(self) -> bool:
        """Whether the stack hears every topic."""
        topics = (self._image, self._deep, self._camera, self._seen, self._moved, self._tf)
        return all(topic.get_subscription_count() for topic in topics)

    def frame(self) -> None:
        """Publish one frame and all that belongs to it, now."""
        now_ns = time.time_ns()
        x, y, yaw = self._at(self.frames * FRAME_S * SPEED_M_S)
        stamp = self.get_clock().now().to_msg()
        stamp.sec, stamp.nanosec = now_ns // 10**9, now_ns % 10**9
        transforms = [_transform(stamp, "map", "odom", 0.0, 0.0, 0.0),
                      _transform(stamp, "odom", "base_link", x, y, yaw)]  # fmt: skip
        self._tf.publish(TFMessage(transforms=transforms))
        odometry = Odometry(child_frame_id="base_link")
        odometry.header.stamp, odometry.header.frame_id = stamp, "odom"
        odometry.pose.pose.position.x, odometry.pose.pose.position.y = x, y
        odometry.pose.pose.orientation.w = 1.0
        self._moved.publish(odometry)
        camera = CameraInfo(width=WIDTH, height=HEIGHT)
        camera.k = [525.0, 0.0, 319.5, 0.0, 525.0, 239.5, 0.0, 0.0, 1.0]
        camera.header.stamp, camera.header.frame_id = stamp, "base_link"
        self._camera.publish(camera)
        top, left = (self.frames * 7) % 900, (self.frames * 11) % 1200
        pixels = np.ascontiguousarray(self._scene[top : top + HEIGHT, left : left + WIDTH])
        self._image.publish(_image(stamp, "rgb8", 3 * WIDTH, pixels.tobytes()))
        self._deep.publish(_image(stamp, "16UC1", 2 * WIDTH, self._depth))
        self.sent_s[now_ns] = time.monotonic()
        self._seen.publish(self._things(stamp, x, y, yaw))
        self.frames += 1

    def _at(self, gone_m: float) -> tuple[float, float, float]:
        """Round a square, metres and radians."""
        side, along = divmod(gone_m % (4 * LOOP_M), LOOP_M)
        corners = ((0.0, 0.0), (LOOP_M, 0.0), (LOOP_M, LOOP_M), (0.0, LOOP_M))
        turn = side * np.pi / 2
        x, y = corners[int(side)]
        return float(x + along * np.cos(turn)), float(y + along * np.sin(turn)), float(turn)

    def _things(self, stamp: Any, x: float, y: float, yaw: float) -> Detection3DArray:
        """Ten things that stand still in the map, as a detector sees them: with some noise."""
        message = Detection3DArray()
        message.header.stamp, message.header.frame_id = stamp, "base_link"
        first = int((x + 2 * y) / 3) % len(LABELS)
        for number in range(THINGS):
            label = (first + number) % len(LABELS)
            dx, dy = (1.3 * (label % 4) + 1.0 - x, 1.7 * (label // 4) + 1.0 - y)
            place = np.array(
                (dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw), 0.8)
            ) + self._chance.normal(0, 0.02, 3)
            found = ObjectHypothesisWithPose()
            found.hypothesis.class_id, found.hypothesis.score = LABELS[label], 0.9
            thing = Detection3D(results=[found])
            centre = thing.bbox.center.position
            centre.x, centre.y, centre.z = map(float, place)
            thing.bbox.center.orientation.w = 1.0
            thing.bbox.size.x = thing.bbox.size.y = thing.bbox.size.z = 0.15
            message.detections.append(thing)
        return message


def _transform(stamp: Any, parent: str, child: str, x: float, y: float, yaw: float) -> Any:
    made = TransformStamped(child_frame_id=child)
    made.header.stamp, made.header.frame_id = stamp, parent
    made.transform.translation.x, made.transform.translation.y = x, y
    made.transform.rotation.z = float(np.sin(yaw / 2))
    made.transform.rotation.w = float(np.cos(yaw / 2))
    return made


def _image(stamp: Any, encoding: str, step: int, data: bytes) -> Image:
    made = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=step)
    made._data = array("B", data)  # the setter looks at every byte
    made.header.stamp, made.header.frame_id = stamp, "base_link"
    return made


class Asker:
    """Asks the memory now and then, from a process of its own as a planner does.

    In the process that plays the cameras, answers would wait for messages of 1.5 MB.
    """

    def __init__(self) -> None:
        """Start; nothing is asked before `begin`."""
        spawning = multiprocessing.get_context("spawn")
        self._asking, self._stopping = spawning.Event(), spawning.Event()
        self._ready = spawning.Event()
        self._taken, sending = spawning.Pipe(duplex=False)
        self._process = spawning.Process(
            target=_ask_on, args=(self._ready, self._asking, self._stopping, sending), daemon=True
        )
        self._process.start()
        sending.close()  # else its end would never be seen here

    def ready(self) -> bool:
        """Whether the memory can be asked."""
        return bool(self._ready.is_set())

    def begin(self) -> None:
        """Ask from now on."""
        self._asking.set()

    def end(self) -> list[float]:
        """Stop asking; returns how long each answer took, seconds."""
        self._stopping.set()
        try:
            return list(self._taken.recv()) if self._taken.poll(2 * LATE_S) else []
        except EOFError:  # it ended before; its log says why
            return []
        finally:
            self.close()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _ask_on(ready: Any, asking: Any, stopping: Any, sending: Any) -> None:
    rclpy.init()
    node = Node("asker")
    client, executor = MemoryClient(node), SingleThreadedExecutor()
    executor.add_node(node)
    # spun once and for all: each `spin_until_future_complete` with a time limit leaves something
    # behind in rclpy, and after thousands of them answers take 0.3 s longer
    threading.Thread(target=executor.spin, daemon=True).start()
    wait_for(client.ready, 120.0, "it can be asked")
    ready.set()
    asking.wait()
    taken: list[float] = []
    begun = time.monotonic()
    while not stopping.is_set():
        answered = threading.Event()
        future = client.recall(LABELS[len(taken) % len(LABELS)], k=10)
        future.add_done_callback(lambda _, answered=answered: answered.set())
        if answered.wait(LATE_S) and future.result().error_code:
            raise SystemExit(f"Query failed: {future.result().error_msg}")
        taken.append(time.monotonic() - begun)  # since it was due: what waited for it counts too
        begun += QUERY_EVERY_S
        stopping.wait(max(0.0, begun - time.monotonic()))
    sending.send(taken)
    os._exit(0)  # the thread that spins would be torn down beside the interpreter


class Stack:
    """Both nodes as processes, and what they cost."""

    def __init__(self, folder: Path, *, encoder: str, keep: int = 0) -> None:
        """Start nothing yet."""
        self._folder, self._encoder, self._keep = folder, encoder, keep
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **parameters: object) -> None:
        """Start a node."""
        given = [part for key, item in parameters.items() for part in ("-p", f"{key}:={item}")]
        with (self._folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"robot_memory_ros.{name}", "--ros-args", *given],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def memory(self, folder: Path) -> None:
        """Start `memory_node`."""
        self.start(
            "memory_node", folder=folder, encoder=self._encoder, keep_observations=self._keep
        )

    def perception(self) -> None:
        """Start `perception_node` on the robot's topics."""
        self.start(
            "perception_node", depth_topic="camera/depth", detections_topic="detections",
        )  # fmt: skip

    def stop(self, name: str) -> float:
        """Stop a node as a launch file does; returns how long that took, seconds."""
        process, begun = self.processes.pop(name), time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return time.monotonic() - begun

    def cost(self) -> dict[str, dict[str, float]]:
        """Of each node: processor seconds so far, bytes in RAM, open files.

        Pages of files that are mapped, as the index of vectors is, are resident and not counted as
        its own: the system takes them back when it needs them.
        """
        found = {}
        for name, process in self.processes.items():
            one = psutil.Process(process.pid)
            times, memory = one.cpu_times(), one.memory_info()
            found[name] = {
                "cpu_s": times.user + times.system,
                "rss": float(memory.rss),
                "own": float(memory.rss - memory.shared),
                "files": float(one.num_fds()),
            }
        return found

    def close(self) -> None:
        """Stop all."""
        for name in list(self.processes):
            self.stop(name)


def wait_for(condition: Any, limit_s: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        SystemExit: It did not come in time.
    """
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {limit_s:g} s: {what}")
        time.sleep(0.005)


def load(folder: Path, *, minutes: float, encoder: str, keep: int, seed: int) -> dict[str, Any]:
    """Run the stack under load.

    Args:
        folder: For the memory and the logs.
        minutes: How long it is measured, after a warm-up.
        encoder: Text encoder of the memory.
        keep: What is remembered is consolidated down to so many observations; 0: no bound.
        seed: Of pictures and noise.
    """
    stack, robot, asker = Stack(folder, encoder=encoder, keep=keep), Robot(seed=seed), Asker()
    executor = SingleThreadedExecutor()
    executor.add_node(robot)

    def spin() -> None:
        with suppress(ExternalShutdownException):
            executor.spin()

    spinning = threading.Thread(target=spin)
    spinning.start()
    samples: list[tuple[float, dict[str, dict[str, float]]]] = []
    try:
        stack.memory(folder / "memory")
        stack.perception()
        wait_for(robot.listened_to, 60.0, "the stack hears the robot")
        wait_for(asker.ready, 60.0, "the memory can be asked")
        _drive(robot, WARM_S, lambda: None)
        robot.sent_s.clear()  # what is still on its way from the warm-up is not counted
        robot.taken_s.clear()
        asker.begin()
        first = robot.frames
        say(f"measuring for {minutes:g} minutes")
        begun = time.monotonic()
        samples.append((begun, stack.cost()))
        _drive(
            robot, 60 * minutes,
            lambda: samples.append((time.monotonic(), stack.cost())),
        )  # fmt: skip
        samples.append((time.monotonic(), stack.cost()))
        frames, asked_s = robot.frames - first, asker.end()
        with suppress(SystemExit):  # what never comes is counted
            wait_for(lambda: not robot.sent_s, LATE_S, "every frame is remembered")
        time.sleep(DIAGNOSED_S)
        counts = {name: dict(values) for name, values in robot.told.items()}
    finally:
        executor.shutdown()
        spinning.join()
        asker.close()
        stack.close()
        robot.destroy_node()
    return _told(robot, samples, frames, asked_s, counts)


def _drive(robot: Robot, seconds: float, sample: Any) -> None:
    """Publish frames at their rate; sample now and then."""
    begun = sampled = time.monotonic()
    for number in range(round(seconds / FRAME_S)):
        time.sleep(max(0.0, begun + number * FRAME_S - time.monotonic()))
        robot.frame()
        now = time.monotonic()
        if now - sampled >= SAMPLE_S:
            sampled = now
            sample()


def _told(
    robot: Robot, samples: Any, frames: int, asked_s: list[float], counts: Any
) -> dict[str, Any]:
    begun, first = samples[0]
    ended, last = samples[-1]
    seconds = ended - begun
    nodes = {}
    for name in first:
        rss, own = (
            np.array([cost[name][kind] for _, cost in samples]) / 1e6 for kind in ("rss", "own")
        )
        hours = np.array([at - begun for at, _ in samples]) / 3600
        half = len(rss) // 2
        files = [int(cost[name]["files"]) for _, cost in samples]
        growth = np.polyfit(hours[half:], own[half:], 1)[0] if len(own) - half > 2 else np.nan
        nodes[name] = {
            "cores": rounded((last[name]["cpu_s"] - first[name]["cpu_s"]) / seconds),
            "cpu_ms_per_frame": rounded(
                (last[name]["cpu_s"] - first[name]["cpu_s"]) * 1e3 / max(len(robot.taken_s), 1)
            ),
            "rss_mb": rounded(rss[-1]),
            "own_mb": rounded(own[-1]),
            "own_growth_mb_per_hour": rounded(growth),
            "files_first_half": max(files[: half + 1]),
            "files_second_half": max(files[half:]),
        }
    keys = ("dropped", "spool dropped", "without transform", "refused", "failed")
    dropped = {
        f"{name.split(':')[0]}: {key}": int(values[key])
        for name, values in counts.items()
        for key in keys
        if int(values.get(key, 0) or 0)
    }
    heard = next((told for name, told in counts.items() if name.startswith("perception")), {})
    return {
        "seconds": rounded(seconds),
        "pictures_not_heard": sum(robot.frames - int(heard.get(name, 0)) for name in PICTURES),
        "frames": frames,
        "remembered": len(robot.taken_s),
        "dropped": dropped,
        "frame_to_remembered": latency(robot.taken_s) if robot.taken_s else None,
        "queries": len(asked_s),
        "query": latency(asked_s) if asked_s else None,
        "nodes": nodes,
        "cores": rounded(sum(node["cores"] for node in nodes.values())),
    }


# -- bring-up and shutdown ------------------------------------------------------------------------


def fill(folder: Path, rows: int, *, encoder: str, seed: int) -> None:
    """Make a memory of so many observations, organised.

    Args:
        folder: New.
        rows: How many.
        encoder: Text encoder of the memory.
        seed: Of what is in it.
    """
    from memory_core import Observation as Seen
    from memory_core import Pose, RobotMemory

    log = make_log(rows, descriptions(3_000, seed=seed), None, sigma=0.05, seed=seed)
    with RobotMemory.open(folder, text_encoder=encoder_of(encoder)) as memory:
        for start in range(0, rows, 2_000):
            batch = log.batch(start, start + 2_000)
            memory.observe(
                Seen(f"o{number}", int(stamp), pose=Pose(*map(float, at)), text=text)
                for number, stamp, at, text in zip(
                    batch.numbers, batch.stamps, batch.positions, batch.texts, strict=True
                )
            )
        memory.organise()
        memory.wait()


def bring_up(folder: Path, work: Path, *, encoder: str, times: int) -> dict[str, Any]:
    """Start `memory_node` on a memory, ask it, stop it; some times over.

    Args:
        folder: The memory.
        work: For logs.
        encoder: Text encoder of the memory.
        times: How often.
    """
    node = Node("starter")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    states, up, answered, down = [], [], [], []
    client = node.create_client(GetState, "memory_node/get_state")
    asker = MemoryClient(node)
    for _ in range(times):
        stack, begun = Stack(work, encoder=encoder), time.monotonic()
        stack.memory(folder)
        state = 0
        while state != State.PRIMARY_STATE_ACTIVE:
            executor.spin_once(timeout_sec=0.02)
            if not client.service_is_ready():
                continue
            future = client.call_async(GetState.Request())
            executor.spin_until_future_complete(future, timeout_sec=0.5)
            state = future.result().current_state.id if future.done() else 0
        up.append(time.monotonic() - begun)
        wait_for(lambda: executor.spin_once(timeout_sec=0.01) or asker.ready(), 20.0, "it answers")
        future = asker.recall("red mug", k=5)
        executor.spin_until_future_complete(future, timeout_sec=60.0)
        answered.append(time.monotonic() - begun)
        states.append(state)
        down.append(stack.stop("memory_node"))
    node.destroy_node()
    return {
        "times": times,
        "active_s": [rounded(value) for value in up],
        "first_answer_s": [rounded(value) for value in answered],
        "shutdown_s": [rounded(value) for value in down],
    }


# -- the command ----------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="of load (default: 60)")
    parser.add_argument("--encoder", default="default", help="text encoder (default: default)")
    parser.add_argument("--keep", type=parse_size, default=0,
                        help="memory_node's keep_observations (default: 0, no bound)")  # fmt: skip
    parser.add_argument("--rows", type=parse_size, default=100_000, help="of the memory brought up")
    parser.add_argument("--times", type=int, default=5, help="it is brought up so often")
    parser.add_argument("--folder", type=Path, help="keeps the memory that is brought up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    options = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    result: dict[str, Any] = {"when": today(), "machine": machine()}
    rclpy.init()
    with tempfile.TemporaryDirectory(prefix="robot-memory-ros-") as name:
        work = Path(name)
        if options.minutes > 0:
            result["load"] = load(
                work, minutes=options.minutes, encoder=options.encoder, keep=options.keep,
                seed=options.seed,
            )  # fmt: skip
        if options.rows:
            folder = (options.folder or work) / f"memory-{size_name(options.rows)}"
            if not folder.exists():
                say(f"making a memory of {options.rows:,}")
                fill(folder, options.rows, encoder=options.encoder, seed=options.seed)
            result["bring_up"] = {
                "rows": options.rows,
                **bring_up(folder, work, encoder=options.encoder, times=options.times),
            }
    rclpy.try_shutdown()
    targets = _targets(result)
    result["targets"] = [target.to_json() for target in targets]
    if options.json:
        print_json(result)
        return
    _print(result)
    print_targets(targets)


def _targets(result: dict[str, Any]) -> list[Target]:
    found = []
    if load := result.get("load"):
        found += [
            Target("frames dropped", load["frames"] - load["remembered"], 0),
            Target("colour and depth pictures not heard", load["pictures_not_heard"], 0),
            Target("frame to remembered, p99, ms", load["frame_to_remembered"]["p99_ms"], 200),
            Target("Query under load, p50, ms", load["query"]["p50_ms"], 20),
            Target("cores of both nodes", load["cores"], 1.2),
        ]
        found += [
            Target(
                f"{name}: more files open in the second half",
                node["files_second_half"] - node["files_first_half"],
                0,
            )
            for name, node in load["nodes"].items()
        ]
        found += [
            Target(
                f"{name}: RAM of its own, share more an hour",
                node["own_growth_mb_per_hour"] / node["own_mb"],
                FLAT,
            )
            for name, node in load["nodes"].items()
        ]
    if up := result.get("bring_up"):
        found += [
            Target("bring-up to active, longest, s", max(up["active_s"]), 5),
            Target("shutdown, longest, s", max(up["shutdown_s"]), 2),
        ]
    return found


def _print(result: dict[str, Any]) -> None:
    if load := result.get("load"):
        taken, query = load["frame_to_remembered"], load["query"]
        print_table(
            "640x480 RGB-D at 10 Hz, ten things a frame", ("what", "value"),
            [
                ("seconds", str(load["seconds"])),
                ("frames sent, remembered", f"{load['frames']:,}, {load['remembered']:,}"),
                ("pictures not heard", str(load["pictures_not_heard"])),
                ("dropped or refused", json.dumps(load["dropped"])),
                ("frame to remembered, ms", f"p50 {taken['p50_ms']}, p99 {taken['p99_ms']}"),
                ("Query, ms", f"p50 {query['p50_ms']}, p99 {query['p99_ms']}"),
                *(
                    (
                        name,
                        f"{node['cores']} cores, {node['cpu_ms_per_frame']} ms a frame, "
                        f"{node['rss_mb']} MB "
                        f"({node['own_mb']} its own, {node['own_growth_mb_per_hour']:+} an hour), "
                        f"{node['files_first_half']}, then {node['files_second_half']} files at most",
                    )
                    for name, node in load["nodes"].items()
                ),
            ],
        )  # fmt: skip
    if up := result.get("bring_up"):
        print_table(
            f"a memory of {up['rows']:,} observations, {up['times']} times", ("what", "seconds"),
            [
                ("to active", str(up["active_s"])),
                ("to the first answer", str(up["first_answer_s"])),
                ("SIGINT to ended", str(up["shutdown_s"])),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    main()
