"""The tree of errors, and the program's reaction to each.

::

    StampgateError               one clear line on stderr, no traceback
    ├── UsageError (ValueError)  exit 2: the command was called wrongly
    ├── InputError (OSError)     exit 1: a file or folder given cannot be used
    ├── ConfigError (ValueError) exit 78 (EX_CONFIG): restarting will not heal a wrong configuration
    ├── ModelError (ValueError)  exit 78: the model file is foreign, damaged or of another version,
    │   │                        or a golden picture is judged otherwise than it must be
    │   └── AnswerError          what the network gave is no answer: this item is a FAULT, the
    │                            service goes on
    ├── BundleError (ValueError) exit 1: a bundle, its signature or a trusted key is not as it must
    │                            be; nothing of it is used, and what judges goes on
    ├── CameraError (OSError)    exit 75 (EX_TEMPFAIL): a new process may see again; systemd
    │   │                        starts one
    │   └── FrameError           the picture cannot be trusted: this item is a FAULT, the service
    │                            goes on
    ├── GateError (OSError)      exit 75: the gate's process or a line of it is lost; systemd starts
    │                            a new one
    └── JournalError (OSError)   exit 74 (EX_IOERR): nothing may be decided that cannot be written
                                 down

Every message reads *what: where, must be …, not …* followed by the next step, so the line is enough
to act on.
"""


class StampgateError(Exception):
    """A problem that the user can act on; its text is the whole message."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        if not message.strip():
            raise AssertionError("an error without a text helps nobody")
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])


class UsageError(StampgateError, ValueError):
    """The command line asks for something that makes no sense."""

    exit_code = 2


class InputError(StampgateError, OSError):
    """A file or folder that was named cannot be used."""

    exit_code = 1


class ConfigError(StampgateError, ValueError):
    """The configuration is wrong; restarting will not help, so systemd is told not to."""

    exit_code = 78


class ModelError(StampgateError, ValueError):
    """The model file is damaged, foreign, of another version, or does not judge as it must."""

    exit_code = 78


class AnswerError(ModelError):
    """Scores or boxes that cannot be true; the item they are for is a FAULT."""


class BundleError(StampgateError, ValueError):
    """A bundle, its signature or a trusted key is not as it must be; nothing of it is used."""


class CameraError(StampgateError, OSError):
    """The camera is lost; only a new process recovers one, so this one ends."""

    exit_code = 75


class FrameError(CameraError):
    """One picture cannot be trusted or read; the item it was for is a FAULT."""

    def __init__(self, message: str, picture: str = "") -> None:
        """*picture*: the picture's name for the journal, where there is one."""
        super().__init__(message)
        self.picture = picture


class GateError(StampgateError, OSError):
    """The gate cannot be reached, or cannot reach its lines.

    Items that it was not told to let pass are rejected.
    """

    exit_code = 75


class JournalError(StampgateError, OSError):
    """The journal cannot be opened, or its lines cannot be written any more."""

    exit_code = 74
