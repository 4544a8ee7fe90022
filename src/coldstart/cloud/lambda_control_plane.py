"""Puts Lambda together: the store of functions, the operations of its API, and the service that invokes."""

from __future__ import annotations

from collections.abc import Callable

from coldstart.cloud.deployment_package import PackageDownloads
from coldstart.cloud.function_metrics import FunctionMetrics
from coldstart.cloud.function_traces import FunctionTraces
from coldstart.cloud.invoke_api import InvokeApi
from coldstart.cloud.lambda_aliases import AliasApi
from coldstart.cloud.lambda_concurrency import ConcurrencyApi
from coldstart.cloud.lambda_functions import FunctionApi
from coldstart.cloud.lambda_layers import LayerApi
from coldstart.cloud.lambda_policies import PolicyApi
from coldstart.cloud.lambda_service import LambdaService
from coldstart.cloud.lambda_settings import SettingsApi
from coldstart.cloud.lambda_store import LambdaStore
from coldstart.cloud.moto_functions import serve_moto
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.cloud.service_api import ServiceApi
from coldstart.runtime.host import Host
from coldstart.runtime.identifiers import Identifiers


class LambdaControlPlane:
    """Lambda of one account, all regions.

    Args:
        endpoint: returns the address of the local AWS, for download links.
        metrics: measures invocations.
        traces: tells X-Ray of them.
    """

    def __init__(
        self,
        host: Host,
        account_id: str,
        endpoint: Callable[[], str],
        metrics: FunctionMetrics,
        traces: FunctionTraces,
    ) -> None:
        self.store = LambdaStore(account_id, host.clock, Identifiers())
        """What is known of the functions."""
        self.running = RunningFunctions(host)
        """The functions' versions at work."""
        self.store.on_replaced.append(self.running.retire)
        self.store.on_deleted.append(self.running.forget)
        self.downloads = PackageDownloads(host.clock, endpoint)
        """Links to deployment packages."""
        self._layers = layers = LayerApi(self.store, self.running, self.downloads)
        self.policies = policies = PolicyApi(self.store)
        """The functions' resource policies."""
        concurrency = ConcurrencyApi(self.store, self.running)
        self.service = LambdaService(self.store, self.running, policies, host.clock, host.identifiers, metrics, traces)
        """Invokes functions, for everything in the cloud."""
        self.settings = SettingsApi(self.store, self.running, layers)
        """Tags, and what else is set beside code and configuration."""
        self.api = ServiceApi(
            "lambda",
            [
                InvokeApi(self.service, host.identifiers, account_id),
                FunctionApi(self.store, self.running, layers, self.downloads),
                AliasApi(self.store, concurrency),
                layers,
                policies,
                concurrency,
                self.settings,
            ],
            unchecked=["CreateFunctionRequest.Runtime", "UpdateFunctionConfigurationRequest.Runtime"],
            is_whole=True,  # moto's Lambda knows none of the functions
        )
        """Lambda's API; other handlers may be added."""
        self._moto = Replacements()
        serve_moto(self.store, self.service, self._moto)

    def empty_region(self, region: str) -> None:
        """Forget the functions and layers of one region."""
        for function in self.store.functions(region):
            self.store.delete(function)
        self._layers.forget(region)

    def stop(self) -> None:
        """Forget the functions that run, and give moto its own way back."""
        self._moto.undo()
        self.running.stop()
