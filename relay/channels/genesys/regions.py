"""The Genesys Cloud regions: a fixed list, so that no tenant can name a host of its own.

Source: purecloud_region_hosts of the Python SDK 269.0.0.
"""

from __future__ import annotations

DOMAINS = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
}


def domain_of(region: str) -> str:
    """The domain of a region, given as login domain or AWS name. Raises ValueError."""
    name = region.strip().lower().removeprefix("https://").rstrip("/")
    name = name.removeprefix("login.").removeprefix("api.").removeprefix("apps.")
    if name in DOMAINS:
        return DOMAINS[name]
    if name in DOMAINS.values():
        return name
    raise ValueError("not a Genesys Cloud region")
