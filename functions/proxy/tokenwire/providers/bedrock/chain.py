"""AWS's credential chain, as every tool of AWS has it. Imported on first use."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError
from botocore.session import Session

_VARIABLES = {
    "profile": "AWS_PROFILE",
    "config_file": "AWS_CONFIG_FILE",
    "credentials_file": "AWS_SHARED_CREDENTIALS_FILE",
}


def region_with_credentials(environ: Mapping[str, str], region: str | None) -> str | None:
    """Return the region if the chain has credentials: profiles, SSO, containers, instance roles.

    Blocking: on a machine that may be an instance of EC2 it asks the instance's metadata.

    Args:
        environ: The variables that name the files and the profile.
        region: The region of the variables; None to use the profile's.
    """
    session = Session()
    for name, variable in _VARIABLES.items():
        if value := environ.get(variable):
            session.set_config_variable(name, value)
    try:
        found = region or session.get_config_variable("region")
        if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            session.get_component("credential_provider").remove("iam-role")
        return found if found and session.get_credentials() else None
    except BotoCoreError:
        # A profile that does not exist, or a file that cannot be read.
        return None
