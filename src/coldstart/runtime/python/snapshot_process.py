"""SnapStart's snapshot: an initialised process that waits, and of which each restored environment is a fork.

Imported by the bootstrap when the launcher gives the process a control socket. It takes AWS's runtime client at the point
where the real one waits until Lambda has taken the snapshot, after the before-snapshot hooks; a fork returns from there, runs the
after-restore hooks and serves events. Imports nothing of coldstart. Linux only.

On the control socket, one JSON line for each restore, with two descriptors (log, launcher): ``{"environment": {...},
"replaces": {...}, "tmp_megabytes": 512}`` (null when /tmp is the machine's). The fork gets the log as its output; on the launcher's descriptor its PID is written once it is a child of the
launcher's, and it goes on when the launcher has answered.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
import warnings

import runtime_client
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

_PR_SET_PDEATHSIG = 1
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


class SnapshotClient(LambdaRuntimeClient):
    """AWS's runtime client, whose process can be restored more than once."""

    def __init__(self, address, control_descriptor):
        super().__init__(address)
        self._control = socket.socket(fileno=control_descriptor)
        self._control.set_inheritable(False)

    def restore_next(self):
        """Let the platform know that the snapshot can be taken; return in every process that is restored from it."""
        runtime_client.announce("/2018-06-01/runtime/restore/next")
        while True:
            message, log, launcher = self._receive()
            if _fork_child_of_launcher(launcher):
                self._control.close()
                self._become(message, log)
                return
            os.close(log)
            launcher.close()

    def _receive(self):
        data, descriptors = b"", []
        while not data.endswith(b"\n"):
            received, more, _, _ = socket.recv_fds(self._control, 65536, 2)
            if not received:
                os._exit(0)
            data += received
            descriptors += more
        return json.loads(data), descriptors[0], socket.socket(fileno=descriptors[1])

    def _become(self, message, log):
        environment, replaces = message["environment"], message["replaces"]
        for descriptor in (1, 2, 3):
            os.dup2(log, descriptor)
        os.close(log)
        if message["tmp_megabytes"] is not None:
            _mount_own_tmp(message["tmp_megabytes"])
        _break_network_connections()
        os.environ.update(environment)
        if tempfile.tempdir == replaces.get("TMPDIR"):
            tempfile.tempdir = environment.get("TMPDIR", tempfile.tempdir)
        self.lambda_runtime_address = os.environ["AWS_LAMBDA_RUNTIME_API"]
        runtime_client.connect_to(self.lambda_runtime_address)


def _fork_child_of_launcher(launcher):
    """Fork a process whose parent is this one's; return True in it when the launcher knows it."""
    parent = os.getppid()
    random = sys.modules.get("random")
    state = random.getstate() if random else None
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads do not survive a fork, and Python says so
        between = os.fork()
        if between == 0:
            if os.fork():
                os._exit(0)
            os.setsid()
            os.write(write, str(os.getpid()).encode())
            os.close(read)
            os.close(write)
            if not launcher.recv(1):
                os._exit(0)
            _end_with_parent()
            if os.getppid() != parent:
                os._exit(0)
            launcher.close()
            if random:  # Python seeds anew after a fork. Lambda does not after a restore.
                random.setstate(state)
            return True
    os.close(write)
    pid = os.read(read, 32)
    os.close(read)
    os.waitpid(between, 0)  # from now on the new process is the launcher's
    launcher.sendall(pid + b"\n")
    return False


def _end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _mount_own_tmp(megabytes):
    """Replace /tmp, which is the snapshot's, by a file system of this process's own with the same files."""
    snapshots = os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY)
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWNS) != 0:  # not root: become one who may mount, without any other right
        _check(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        _end_with_parent()  # the kernel forgets it when rights change
    _check(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None))
    options = f"size={megabytes}m,mode=1777".encode()
    _check(_libc.mount(b"tmpfs", b"/tmp", b"tmpfs", ctypes.c_ulong(_MS_NOSUID | _MS_NODEV), options))
    shutil.copytree(f"/proc/self/fd/{snapshots}", "/tmp", symlinks=True, dirs_exist_ok=True)
    os.close(snapshots)


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _break_network_connections():
    """Replace the network connections that were open in the snapshot by closed ones, as they are after a restore on AWS.

    Otherwise all restored environments would write into the same connection.
    """
    broken, other_end = socket.socketpair()
    other_end.close()
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as copy:
                is_network = copy.family in (socket.AF_INET, socket.AF_INET6)
            if is_network:
                os.dup2(broken.fileno(), descriptor, inheritable=False)
    broken.close()
