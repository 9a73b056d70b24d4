"""What of the provider is in the state: its name, however long it has been at work."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import dill
import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

from pulumi_drs_start.provider import JobBatchStartProvider

PASSWORD = "not-for-the-state"
# In states that were written with Python 3.10 to 3.13.
STORED = "gASVOgAAAAAAAACMGXB1bHVtaV9kcnNfc3RhcnQucHJvdmlkZXKUjBVKb2JCYXRjaFN0YXJ0UHJvdmlkZXKUk5QpgZQu"


@pytest.fixture
def configured() -> JobBatchStartProvider:
    provider = JobBatchStartProvider()
    provider.configure(ConfigureRequest(Config({"drs:password": PASSWORD, "drs:region": "eu-de"}, "project")))
    # Otherwise nothing below could fail.
    assert PASSWORD in vars(provider)["_hooks"]._bags._lifecycle._config.values()
    return provider


def test_pulumi_serialises_a_configured_provider_as_one_that_is_new(configured: JobBatchStartProvider) -> None:
    text = serialize_provider(configured)

    assert text == serialize_provider(JobBatchStartProvider())
    assert PASSWORD.encode() not in base64.b64decode(text)
    assert len(text) < 120


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("module", [pickle, dill])
def test_every_pickle_of_a_configured_provider_is_its_name_alone(
    configured: JobBatchStartProvider, module: Any, protocol: int
) -> None:
    pickled = module.dumps(configured, protocol=protocol)

    assert PASSWORD.encode() not in pickled
    assert pickled == module.dumps(JobBatchStartProvider(), protocol=protocol)
    assert vars(module.loads(pickled)) == {}


def test_the_provider_of_a_state_that_exists_is_loaded_and_written_again_as_it_was() -> None:
    pickled = base64.b64decode(STORED)

    loaded = dill.loads(pickled)  # noqa: S301 - our own bytes, as the host loads them

    assert type(loaded) is JobBatchStartProvider
    assert dill.dumps(loaded, protocol=4, recurse=True) == pickled
