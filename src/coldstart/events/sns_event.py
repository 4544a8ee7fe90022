"""What SNS sends to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coldstart.events.event_time import with_milliseconds

Sign = Callable[[bytes, str], str]
"""Takes what is to be signed and the signature version ("1" is SHA1, "2" SHA256); returns the signature in base64."""


@dataclass(frozen=True)
class Notification:
    """A message on its way to one subscription."""

    message_id: str
    """The one that Publish returned."""
    topic_arn: str
    subscription_arn: str
    message: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, Any]]
    """By name: ``{"Type": "String", "Value": "x"}``."""
    seconds: float
    """When it was published, on the cloud's clock."""
    region: str
    certificate_url: str
    signature_version: str = "1"

    def signed_text(self) -> bytes:
        """Return what the signature covers.

        https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html.
        """
        members = {
            "Message": self.message,
            "MessageId": self.message_id,
            "Subject": self.subject,
            "Timestamp": with_milliseconds(self.seconds),
            "TopicArn": self.topic_arn,
            "Type": "Notification",
        }
        return "".join(f"{name}\n{value}\n" for name, value in members.items() if value is not None).encode()

    def function_event(self, sign: Sign) -> dict[str, Any]:
        """Return the event of a function, which always has one record."""
        sns = {
            "Type": "Notification",
            **self._members(sign),
            "SigningCertUrl": self.certificate_url,
            "UnsubscribeUrl": self._unsubscribe_url(),
            "MessageAttributes": {
                name: {"Type": attribute["Type"], "Value": str(attribute["Value"])}
                for name, attribute in self.attributes.items()
            },
        }
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": self.subscription_arn,
            "Sns": sns,
        }
        return {"Records": [record]}

    def json_message(self, sign: Sign) -> dict[str, Any]:
        """Return what queues get, and dead-letter queues of subscriptions: other spellings, no empty members."""
        members = {
            "Type": "Notification",
            **self._members(sign),
            "SigningCertURL": self.certificate_url,
            "UnsubscribeURL": self._unsubscribe_url(),
            "MessageAttributes": dict(self.attributes) or None,
        }
        return {name: value for name, value in members.items() if value is not None}

    def _members(self, sign: Sign) -> dict[str, Any]:
        return {
            "MessageId": self.message_id,
            "TopicArn": self.topic_arn,
            "Subject": self.subject,
            "Message": self.message,
            "Timestamp": with_milliseconds(self.seconds),
            "SignatureVersion": self.signature_version,
            "Signature": sign(self.signed_text(), self.signature_version),
        }

    def _unsubscribe_url(self) -> str:
        return f"https://sns.{self.region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={self.subscription_arn}"
