"""Runs a node until it is told to stop, and lets it finish while it still hears."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import rclpy
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.signals import SignalHandlerOptions

Made = TypeVar('Made')

SWITCH_S = 5e-4
"""
Threads take turns so often.

With Python's own 5 ms a message that passes through several threads waits for whatever computes in
the background at every step.
"""


def run(
    make: Callable[[], Made],
    finish: Callable[[Made], None],
    *,
    arguments: list[str] | None,
    threads: int,
    begin: Callable[[Made], bool] = lambda node: True,
    failed: Callable[[Made], bool] = lambda node: False,
) -> NoReturn:
    """
    Run a node until SIGINT or SIGTERM, then end the process.

    It ends with 0, or with 1 where it did not begin, a callback failed, or it could not finish.

    :param make: Makes it.
    :param finish: Called when it is to stop, while topics and services still work.
    :param arguments: Of the command line; None: the process's own.
    :param threads: That run its callbacks.
    :param begin: Called before the first callback; where it returns False the node ends.
    :param failed: Whether it ended because something in it failed; the exit code then says so.
    """
    sys.setswitchinterval(SWITCH_S)
    with suppress(ImportError):  # pictures are described beside what must not wait
        import cv2

        cv2.setNumThreads(1)
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    node: Any = make()
    executor = MultiThreadedExecutor(num_threads=threads)
    executor.add_node(node)
    node.context.on_shutdown(stopping.set)
    failures: list[BaseException] = []

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            if stopping.is_set():  # what it waited for was taken away
                return
            failures.append(error)
            node.get_logger().fatal(''.join(traceback.format_exception(error)))
        finally:
            stopping.set()

    spinning = threading.Thread(target=spin, name='executor', daemon=True)
    begun = False
    try:
        begun = begin(node)
        if begun:
            spinning.start()
            stopping.wait()
    finally:
        try:
            finish(node)
        except Exception as error:  # a full disk, say: the process must end all the same
            failures.append(error)
            node.get_logger().fatal(f'it did not end as it should: {error!r}')
        executor.shutdown(timeout_sec=0.5)
        if begun:
            spinning.join(0.5)
        node.destroy_node()
        rclpy.try_shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    well = begun and not failures and not failed(node)
    os._exit(0 if well else 1)  # all is closed; taking the interpreter apart would last a second
