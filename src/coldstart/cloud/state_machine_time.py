"""State machines wait on the cloud's clock.

moto runs an execution in threads of its own, which sleep the machine's time. Here every branch of an execution counts as work of
the clock while it does something, and not while it waits: :meth:`~coldstart.runtime.clock.Clock.settle` returns when all branches
wait or have ended, and :meth:`~coldstart.runtime.clock.Clock.advance` wakes them when they are due.

A branch that is about to wake another counts it before it stops counting itself, so that there is no moment without either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.retry.retrier_decl import RetrierDecl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchWorkerPool
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, HeartbeatEndpoint
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from coldstart.cloud.replacements import Replacements
from coldstart.runtime.clock import Clock


class _Execution:
    """How many branches of one execution are doing something."""

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name
        self._lock = threading.RLock()
        self._active = 0
        self._end: Callable[[], None] | None = None
        self._waits: set[Callable[[], None]] = set()

    def enter(self) -> None:
        """One more branch does something."""
        with self._lock:
            self._active += 1
            if self._end is None:
                self._end = self._clock.begin(self._name)

    def leave(self) -> None:
        """One branch less does something."""
        with self._lock:
            self._active -= 1
            if self._active == 0 and self._end is not None:
                self._end()
                self._end = None

    def wait(self, is_over: Callable[[], bool], seconds: float | None, started: Callable[[Any], None]) -> None:
        """Block the calling branch for a time on the cloud's clock, or until it is woken and over.

        Args:
            is_over: asked whenever the branch is woken.
            seconds: None waits until it is woken.
            started: is given what wakes it.
        """
        due = None if seconds is None else self._clock.now() + seconds
        while not is_over() and (due is None or self._clock.now() < due):
            woken = threading.Event()

            def wake(woken: threading.Event = woken) -> None:
                with self._lock:
                    if not woken.is_set():
                        self.enter()
                        woken.set()

            with self._lock:
                self._waits.add(wake)
            started(wake)
            timer = self._clock.at(due, wake, self._name) if due is not None else None
            self.leave()
            if is_over():  # it was stopped before it could be woken
                wake()
            woken.wait()
            with self._lock:
                self._waits.discard(wake)
            if timer is not None:
                timer.cancel()

    def wake_all(self) -> None:
        """Let every waiting branch see whether it is over."""
        with self._lock:
            waits = list(self._waits)
        for wake in waits:
            wake()


class StateMachineTime:
    """Takes the place of moto's sleeping and waiting."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._executions: WeakKeyDictionary[Any, _Execution] = WeakKeyDictionary()  # by what all frames share
        self._of_worker: WeakKeyDictionary[ExecutionWorker, _Execution] = WeakKeyDictionary()
        self._here = threading.local()
        self._hand_over = threading.RLock()

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""
        self._attach_executions(moto)
        self._attach_waits(moto)
        self._attach_parallel(moto)
        self._attach_map(moto)
        self._attach_callbacks(moto)

    def _execution(self, env: Any) -> _Execution:
        return self._executions[env.event_manager]

    def _attach_executions(self, moto: Replacements) -> None:
        def entered(worker: ExecutionWorker) -> _Execution:
            execution = _Execution(self._clock, f"execution {worker._evaluation_details.execution_details.name}")
            execution.enter()
            self._of_worker[worker] = execution
            return execution

        def start(worker: ExecutionWorker) -> None:
            entered(worker)
            original_start(worker)

        def run(worker: ExecutionWorker) -> None:
            execution = self._of_worker.get(worker) or entered(worker)  # a synchronous one is not started
            try:
                original_run(worker)
            finally:
                execution.leave()
                utils.TMP_THREADS[:] = [thread for thread in utils.TMP_THREADS if thread.is_alive()]

        def environment(worker: ExecutionWorker) -> Any:
            env = original_environment(worker)
            self._executions[env.event_manager] = self._of_worker[worker]
            return env

        def stop(worker: ExecutionWorker, **settings: Any) -> None:
            original_stop(worker, **settings)
            self._of_worker[worker].wake_all()

        def stop_branch(worker: BranchWorker, **settings: Any) -> None:
            original_stop_branch(worker, **settings)
            self._execution(worker.env).wake_all()

        original_start = moto.put(ExecutionWorker, "start", start)
        original_run = moto.put(ExecutionWorker, "_execution_logic", run)
        original_environment = moto.put(ExecutionWorker, "_get_evaluation_environment", environment)
        original_stop = moto.put(ExecutionWorker, "stop", stop)
        original_stop_branch = moto.put(BranchWorker, "stop", stop_branch)

    def _attach_waits(self, moto: Replacements) -> None:
        def wait(function: WaitFunction, env: Any, wait_seconds: float) -> None:
            self._execution(env).wait(lambda: not env.is_running(), wait_seconds, _nobody)

        def retry(retrier: RetrierDecl, env: Any) -> None:
            self._here.env = env  # for the sleep in it
            original_retry(retrier, env)

        sleeper = _Sleeper(lambda seconds: wait(None, self._here.env, seconds))  # type: ignore[arg-type]
        moto.put(WaitFunction, "_wait_interval", wait)
        original_retry = moto.put(RetrierDecl, "_eval_body", retry)
        moto.put(retrier_decl, "time", sleeper)

    def _attach_parallel(self, moto: Replacements) -> None:
        waiting: WeakKeyDictionary[BranchWorkerPool, _Execution] = WeakKeyDictionary()

        def start(worker: BranchWorker) -> None:
            execution = self._execution(worker.env)
            execution.enter()
            pool = worker._branch_worker_comm
            pool.__dict__["_coldstart_execution"] = execution
            original_start(worker)

        def wait(pool: BranchWorkerPool) -> None:
            execution = pool.__dict__.get("_coldstart_execution")
            with self._hand_over:
                if execution is None or pool._termination_event.is_set():
                    return
                waiting[pool] = execution
                execution.leave()
            original_wait(pool)

        def terminated(pool: BranchWorkerPool, env: Any) -> None:
            execution = self._execution(env)
            with self._hand_over:
                original_terminated(pool, env)
                if pool._termination_event.is_set() and pool in waiting:
                    del waiting[pool]
                    execution.enter()  # on behalf of the one that waits for the branches
            execution.leave()

        original_start = moto.put(BranchWorker, "start", start)
        original_wait = moto.put(BranchWorkerPool, "wait", wait)
        original_terminated = moto.put(BranchWorkerPool, "on_terminated", terminated)

    def _attach_map(self, moto: Replacements) -> None:
        waiting: WeakKeyDictionary[JobPool, _Execution] = WeakKeyDictionary()

        def launch(component: InlineIterationComponent, env: Any, eval_input: Any, job_pool: JobPool) -> Any:
            execution = self._execution(env)
            execution.enter()
            job_pool.__dict__["_coldstart_execution"] = execution
            return original_launch(component, env=env, eval_input=eval_input, job_pool=job_pool)

        def work(worker: IterationWorker) -> None:
            try:
                original_work(worker)
            finally:
                self._execution(worker._env).leave()

        def wait(pool: JobPool) -> None:
            execution = pool.__dict__.get("_coldstart_execution")
            with self._hand_over:
                if execution is None or pool._is_terminated():
                    return
                waiting[pool] = execution
                execution.leave()
            pool._termination_event.wait()

        def close(pool: JobPool, job: Any) -> None:
            with self._hand_over:
                original_close(pool, job)
                if pool._termination_event.is_set() and (execution := waiting.pop(pool, None)):
                    execution.enter()

        original_launch = moto.put(InlineIterationComponent, "_launch_worker", launch)
        original_work = moto.put(IterationWorker, "eval", work)
        moto.put(JobPool, "await_jobs", wait)
        original_close = moto.put(JobPool, "close_job", close)

    def _attach_callbacks(self, moto: Replacements) -> None:
        wakers: WeakKeyDictionary[Any, Callable[[], None]] = WeakKeyDictionary()

        def wait_for_token(task: StateTaskServiceCallback, env: Any, **settings: Any) -> Any:
            self._here.env = env
            return original_wait_for_token(task, env=env, **settings)

        def wait_until(endpoint: Any, event: threading.Event, seconds: float | None) -> bool:
            env = self._here.env
            self._execution(env).wait(
                lambda: event.is_set() or not env.is_running(),
                seconds,
                lambda wake: wakers.__setitem__(endpoint, wake),
            )
            return event.is_set()

        def wait(endpoint: CallbackEndpoint, timeout: float | None = None) -> Any:
            wait_until(endpoint, endpoint._notify_event, timeout)
            return endpoint._outcome

        def wait_for_heartbeat(endpoint: HeartbeatEndpoint) -> bool:
            came = wait_until(endpoint, endpoint._next_heartbeat_event, endpoint._heartbeat_seconds)
            endpoint._next_heartbeat_event.clear()
            return came

        def waking(original: Callable[..., None]) -> Callable[..., None]:
            def notify(endpoint: Any, *arguments: Any, **named: Any) -> None:
                original(endpoint, *arguments, **named)
                wakers.get(endpoint, _nobody)()

            return notify

        original_wait_for_token = moto.put(StateTaskServiceCallback, "_eval_wait_for_task_token", wait_for_token)
        moto.put(CallbackEndpoint, "wait", wait)
        moto.put(HeartbeatEndpoint, "clear_and_wait", wait_for_heartbeat)
        for owner, name in (
            (CallbackEndpoint, "notify"),
            (CallbackEndpoint, "interrupt_all"),
            (HeartbeatEndpoint, "notify"),
        ):
            moto.put(owner, name, waking(getattr(owner, name)))


class _Sleeper:
    """Stands in for the module `time` where moto sleeps."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep


def _nobody(*_: object) -> None:
    """Nobody is to be woken, or told."""
