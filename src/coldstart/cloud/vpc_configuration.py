"""A function's VpcConfig: which VPC its subnets are in. Functions here are not connected to it; the configuration is kept.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coldstart.cloud.lambda_validation import invalid


def vpc_configuration(wanted: Mapping[str, Any], region: str, account_id: str) -> dict[str, Any]:
    """Return the VpcConfigResponse for a VpcConfig; an empty one takes the function out of its VPC.

    Raises:
        AwsError: a subnet or security group is not there.
    """
    subnets, groups = wanted.get("SubnetIds", []), wanted.get("SecurityGroupIds", [])
    if not subnets and not groups:
        return {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}
    if not subnets or not groups:
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    from moto.ec2.exceptions import InvalidSubnetIdError
    from moto.ec2.models import ec2_backends

    backend = ec2_backends[account_id][region]
    try:
        vpcs = [backend.get_subnet(subnet).vpc_id for subnet in subnets]
    except InvalidSubnetIdError as error:
        raise _ec2_error("DescribeSubnets", "InvalidSubnetID.NotFound", str(error.message)) from None
    for group in groups:
        if backend.get_security_group_from_id(group) is None:
            raise _ec2_error(
                "DescribeSecurityGroups", "InvalidGroup.NotFound", f"The security group '{group}' does not exist"
            )
    return {
        "SubnetIds": subnets,
        "SecurityGroupIds": groups,
        "VpcId": vpcs[0],
        "Ipv6AllowedForDualStack": wanted.get("Ipv6AllowedForDualStack", False),
    }


def _ec2_error(operation: str, code: str, message: str) -> Exception:
    return invalid(f"Error occurred while {operation}. EC2 Error Code: {code}. EC2 Error Message: {message}")
