"""Everything that can go wrong, as one tree.

RobotMemoryError
├── InputRejected            bad data from outside; nothing of it was stored
│   ├── InvalidPose          not finite, or the quaternion is not of length 1
│   ├── InvalidStamp         negative, zero, or a span that ends before it begins
│   ├── InvalidText          empty, too long, or not text
│   ├── InvalidImage         not an image that can be decoded
│   ├── InvalidSighting      a sighting without a label, or with numbers that are not finite
│   ├── InvalidId            an id that is empty, too long, or already means something else
│   ├── InvalidQuery         a query that contradicts itself or passes a limit
│   ├── DimensionMismatch    a vector of another length than its space
│   ├── InvalidVector        a vector with NaN or infinity, or of length 0
│   ├── EmptyObservation     nothing was seen, said or measured
│   ├── GoalNotUnderstood    words that ask for nothing a robot can do
│   ├── UnknownId            an id that nothing remembered has
│   ├── UnknownFrame         an anchor, map or coordinate frame nobody has heard of
│   └── RecordingUnreadable  a recording, or a part of one, cannot be read
├── MemoryUnavailable        the memory cannot be used in the way asked
│   ├── MemoryLocked         another process is writing
│   ├── MemoryMissing        there is no memory in that folder
│   ├── MemoryReadOnly       a change was asked of a memory opened for reading
│   ├── MemoryClosed         the memory was closed
│   └── StorageFull          the disk refused a write
├── CallRefused              a way in does not let a call through
│   ├── CallNotEnabled       it changes or moves something, and was not enabled
│   ├── RateLimited          too many calls from one client
│   └── PlannerMissing       no planner or robot stands behind this memory
├── MemoryDamaged            what is on disk is not what was written; verify or repair can help
├── FormatUnsupported        the memory was written by a newer version
├── EncoderMismatch          the memory's vectors come from another model
├── EncodingError            a model failed; nothing is returned in part
├── ModelReplyInvalid        a language model's reply did not fit its schema, twice
├── SkillFailed              a movement could not be made as asked
├── EmptyMemory              the memory holds nothing of the kind asked for
├── ViewerUnavailable        a viewer could not be opened
└── NotInstalled             an optional part is missing; the message holds the line that installs it
"""

from __future__ import annotations

from typing import ClassVar


class RobotMemoryError(Exception):
    """Base of every error this project raises on purpose.

    Attributes:
        code: Stable identifier, the same in exit statuses, HTTP, MCP and ROS results.
        exit_status: What the command line exits with.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1


class InputRejected(RobotMemoryError):
    """Data from outside is wrong; nothing of it was stored."""

    code = "input_rejected"
    exit_status = 3


class InvalidPose(InputRejected):
    """A pose or covariance is not finite, or a quaternion is not of length 1."""

    code = "invalid_pose"


class InvalidStamp(InputRejected):
    """A time is not positive, or a span ends before it begins."""

    code = "invalid_stamp"


class InvalidText(InputRejected):
    """A text is empty, too long, or cannot be decoded."""

    code = "invalid_text"


class InvalidImage(InputRejected):
    """Bytes that should be an image cannot be decoded as one."""

    code = "invalid_image"


class InvalidSighting(InputRejected):
    """A sighting has no label, or numbers that are not finite."""

    code = "invalid_sighting"


class InvalidId(InputRejected):
    """An id is empty, too long, or already means something else."""

    code = "invalid_id"


class InvalidQuery(InputRejected):
    """A query contradicts itself or passes a limit."""

    code = "invalid_query"


class DimensionMismatch(InputRejected):
    """A vector has another length than the space it is meant for."""

    code = "dimension_mismatch"


class InvalidVector(InputRejected):
    """A vector is not finite or has length 0."""

    code = "invalid_vector"


class EmptyObservation(InputRejected):
    """An observation in which nothing was seen, said or measured."""

    code = "empty_observation"


class GoalNotUnderstood(InputRejected):
    """Words that ask for nothing a robot can do."""

    code = "goal_not_understood"


class UnknownId(InputRejected):
    """An id that nothing remembered has."""

    code = "unknown_id"


class UnknownFrame(InputRejected):
    """An anchor, map or coordinate frame that the memory does not know."""

    code = "unknown_frame"


class RecordingUnreadable(InputRejected):
    """A recording, or a part of one, cannot be read."""

    code = "recording_unreadable"


class MemoryUnavailable(RobotMemoryError):
    """The memory cannot be used in the way asked."""

    code = "memory_unavailable"
    exit_status = 4


class MemoryLocked(MemoryUnavailable):
    """Another process holds the memory for writing."""

    code = "memory_locked"


class MemoryMissing(MemoryUnavailable):
    """There is no memory in the folder."""

    code = "memory_missing"


class MemoryReadOnly(MemoryUnavailable):
    """A change was asked of a memory that is open for reading only."""

    code = "memory_read_only"


class MemoryClosed(MemoryUnavailable):
    """The memory was closed."""

    code = "memory_closed"


class StorageFull(MemoryUnavailable):
    """The disk refused a write; nothing of the refused batch is acknowledged."""

    code = "storage_full"


class CallRefused(RobotMemoryError):
    """A way in (MCP, HTTP, a language model's tools) does not let a call through."""

    code = "call_refused"


class CallNotEnabled(CallRefused):
    """A call that changes or moves something was not enabled by whoever started the way in."""

    code = "call_not_enabled"


class RateLimited(CallRefused):
    """One client makes more calls than it may; nothing was done."""

    code = "rate_limited"


class PlannerMissing(CallRefused):
    """No planner or robot stands behind this memory."""

    code = "planner_missing"


class MemoryDamaged(RobotMemoryError):
    """What lies on disk is not what was written; verify or repair can help."""

    code = "memory_damaged"
    exit_status = 5


class FormatUnsupported(RobotMemoryError):
    """The memory was written by a newer version of this software."""

    code = "format_unsupported"
    exit_status = 5


class EncoderMismatch(RobotMemoryError):
    """The vectors in the memory come from another model than the one at hand."""

    code = "encoder_mismatch"
    exit_status = 6


class EncodingError(RobotMemoryError):
    """A model failed on its input; nothing is returned in part."""

    code = "encoding_error"
    exit_status = 6


class ModelReplyInvalid(RobotMemoryError):
    """A language model's reply did not fit its schema, twice in a row."""

    code = "model_reply_invalid"
    exit_status = 6


class SkillFailed(RobotMemoryError):
    """A movement of the robot could not be made as asked."""

    code = "skill_failed"
    exit_status = 1


class EmptyMemory(RobotMemoryError):
    """The memory holds nothing of the kind asked for."""

    code = "empty_memory"
    exit_status = 7


class ViewerUnavailable(RobotMemoryError):
    """A viewer of another project could not be opened."""

    code = "viewer_unavailable"


class NotInstalled(RobotMemoryError):
    """An optional part is missing; the message holds the line that installs it."""

    code = "not_installed"
    exit_status = 8

    @classmethod
    def part(cls, module: str, extra: str) -> NotInstalled:
        """The error for a missing optional module.

        Args:
            module: The import that failed.
            extra: The extra of the distribution that brings it.
        """
        return cls(f"{module} is not installed; it comes with: pip install 'robot-memory[{extra}]'")
