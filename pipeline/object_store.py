"""Opens the object store that the settings name, with the login of an Airflow connection where they name one.

``s3://bucket/prefix`` takes login and endpoint from the environment as botocore reads it;
``s3://<connection>@bucket/prefix`` takes them from the Airflow connection of that id (type ``aws``, as Airflow's own
``ObjectStoragePath`` writes it): login and password are the access key, the extra fields ``endpoint_url``,
``region_name``, ``aws_session_token`` and ``verify`` count.
"""

from __future__ import annotations

from collections.abc import Mapping

from archive.objects import ObjectStore, open_object_store
from pipeline.settings import Settings
from schemas.errors import ConfigurationError

_BUCKET = "s3://"


def configured_object_store(settings: Settings, *, enroll: bool = False) -> ObjectStore:
    """The store of ``settings``, opened.

    Args:
        settings: where it is, and its key ring. enroll: see ``archive.objects.ObjectStore``.

    Raises:
        ConfigurationError: the place, its login or the key ring is missing or wrong.
        FatalError: the place holds something else. RetriableError: it is away.
    """
    location = settings.objects
    if not location.startswith(_BUCKET):
        return open_object_store(location, settings.keyring, enroll=enroll)
    connection, _, rest = location.removeprefix(_BUCKET).rpartition("@")
    options = connection_options(connection) if connection else {}
    return open_object_store(f"{_BUCKET}{rest}", settings.keyring, options, enroll=enroll)


def connection_options(connection_id: str) -> Mapping[str, object]:
    """The Airflow connection ``connection_id`` as options of ``s3fs.S3FileSystem``; what it does not say is left out.

    Raises:
        ConfigurationError: there is none of that id.
    """
    # Imported here: a store in a folder needs no Airflow.
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        raise ConfigurationError(
            f"there is no connection {connection_id!r}",
            where="LIENTHONG_OBJECTS",
            expected="a connection of type aws in Airflow",
            action=f"add it in Airflow (Admin > Connections), or set AIRFLOW_CONN_{connection_id.upper()}",
        ) from error
    extra = found.extra_dejson
    client = {name: extra[name] for name in ("endpoint_url", "region_name", "verify") if name in extra}
    options = {
        "key": found.login,
        "secret": found.password,
        "token": extra.get("aws_session_token"),
        "client_kwargs": client or None,
    }
    return {name: value for name, value in options.items() if value}
