"""The key pair for Web Push: made once for a stage, in memory, and kept in SSM. Nobody is shown the private one."""

from botocore.exceptions import ClientError

from chalicelib.platform.vapid import PRIVATE, PUBLIC, SUBJECT, new_key, public_of
from ops.cloud import Cloud
from ops.names import parameter


def store(cloud: Cloud, subject: str) -> str:
    """Make what is missing; what was done. A new private key would end every subscription, so one that is there stays.

    `subject`: an https address or mailto, for the push services to know whom to ask.
    """
    ssm, new = cloud.client("ssm"), True
    path = parameter(cloud.stage, PRIVATE)
    try:
        ssm.put_parameter(Name=path, Value=new_key(), Type="SecureString", Overwrite=False)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterAlreadyExists":
            raise
        new = False
    plain = {SUBJECT: subject}
    if new or PUBLIC not in cloud.parameters():
        # Read back: two deployments at the same time have made one key, not two.
        plain[PUBLIC] = public_of(ssm.get_parameter(Name=path, WithDecryption=True)["Parameter"]["Value"])
    for name, value in plain.items():
        ssm.put_parameter(Name=parameter(cloud.stage, name), Value=value, Type="String", Overwrite=True)
    return "made" if new else "as they were"
