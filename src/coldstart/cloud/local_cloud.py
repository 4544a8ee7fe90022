"""Puts the local AWS together: moto, the runtime for functions, the front door, and the learner's environment."""

from __future__ import annotations

import atexit
import os

from coldstart.cloud.access_keys import AccessKeys
from coldstart.cloud.api_access_stack_resources import api_access_kinds
from coldstart.cloud.api_stack_resources import api_resource_kinds
from coldstart.cloud.asynchronous_invocations import AsynchronousInvocations
from coldstart.cloud.custom_resources import CustomResources
from coldstart.cloud.data_stack_resources import data_resource_kinds
from coldstart.cloud.destinations import Destinations
from coldstart.cloud.direct_route import DirectRoute
from coldstart.cloud.encrypted_variables import EncryptedVariables
from coldstart.cloud.event_invoke_configs import EventInvokeConfigApi
from coldstart.cloud.event_source_mappings import EventSourceMappings
from coldstart.cloud.event_stack_resources import event_resource_kinds
from coldstart.cloud.execute_api import ExecuteApi
from coldstart.cloud.front_door import FrontDoor, signing_key
from coldstart.cloud.function_urls import FunctionUrls
from coldstart.cloud.http_api_operations import HttpApiOperations
from coldstart.cloud.identity_stack_resources import identity_resource_kinds
from coldstart.cloud.inline_refusals import InTheNotebookOnly
from coldstart.cloud.inline_route import NOBODYS_PORT, InlineRoute
from coldstart.cloud.lambda_control_plane import LambdaControlPlane
from coldstart.cloud.lambda_stack_resources import lambda_resource_kinds
from coldstart.cloud.learner_environment import NO_HOST_PREFIX, LearnerEnvironment
from coldstart.cloud.log_delivery import LogDelivery
from coldstart.cloud.loopback_listener import LoopbackListener
from coldstart.cloud.mapped_functions import MappedFunctions
from coldstart.cloud.messaging_stack_resources import messaging_resource_kinds
from coldstart.cloud.moto_patches import clock
from coldstart.cloud.moto_services import MotoServices, empty_region
from coldstart.cloud.nested_stacks import NestedStacks
from coldstart.cloud.observability import Observability
from coldstart.cloud.permissions import Permissions
from coldstart.cloud.pushing_services import PushingServices
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.service_api import ServiceApi
from coldstart.cloud.stack_resources import StackResources
from coldstart.cloud.storage_stack_resources import storage_resource_kinds
from coldstart.cloud.time_to_live import TimeToLive
from coldstart.cloud.websocket_api_gateway import ConnectionsApi
from coldstart.events.http_request import ClientRequest
from coldstart.runtime.clock import Clock
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.host import Host, make_root
from coldstart.runtime.identifiers import Identifiers
from coldstart.runtime.inline_clock import InlineClock
from coldstart.runtime.sandboxes import HostKind

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"


class Cloud:
    """A running local AWS. Use :func:`coldstart.cloud.start` to get one.

    Args:
        host: where functions run: in processes of their own, or inline, in this interpreter. Inline, the cloud has no threads and
            no port either.
    """

    def __init__(self, host: HostKind) -> None:
        self.host = host
        """Where functions run."""
        is_inline = host == "inline"
        self.clock = clock_of_cloud = InlineClock() if is_inline else Clock()
        clock.follow(self.clock.now)
        seed = int(os.environ.get("COLDSTART_SEED", "0"))
        self.identifiers = Identifiers(seed)
        moto = MotoServices(
            seed
        )  # corrected before anything takes the place of its parts, and puts them back at the end
        self._folder = make_root()
        self._host = Host(
            self._folder,
            clock=self.clock,
            identifiers=self.identifiers,
            log_sink=LogDelivery(ACCOUNT_ID, self._role_may),
            cloud_variables=self._function_variables,
            check_start=EncryptedVariables(ACCOUNT_ID, self._refusal).check,
            kind=host,
        )
        self.record = self._host.record
        """What all execution environments did and when."""
        self._keys = AccessKeys(ACCOUNT_ID)
        self._observability = Observability(self.clock, ACCOUNT_ID, is_inline=is_inline)
        function_metrics = self._observability.function_metrics
        self._lambda = LambdaControlPlane(
            self._host, ACCOUNT_ID, lambda: self.url, function_metrics, self._observability.function_traces
        )
        self._time_to_live = TimeToLive(self.clock)
        self._rest_api_operations = ServiceApi("apigateway", [])
        connections_api = ConnectionsApi()
        role_clients = RoleClients(self._role_variables)
        self._stack_resources = StackResources(
            [
                *lambda_resource_kinds(self._lambda.api),
                *event_resource_kinds(role_clients, ACCOUNT_ID),
                *api_resource_kinds(role_clients, ACCOUNT_ID),
                *api_access_kinds(role_clients, ACCOUNT_ID),
                *data_resource_kinds(role_clients, ACCOUNT_ID),
                *identity_resource_kinds(role_clients, ACCOUNT_ID),
                *messaging_resource_kinds(role_clients, ACCOUNT_ID),
                *storage_resource_kinds(role_clients, ACCOUNT_ID),
                NestedStacks(role_clients, ACCOUNT_ID),
            ],
            CustomResources(self._lambda.service, role_clients, self.identifiers, ACCOUNT_ID),
        )
        self.permissions = Permissions(ACCOUNT_ID, self.clock, self._lambda.api.operation_of, self._role_of)
        """What functions may do: everything, until :meth:`~coldstart.cloud.permissions.Permissions.enforce` is called."""
        self._listener = None if is_inline else LoopbackListener()
        self._front_door = FrontDoor(
            self._listener.port if self._listener else NOBODYS_PORT,
            moto,
            {
                "lambda": [self._lambda.api],
                "cloudformation": [self._stack_resources],
                "execute-api": [connections_api],
                "xray": [self._observability.xray],
                "states": [InTheNotebookOnly("Step Functions", "threads")] if is_inline else [],
                "apigateway": [
                    self._rest_api_operations,
                    ServiceApi("apigatewayv2", [HttpApiOperations(ACCOUNT_ID, self.clock)]),
                ],
            },
            self._lambda.downloads.answer,
            self._keys.are_known,
            self.permissions.check,
            self.clock,
            self.identifiers,
        )
        self._pushing_services = PushingServices(
            self._lambda.service,
            self.clock,
            self.identifiers,
            ACCOUNT_ID,
            role_clients,
        )
        self._observability.serve_cloudwatch(
            self._pushing_services.targets, self._pushing_services.send_event, self.identifiers
        )
        destinations = Destinations(
            self._pushing_services.targets, self.permissions.function_may, self.clock, self.identifiers, ACCOUNT_ID
        )
        self._event_source_mappings = EventSourceMappings(
            MappedFunctions(self._lambda.store, self._lambda.service),
            destinations,
            self.clock,
            self.identifiers,
            ACCOUNT_ID,
            function_metrics,
        )
        self._lambda.api.add(self._event_source_mappings)
        self._lambda.settings.tags_of_others.append(self._event_source_mappings.tags_of)
        event_invoke_configs = EventInvokeConfigApi(self._lambda.store, self.clock)
        self._lambda.api.add(event_invoke_configs)
        AsynchronousInvocations(
            self._lambda.service,
            event_invoke_configs,
            destinations,
            self.clock,
            function_metrics,
        )
        self._execute_api = ExecuteApi(
            ACCOUNT_ID,
            self._lambda.service,
            self._signing_key,
            self.clock,
            self.identifiers,
            self._front_door.addresses,
            self._observability.api_metrics,
            role_clients,
        )
        self._front_door.let_in("execute-api", self._execute_api)
        self._front_door.websockets = self._execute_api
        connections_api.add(self._execute_api.websocket_apis)
        self._rest_api_operations.add(self._execute_api.rest_api_operations)
        function_urls = FunctionUrls(
            self._lambda.store,
            self._lambda.service,
            self._lambda.policies,
            self._front_door.addresses,
            self._signing_key,
            self.clock,
            self.identifiers,
        )
        self._lambda.api.add(function_urls)
        self._front_door.let_in("lambda-url", function_urls)
        self.url = self._front_door.url
        """Where the local AWS listens, on loopback: the value of ``AWS_ENDPOINT_URL``. Inline, nothing does."""
        if self._listener is not None:
            self._listener.start(self._front_door.respond, self._front_door.open_websocket)
        self._learner_environment = LearnerEnvironment(
            {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
            | self._keys.learner_variables(),
            self._folder,
            InlineRoute(self._front_door, clock_of_cloud.catch_up)
            if isinstance(clock_of_cloud, InlineClock)
            else DirectRoute(self.url, self._front_door.answer),
        )
        self._learner_environment.enter()
        atexit.register(self.stop)
        self._stopped = False

    def __repr__(self) -> str:
        return f"The local AWS is running (region {REGION}, account {ACCOUNT_ID}). Nothing here reaches the real AWS."

    def empty_region(self, region: str) -> None:
        """Forget everything that is in one region; what has no region (IAM, S3 buckets) stays."""
        self._event_source_mappings.forget(region)
        self._lambda.empty_region(region)
        self._observability.empty_region(region)
        empty_region(ACCOUNT_ID, region)

    def settle(self) -> None:
        """Return when all that is due by now has happened: invocations, retries, deliveries, and what came of them.

        Raises:
            NotSettled: something did not end within a minute of real time.
            WorkFailed: something failed that is a fault of the local AWS.
        """
        self.clock.settle()

    def stop(self) -> None:
        """End every execution environment, forget all state and give the environment variables back."""
        if self._stopped:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        self._learner_environment.leave()
        self._execute_api.stop()
        if self._listener is not None:
            self._listener.stop()
        self.clock.stop()
        self._pushing_services.stop()
        self._event_source_mappings.stop()
        self._time_to_live.stop()
        self._observability.stop()
        self._stack_resources.stop()
        self._lambda.stop()
        self._host.stop()
        clock.follow(None)

    def _signing_key(self, request: ClientRequest) -> str:
        headers = {name.lower(): value for name, value in request.headers}
        key = signing_key(headers, f"?{request.query_string}")
        return key if self._keys.are_known(key) else ""

    def _refusal(self, role_arn: str, function_arn: str, action: str, resource: str) -> str:
        return self.permissions.refusal(role_arn, function_arn, action, resource)

    def _role_may(self, role_arn: str, function_arn: str, action: str, resource: str) -> bool:
        return self.permissions.role_may(role_arn, function_arn, action, resource)

    def _role_of(self, function: str, region: str) -> str:
        return str(self._lambda.api.call("GetFunctionConfiguration", region, {"FunctionName": function})["Role"])

    def _role_variables(self, role_arn: str, region: str) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, **self._keys.assume_execution_role(role_arn, "aws-service", region)}

    def _function_variables(self, configuration: FunctionConfiguration) -> dict[str, str]:
        credentials = self._keys.assume_execution_role(
            configuration.role, configuration.function_name, configuration.region
        )
        return {
            "AWS_ENDPOINT_URL": self.url,
            **NO_HOST_PREFIX,
            **self._observability.function_variables(configuration.region),
            **credentials,
        }
