"""Recordings on disk to streams of observations: one reader a format, one `open_recording`."""

from memory_core.recordings.base import Reading, Recording, TopicUse
from memory_core.recordings.detect import ReadOptions, open_recording

__all__ = ["ReadOptions", "Reading", "Recording", "TopicUse", "open_recording"]
