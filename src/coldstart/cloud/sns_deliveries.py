"""Topics invoke functions.

moto does so inside the request, with a constant message id, time and attributes, and needs no permission.
https://docs.aws.amazon.com/sns/latest/dg/sns-lambda-as-subscriber.html.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from datetime import timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask import has_request_context
from flask import request as http_request
from moto.core.utils import utcnow
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription, sns_backends
from moto.sns.utils import FilterPolicyMatcher

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.replacements import Replacements
from coldstart.events.sns_event import Notification
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

PRINCIPAL = "sns.amazonaws.com"


class SnsDeliveries:
    """Takes the place of moto's delivery to functions, in all regions of one account."""

    def __init__(self, targets: EventTargets, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._targets = targets
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._signer = _Signer(account_id)

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def deliver(subscription: Subscription, message: str, message_id: str, **more: Any) -> None:
            if subscription._filter_policy is not None:  # moto forgets a scope that is set after its policy
                subscription._filter_policy_matcher = FilterPolicyMatcher(
                    subscription._filter_policy, subscription.attributes.get("FilterPolicyScope")
                )
            if subscription.protocol != "lambda":
                publish(subscription, message, message_id, **more)
                return
            matcher = subscription._filter_policy_matcher
            attributes = more.get("message_attributes") or {}
            if matcher is not None and not matcher.matches(attributes, message):
                return
            if more.get("message_structure") == "json":
                message = subscription._parse_message_structure(message, "lambda")
            self._invoke(subscription, message, message_id, more.get("subject"), attributes)

        def subscribe_checked(
            backend: SNSBackend, topic_arn: str, endpoint: str, protocol: str, **more: Any
        ) -> Subscription:
            if protocol == "lambda" and not endpoint.startswith("arn:aws:lambda:"):
                raise SNSInvalidParameter("Invalid parameter: Lambda endpoint ARN")
            return subscribe(backend, topic_arn, endpoint, protocol, **more)

        publish = moto.put(Subscription, "publish", deliver)
        subscribe = moto.put(SNSBackend, "subscribe", subscribe_checked)

    def _invoke(
        self, subscription: Subscription, message: str, message_id: str, subject: str | None, attributes: dict[str, Any]
    ) -> None:
        region = subscription.topic.sns_backend.region_name
        notification = Notification(
            message_id=message_id,
            topic_arn=subscription.topic.arn,
            subscription_arn=subscription.arn,
            message=message,
            subject=subject or None,
            attributes=attributes,
            seconds=self._clock.now(),
            region=region,
            certificate_url=f"https://sns.{region}.amazonaws.com/{self._signer.certificate_name}",
            signature_version=getattr(subscription.topic, "signature_version", None) or "1",
        )
        trace_id = http_request.headers.get("X-Amzn-Trace-Id", "") if has_request_context() else ""

        def deliver() -> None:
            self._signer.publish_certificate(region)
            body = json.dumps(notification.function_event(self._signer.sign))
            try:
                self._targets.send(
                    Delivery(subscription.endpoint, body, PRINCIPAL, subscription.topic.arn, trace_id=trace_id)
                )
            except TargetRefused as refusal:
                self._bury(subscription, notification, refusal)

        self._clock.work(deliver, f"subscription {subscription.arn}")

    def _bury(self, subscription: Subscription, notification: Notification, refusal: TargetRefused) -> None:
        """Send what could not be delivered to the subscription's dead-letter queue.

        https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html: a client-side error is not tried again.
        """
        policy = subscription.attributes.get("RedrivePolicy")
        queue = (json.loads(policy) if isinstance(policy, str) else policy or {}).get("deadLetterTargetArn")
        if not queue:
            return
        attributes = {
            "RequestID": self._identifiers.uuid(),
            "ErrorCode": refusal.code,
            "ErrorMessage": refusal.message,
        }
        body = json.dumps(notification.json_message(self._signer.sign))
        with contextlib.suppress(TargetRefused):
            self._targets.send(
                Delivery(queue, body, PRINCIPAL, subscription.topic.arn, {"MessageAttributes": attributes})
            )


class _Signer:
    """Signs messages with a key of this run; the certificate is where SNS has it (moto answers for that address)."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._lock = threading.Lock()
        self.certificate_name = "SimpleNotificationService-" + f"{int(account_id):032x}" + ".pem"

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, text: bytes, version: str) -> str:
        with self._lock:
            key = self._key
        algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
        return base64.b64encode(key.sign(text, padding.PKCS1v15(), algorithm)).decode()

    def publish_certificate(self, region: str) -> None:
        published = sns_backends[self._account_id][region]._message_public_keys
        if self.certificate_name in published:
            return
        with self._lock:
            key = self._key
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(utcnow() - timedelta(days=1))
            .not_valid_after(utcnow() + timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        published[self.certificate_name] = certificate.public_bytes(serialization.Encoding.PEM)
