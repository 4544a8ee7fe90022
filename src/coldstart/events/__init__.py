"""What calls a function: asynchronous invocation, event source mappings, events of other services, HTTP events.

Knows neither moto nor boto3: the cloud hands in queues, streams and the functions themselves.
"""
