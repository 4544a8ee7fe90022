r"""Starts every execution environment's process, and ends them all when the cloud goes, however it goes.

A small single-threaded program of its own, run by path as ``python -I -S launcher.py CONTROL_FD ROOT``; it imports nothing
of coldstart. :mod:`coldstart.runtime.posix` starts it and talks to it over a socket:

* ``{"spawn": 7, "argv": [...], "env": {...}, "cwd": "..."}`` with two descriptors (log, status) starts a process; with
  ``"snapshot": true`` one that can be restored from, which finds a control socket as descriptor 4; with ``"tmp": {"folder":
  "...", "megabytes": 512, "is_root_tmp": true}`` one whose temporary directory is a file system of that size, and all it may write;
  with ``"opt": "..."`` one that, where such file systems can be mounted, finds that folder as /opt; with ``"fork": true``, where
  ``argv`` ends with a Python script, it is a fork of this program that runs the script. Python, and what every runtime imports, are
  loaded here once, and shared by all forks: to load them is most of what a cold start would wait for. Nothing of a function is, so
  its own imports take the time that they take. Such forks share a hash seed;
* ``{"restore": 8, "from": 7, "env": {...}, "replaces": {...}, "tmp_megabytes": 512}`` with two descriptors (log, status) has
  process 7 fork another;
* ``{"kill": 7}`` ends it with everything it started.

It begins with one byte: ``1`` when it can mount such file systems, in a namespace of its own where nobody else sees them,
else ``0``; then only the size of single files is limited. On the status descriptor it writes ``PID\\n`` and later
``exit CODE\\n`` or ``signal NUMBER\\n``; ``exec ERRNO\\n`` comes first when the command could not be executed; it only closes
it when there was nothing to restore from. When the control socket closes (the kernel was stopped, restarted or killed) it ends
every process, removes ROOT and exits. It is a process of its own because a killed kernel cannot clean up, and because forking
is only safe from a single thread.
"""

import contextlib
import ctypes
import functools
import gc
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import struct
import sys
import time
import types

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_FILE_DESCRIPTOR_LIMIT = 1024  # Lambda quotas page
_MARKER = "AWS_LAMBDA_RUNTIME_API"

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
_MNT_DETACH = 0x2
_SA_NOCLDSTOP = 0x1
_SYS_MOUNT_SETATTR, _MOUNT_ATTR_RDONLY, _AT_FDCWD, _AT_RECURSIVE = 442, 0x1, -100, 0x8000

_PRELOADED = (
    *("decimal", "importlib", "logging", "numbers", "re", "threading", "traceback", "warnings", "weakref"),
    *("simplejson", "awslambdaric.lambda_context", "awslambdaric.lambda_literals"),
    *("awslambdaric.lambda_runtime_log_utils", "awslambdaric.lambda_runtime_marshaller"),
)
"""What AWS's runtime client imports, as far as no environment variable is read on the way."""

_on_linux = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)


class ForkedRuntime(BaseException):
    """Leaves everything of the launcher's behind in a process that is no launcher any more."""

    def __init__(self, script: str) -> None:
        super().__init__(script)
        self.script = script


class Launcher:
    """Holds the environments' processes by their number."""

    def __init__(self, control: socket.socket, runtime_directory: str) -> None:
        self._control = control
        self._can_mount = _enter_mount_namespace()
        control.sendall(b"1" if self._can_mount else b"0")
        _load_what_every_runtime_needs(runtime_directory)
        self._received = b""
        self._descriptors: list[int] = []
        self._numbers: dict[int, int] = {}  # pid -> number
        self._pids: dict[int, int] = {}  # number -> pid
        self._status: dict[int, int] = {}  # number -> status descriptor
        self._markers: dict[int, str] = {}  # number -> Runtime API address
        self._snapshots: dict[int, socket.socket] = {}  # number -> control socket
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until the control socket closes, then end everything."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if _on_linux:
            _hear_of_ends_only()
        parent = os.getppid()
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(wake_read, selectors.EVENT_READ)
        while os.getppid() == parent:
            for key, _ in self._selector.select(timeout=1):
                if key.fd == wake_read:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 512)
                    self._reap()
                elif key.data is not None:
                    self._adopt(*key.data)
                elif not self._receive():
                    return self.end_all()
        self.end_all()

    def end_all(self) -> None:
        """Kill every process there is and wait until none is left."""
        for number in list(self._pids):
            self._kill(number)
        while self._pids or self._kill_orphans():
            try:
                self._buried(*os.waitpid(-1, 0))
            except ChildProcessError:
                break

    def _receive(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
        except ConnectionResetError:
            return False
        if not data:
            return False
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        self._received += data
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "spawn" in message:
                self._spawn(message)
            elif "restore" in message:
                self._restore(message)
            else:
                self._kill(message["kill"])
        return True

    def _spawn(self, message: dict) -> None:
        log, status = self._descriptors[:2]
        del self._descriptors[:2]
        number = message["spawn"]
        theirs = None
        if message.get("snapshot"):
            self._snapshots[number], theirs = socket.socketpair()
        if "tmp" in message and self._can_mount:
            _mount_tmp(message["tmp"]["folder"], message["tmp"]["megabytes"])
        if message.get("fork"):
            _compiled(message["argv"][-1])  # here, so that all forks have it
        pid = os.fork()
        if pid == 0:
            self._let_go()
            _become(message, log, status, theirs)
            if theirs is not None:
                theirs.detach()
            _load_environment(message["argv"][-1], message["env"], keeps_control=theirs is not None)
            raise ForkedRuntime(message["argv"][-1])
        os.close(log)
        if theirs is not None:
            theirs.close()
        self._own(pid, number, status, message["env"])

    def _let_go(self) -> None:
        """In a fork: close the launcher's descriptors, before others get their numbers."""
        self._selector.close()
        for each in (self._control, *self._snapshots.values()):
            each.close()

    def _own(self, pid: int, number: int, status: int, environment: dict[str, str]) -> None:
        self._numbers[pid] = number
        self._pids[number] = pid
        self._status[number] = status
        self._markers[number] = environment.get(_MARKER, "")
        self._tell(number, f"{pid}\n")

    def _restore(self, message: dict) -> None:
        log, status = self._descriptors[:2]
        del self._descriptors[:2]
        ours, theirs = socket.socketpair()
        order = {
            "environment": message["env"],
            "replaces": message["replaces"],
            "tmp_megabytes": message["tmp_megabytes"],
        }
        request = json.dumps(order).encode() + b"\n"
        try:
            socket.send_fds(self._snapshots[message["from"]], [request], [log, theirs.fileno()])
        except (OSError, KeyError):
            ours.close()
            os.close(status)
        else:
            self._selector.register(ours, selectors.EVENT_READ, (ours, message["restore"], status, message["env"]))
        theirs.close()
        os.close(log)

    def _adopt(self, newborn: socket.socket, number: int, status: int, environment: dict[str, str]) -> None:
        """Take over a restored process, which waits until it is known here."""
        self._selector.unregister(newborn)
        with newborn:
            line = newborn.recv(32)
            if not line:  # the snapshot has died
                os.close(status)
                return
            self._own(int(line), number, status, environment)
            newborn.sendall(b"!")

    def _kill(self, number: int) -> None:
        if number in self._pids:
            _kill_group(self._pids[number])

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._buried(pid, status)

    def _buried(self, pid: int, status: int) -> None:
        number = self._numbers.pop(pid, None)
        if number is None:
            return  # a process that a function left behind
        _kill_group(pid)  # what the function started and did not wait for
        del self._pids[number]
        del self._markers[number]
        if number in self._snapshots:
            self._snapshots.pop(number).close()
        self._kill_orphans()
        code = os.waitstatus_to_exitcode(status)
        self._tell(number, f"exit {code}\n" if code >= 0 else f"signal {-code}\n")
        os.close(self._status.pop(number))

    def _tell(self, number: int, line: str) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(self._status[number], line.encode())

    def _kill_orphans(self) -> bool:
        """Kill adopted processes whose environment is gone; say whether there were any."""
        if not _on_linux:
            return False
        living = {f"{_MARKER}={marker}".encode() for marker in self._markers.values() if marker}
        found = False
        for child, session in _children_of(os.getpid()):
            if child in self._numbers or session in self._numbers:
                continue
            try:
                with open(f"/proc/{child}/environ", "rb") as environ:
                    variables = environ.read().split(b"\0")
            except OSError:
                continue
            if living.isdisjoint(variables):
                found = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        return found


class _SignalAction(ctypes.Structure):
    """``struct sigaction`` of Linux's C libraries."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


def _hear_of_ends_only() -> None:
    """Let SIGCHLD tell of children that have ended, and not of those that are frozen or thawed, as every invocation does.

    Python's own module has no such flag. Without it this process would wake up twice in each invocation, for nothing.
    """
    action = _SignalAction()
    if _libc.sigaction(signal.SIGCHLD, None, ctypes.byref(action)) == 0:
        action.flags |= _SA_NOCLDSTOP
        _libc.sigaction(signal.SIGCHLD, ctypes.byref(action), None)


def _load_what_every_runtime_needs(runtime_directory: str) -> None:
    sys.path.insert(0, runtime_directory)
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):  # the runtime asks for it too, and says what is missing
            __import__(name)
    sys.path.remove(runtime_directory)
    gc.freeze()  # or the first collection in each fork would write to all of it, and so make the fork copy it


def _children_of(pid: int) -> list[tuple[int, int]]:
    """Return the processes that this one is the parent of, each with its session."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            candidates = file.read().split()
    except OSError:  # not every kernel has that
        candidates = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    children = []
    for candidate in candidates:
        try:
            with open(f"/proc/{candidate}/stat", "rb") as stat:
                _, parent, _, session, *_ = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(parent) == pid:
            children.append((int(candidate), int(session)))
    return children


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _enter_mount_namespace() -> bool:
    """Let this process mount what nobody else sees; return False where the machine does not allow it."""
    if not _on_linux:
        return False
    pid = os.fork()  # tried in another process, because some machines refuse half-way, and there is no way back
    if pid == 0:
        with contextlib.suppress(BaseException):
            _leave_shared_mounts()
            _mount("tmpfs", "/tmp", "tmpfs")
            os._exit(0)
        os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        return False
    _leave_shared_mounts()
    return True


def _leave_shared_mounts() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        _check(_libc.unshare(_CLONE_NEWNS))
    except OSError:  # not root: become one who may mount, without any other right
        _check(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)


def _mount(source: str, target: str, kind: str | None, flags: int = 0, options: str = "") -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*encoded, ctypes.c_ulong(flags), options.encode()))


def _mount_tmp(folder: str, megabytes: int) -> None:
    if not os.path.ismount(folder):
        _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={megabytes}m,mode=1777")


def _see_only_tmp_as_writable(folder: str, is_root_tmp: bool, opt: str | None) -> None:
    """Give this process mounts of its own, where everything but the temporary directory is read-only, as in Lambda's sandbox.

    Kernels before 5.12 cannot do that; there, a function's process may write what its user may write.
    """
    _check(_libc.unshare(_CLONE_NEWNS))
    if is_root_tmp:
        _mount(folder, "/tmp", None, _MS_BIND)
        folder = "/tmp"
    if opt is not None:
        _mount(opt, "/opt", None, _MS_BIND)
    with contextlib.suppress(OSError):
        _set_mount_attributes("/", sets=_MOUNT_ATTR_RDONLY, flags=_AT_RECURSIVE)
        _set_mount_attributes(folder, clears=_MOUNT_ATTR_RDONLY)


def _set_mount_attributes(path: str, *, sets: int = 0, clears: int = 0, flags: int = 0) -> None:
    attributes = struct.pack("QQQQ", sets, clears, 0, 0)  # see mount_setattr(2), which not every C library has
    size = ctypes.c_size_t(len(attributes))
    _check(_libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, attributes, size))


def _unmount_below(root: str) -> None:
    if not _on_linux:
        return
    with open("/proc/self/mounts", "rb") as mounts:
        folders = [line.split(b" ")[1] for line in mounts]
    for folder in folders:
        if folder.startswith(os.fsencode(root) + b"/"):
            _libc.umount2(folder, _MNT_DETACH)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _become(message: dict, log: int, status: int, control: socket.socket | None) -> None:
    """Turn the forked child into the execution environment's first process. Returns only when that is to stay a fork."""
    try:
        os.setsid()
        if _on_linux:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        os.dup2(log, 3)
        if control is not None:
            os.dup2(control.fileno(), 4)
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(name, signal.SIG_DFL)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = _FILE_DESCRIPTOR_LIMIT
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if tmp := message.get("tmp"):
            if os.path.ismount(tmp["folder"]):
                _see_only_tmp_as_writable(tmp["folder"], tmp["is_root_tmp"], message.get("opt"))
            else:
                size = tmp["megabytes"] * 1024 * 1024
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        os.umask(0o022)
        os.chdir(message["cwd"])
        if message.get("fork"):
            return
        try:
            os.execve(message["argv"][0], message["argv"], message["env"])
        except OSError as error:
            os.write(status, f"exec {error.errno}\n".encode())
    except BaseException as error:
        os.write(2, f"The execution environment could not be started: {error}\n".encode())
    os._exit(127)


def _load_environment(script: str, environment: dict[str, str], *, keeps_control: bool) -> None:
    """Make a fork what Python would have made of it, had it been started with this script and this environment."""
    os.closerange(5 if keeps_control else 4, 1 << 20)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = [script]
    sys.path[:0] = [os.path.dirname(script), *environment.get("PYTHONPATH", "").split(os.pathsep)]


@functools.cache
def _compiled(script: str) -> types.CodeType:
    with open(script, encoding="utf-8") as source:
        return compile(source.read(), script, "exec")


def _run(script: str) -> None:
    """Run a Python script as the program that this process is from now on."""
    main_module = types.ModuleType("__main__")
    main_module.__file__ = script
    sys.modules["__main__"] = main_module
    exec(_compiled(script), main_module.__dict__)


def main(control_descriptor: str, root: str) -> str | None:
    """Serve the control socket, and at the end remove the cloud's folder; or return, in a fork, the script that it is to run."""
    for name in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    if _on_linux:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    control = socket.socket(fileno=int(control_descriptor))
    control.set_inheritable(False)  # no function may give orders
    try:
        Launcher(control, f"{root}/runtime").run()
    except ForkedRuntime as fork:
        return fork.script
    except (BrokenPipeError, ConnectionResetError):
        pass  # who started it has gone before it could say anything
    except BaseException:
        _remove(root)
        raise
    _remove(root)
    return None


def _remove(root: str) -> None:
    _unmount_below(root)
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    forked_script = main(*sys.argv[1:])
    if forked_script is not None:
        _run(forked_script)
