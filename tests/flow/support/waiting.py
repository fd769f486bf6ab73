"""Waiting for a condition, with a limit. Nothing here lets time pass for its own sake."""
import threading
import time

LIMIT_S = 30.0


def until(condition, what="the condition", limit_s=LIMIT_S):
    """The first true value of condition(); fails when it stays false for limit_s."""
    end = time.monotonic() + limit_s
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit_s:g} s")
        pause.wait(0.005)
