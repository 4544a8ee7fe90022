"""CloudWatch's alarms: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def cloudwatch() -> Any:
    """CloudWatch."""
    return boto3.client("cloudwatch")


class Watched:
    """An alarm of the test's own on a metric of its own."""

    def __init__(self, local_aws, cloudwatch, name: str) -> None:
        self._aws = local_aws
        self._cloudwatch = cloudwatch
        self.name = name

    def alarm(self, **settings: Any) -> Watched:
        """Make the alarm: more than two in a minute, unless settings say otherwise."""
        defaults = {
            "Namespace": "Parcel/Alarms",
            "MetricName": self.name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 2,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        self._cloudwatch.put_metric_alarm(AlarmName=self.name, **defaults | settings)
        return self

    def minutes(self, *values: float | None) -> Watched:
        """Let minutes pass, each with a value at its beginning or without one."""
        for value in values:
            if value is not None:
                datum = {"MetricName": self.name, "Value": value}
                self._cloudwatch.put_metric_data(Namespace="Parcel/Alarms", MetricData=[datum])
            self._aws.clock.advance(minutes=1)
        return self

    @property
    def shown(self) -> dict[str, Any]:
        """The alarm, as DescribeAlarms shows it."""
        [alarm] = self._cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return alarm

    @property
    def state(self) -> str:
        """The state it is in."""
        return self.shown["StateValue"]

    def history(self, kind: str) -> list[str]:
        """What happened to it, oldest first."""
        items = self._cloudwatch.describe_alarm_history(
            AlarmName=self.name, HistoryItemType=kind, ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


@pytest.fixture
def watched(local_aws, cloudwatch, request) -> Any:
    """An alarm, deleted after the test; minutes begin at full ones."""
    local_aws.clock.advance(seconds=60.5 - local_aws.clock.now() % 60)
    name = request.node.name[:100]
    yield Watched(local_aws, cloudwatch, name)
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_an_alarm_begins_without_data_and_follows_its_metric(watched: Watched) -> None:
    assert watched.alarm().state == "INSUFFICIENT_DATA"
    assert watched.minutes(1).state == "OK"
    assert watched.minutes(3).state == "ALARM"
    assert watched.shown["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoint [3.0 (")
    assert watched.shown["StateReason"].endswith(
        "was greater than the threshold (2.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert json.loads(watched.shown["StateReasonData"])["recentDatapoints"] == [3.0]
    assert watched.minutes(None, None, None, None).state == "INSUFFICIENT_DATA"
    assert watched.history("StateUpdate") == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to INSUFFICIENT_DATA",
    ]


def test_m_out_of_n(watched: Watched) -> None:
    watched.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    assert watched.minutes(0, 3, 0).state == "OK"
    assert watched.minutes(3).state == "ALARM"
    assert watched.minutes(0, 0).state == "OK"


@pytest.mark.parametrize(
    ("treated", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("ignore", "ALARM"), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_missing_data(watched: Watched, treated: str, state: str) -> None:
    watched.alarm(TreatMissingData=treated).minutes(3)
    assert watched.state == "ALARM"
    assert watched.minutes(None, None, None, None).state == state


def test_a_percentile_and_a_comparison_below(watched: Watched) -> None:
    watched.alarm(Threshold=5, ComparisonOperator="LessThanOrEqualToThreshold", Statistic="Minimum")
    assert watched.minutes(5).state == "ALARM"


def test_an_alarm_on_a_percentile(watched: Watched, cloudwatch) -> None:
    settings = {"ExtendedStatistic": "p90", "Namespace": "Parcel/Alarms", "MetricName": watched.name}
    cloudwatch.put_metric_alarm(
        AlarmName=watched.name,
        Period=60,
        EvaluationPeriods=1,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        **settings,
    )
    datum = {"MetricName": watched.name, "Values": [float(n) for n in range(1, 101)], "Counts": [1.0] * 100}
    cloudwatch.put_metric_data(Namespace="Parcel/Alarms", MetricData=[datum])
    assert watched.minutes(None).state == "ALARM"


def test_the_error_rate_of_a_function_by_metric_math(watched: Watched, cloudwatch, deploy) -> None:
    function = deploy("def handler(event, context):\n    return 1 / event['parcels']\n")

    def of(name: str) -> dict[str, Any]:
        dimensions = [{"Name": "FunctionName", "Value": function.name}]
        metric = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions}
        return {"MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    cloudwatch.put_metric_alarm(
        AlarmName=watched.name,
        EvaluationPeriods=1,
        Threshold=40,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "errors", **of("Errors")},
            {"Id": "invocations", **of("Invocations")},
            {"Id": "rate", "Expression": "100 * errors / invocations", "ReturnData": True},
        ],
    )
    function.invoke({"parcels": 1})
    assert watched.minutes(None).state == "OK"
    for parcels in (0, 1):
        function.invoke({"parcels": parcels})
    assert watched.minutes(None).state == "ALARM"
    assert "[50.0 (" in watched.shown["StateReason"]


def test_a_state_change_tells_topics_functions_and_event_buses(watched: Watched, cloudwatch, deploy, local_aws) -> None:
    sns, sqs, events = boto3.client("sns"), boto3.client("sqs"), boto3.client("events")
    topic = sns.create_topic(Name="parcel-alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="parcel-alarms")["QueueUrl"]
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:parcel-alarms"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    events.put_rule(Name="alarms", EventPattern=json.dumps({"detail-type": ["CloudWatch Alarm State Change"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": queue_arn}])
    function = deploy("import json\ndef handler(event, context):\n    print(json.dumps(event['alarmData']))\n")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}"
    watched.alarm(AlarmActions=[topic, arn], AlarmDescription="too many")
    watched.minutes(5)
    assert [line.split(" action ")[0] for line in watched.history("Action")] == [
        "Successfully executed",
        "Failed to execute",  # the function lets nobody in
    ]
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceArn=watched.shown["AlarmArn"],
    )
    watched.minutes(0, 5)
    local_aws.settle()
    assert watched.history("Action")[3] == f"Successfully executed action {arn}"
    told = json.loads(next(line for line in function.lines() if line.startswith("{")))
    assert (told["state"]["value"], told["previousState"]["value"]) == ("ALARM", "OK")
    assert told["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == watched.name
    bodies = []
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in found]
        for message in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    notifications = [body for body in bodies if "AlarmName" in body]
    assert [(body["OldStateValue"], body["NewStateValue"]) for body in notifications] == [
        ("INSUFFICIENT_DATA", "ALARM"),
        ("OK", "ALARM"),
    ]
    assert notifications[0]["AlarmDescription"] == "too many"
    assert notifications[0]["Trigger"]["Threshold"] == 2
    changes = [body["detail"]["state"]["value"] for body in bodies if body.get("source") == "aws.cloudwatch"]
    assert sorted(changes) == ["ALARM", "ALARM", "OK"]
    events.remove_targets(Rule="alarms", Ids=["queue"])
    events.delete_rule(Name="alarms")


def test_an_alarm_on_a_dead_letter_queue(watched: Watched, local_aws) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="parcel-dead-letters")["QueueUrl"]
    watched.alarm(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "parcel-dead-letters"}],
        Statistic="Maximum",
        Threshold=0,
    )
    assert watched.minutes(None, None).state == "OK"
    local_aws.clock.advance(hours=7)
    assert watched.state == "INSUFFICIENT_DATA"  # nothing happens in the queue any more
    sqs.send_message(QueueUrl=queue, MessageBody="P-1042")
    assert watched.minutes(None).state == "ALARM"
    assert watched.minutes(None, None, None, None).state == "ALARM"
    sqs.purge_queue(QueueUrl=queue)
    assert watched.minutes(None).state == "OK"
    sqs.delete_queue(QueueUrl=queue)


def test_ok_and_insufficient_data_have_actions_too(watched: Watched, cloudwatch) -> None:
    sns = boto3.client("sns")
    good, silent = (sns.create_topic(Name=name)["TopicArn"] for name in ("parcel-good", "parcel-silent"))
    watched.alarm(OKActions=[good], InsufficientDataActions=[silent])
    watched.minutes(1, None, None, None)
    assert watched.history("Action") == [
        f"Successfully executed action {good}",
        f"Successfully executed action {silent}",
    ]
    cloudwatch.disable_alarm_actions(AlarmNames=[watched.name])
    watched.minutes(1)
    assert watched.state == "OK"
    assert len(watched.history("Action")) == 2


def test_a_state_that_is_set_by_hand_fires_actions_until_the_next_evaluation(watched: Watched, cloudwatch) -> None:
    topic = boto3.client("sns").create_topic(Name="parcel-drill")["TopicArn"]
    watched.alarm(AlarmActions=[topic], TreatMissingData="notBreaching").minutes(1)
    cloudwatch.set_alarm_state(AlarmName=watched.name, StateValue="ALARM", StateReason="a drill")
    assert (watched.state, watched.shown["StateReason"]) == ("ALARM", "a drill")
    assert watched.history("Action") == [f"Successfully executed action {topic}"]
    assert watched.minutes(None).state == "OK"


def test_an_alarm_that_is_put_again_keeps_its_state(watched: Watched) -> None:
    watched.alarm().minutes(3)
    assert watched.alarm(Threshold=1).state == "ALARM"
    assert watched.history("ConfigurationUpdate") == [
        f'Alarm "{watched.name}" created',
        f'Alarm "{watched.name}" updated',
    ]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "anomaly detection"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"Period": 45}, "Period"),
        ({"TreatMissingData": "hope"}, "hope"),
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(watched: Watched, settings: dict[str, Any], names: str) -> None:
    with pytest.raises(ClientError, match=names):
        watched.alarm(**settings)


def test_a_composite_alarm_is_refused(cloudwatch) -> None:
    with pytest.raises(ClientError, match="no composite alarms"):
        cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("orders")')
