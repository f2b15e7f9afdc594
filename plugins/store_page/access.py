"""Who may see the page: whoever may read the pipeline's DAG in Airflow."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from store_page.errors import NotAllowed, Stranger

DAG = "retail_video_analytics"
_bearer = HTTPBearer(auto_error=False)


async def allowed_user(request: Request) -> BaseUser:
    """Return who asks, by Airflow's cookie or a token in the header.

    :raises Stranger: nobody is logged in.
    :raises NotAllowed: this user may not read the pipeline's DAG.
    """
    try:
        user = await get_user(request, None, await _bearer(request))
    except HTTPException as error:
        raise Stranger from error
    if not get_auth_manager().is_authorized_dag(
        method="GET", details=DagDetails(id=DAG), user=user
    ):
        raise NotAllowed(DAG)
    return user


def login_url(back_to: str) -> str:
    """Return Airflow's login page, which leads back."""
    url: str = get_auth_manager().get_url_login(next_url=back_to)
    return url


AllowedUser = Annotated[BaseUser, Depends(allowed_user)]
