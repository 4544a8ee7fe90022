"""What else runs a Lambda function on one's own machine without Docker. Each has an environment of its own, under `.bench/`.

Their versions are locked here, not in the project's requirements: the course does not need them. Who cannot be installed
or started (no network, no Node.js, another platform) is left out of the run with a line that says why.
"""

from benchmarks.peers.environments import PeerMissing
from benchmarks.peers.ministack import MiniStack
from benchmarks.peers.python_lambda_local import PythonLambdaLocal
from benchmarks.peers.rie import RuntimeInterfaceEmulator
from benchmarks.peers.serverless_offline import ServerlessOffline

__all__ = ["MiniStack", "PeerMissing", "PythonLambdaLocal", "RuntimeInterfaceEmulator", "ServerlessOffline"]
