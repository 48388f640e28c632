"""Object storage with the interface of S3, served by this machine."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET, PREFIX = "studies", "dying-relu"
ACCESS = {"access_key": "anyone", "secret_key": "anything"}


class Storage:
    """A bucket, by the address of its server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=ACCESS["access_key"],
            aws_secret_access_key=ACCESS["secret_key"],
        )
        self._client.create_bucket(Bucket=BUCKET)

    @property
    def options(self) -> list[str]:
        """Options with which Snakemake keeps all files of a study in the bucket and shares no file system with its jobs."""
        return [
            *("--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}"),
            *("--storage-s3-endpoint-url", self.address, "--storage-s3-region", "us-east-1"),
            *("--storage-s3-access-key", ACCESS["access_key"]),
            *("--storage-s3-secret-key", ACCESS["secret_key"]),
            *("--shared-fs-usage", "none"),
        ]

    def put(self, path: Path, name: str) -> None:
        """Keep a file under a name."""
        self._client.upload_file(str(path), BUCKET, f"{PREFIX}/{name}")

    def read(self, name: str) -> bytes:
        """The content of the file of that name."""
        content: bytes = self._client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}")["Body"].read()
        return content

    def names(self) -> set[str]:
        """The names of all files."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {file["Key"].removeprefix(f"{PREFIX}/") for page in pages for file in page.get("Contents", ())}


@contextmanager
def served() -> Iterator[Storage]:
    """Storage that is there as long as the block runs."""
    # It writes a line for every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Storage(f"http://{host}:{port}")
    finally:
        server.stop()
