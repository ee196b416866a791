"""Which secrets provider a stack has, and that a passphrase is wanted with a passphrase alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import backend, environment, plugins, pulumi_cli, secrets_provider, working_copy
from tools.errors import ToolError

S3 = "s3://state?endpoint=fra1.digitaloceanspaces.com&region=us-east-1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "prod"
    made.mkdir()
    return made


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pulumi_env` without a CLI and plugins."""
    monkeypatch.setattr(pulumi_cli, "find", lambda: pulumi_cli.Pulumi(Path("/x/pulumi"), "3", "a test"))
    monkeypatch.setattr(plugins, "state", lambda: [])
    for name in (backend.VARIABLE, "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize("provider", ["awskms://alias/x?region=eu-central-1", "hashivault://fleet", "gcpkms://x"])
@pytest.mark.parametrize("url", [S3, "https://api.pulumi.com", ""])
def test_a_key_service_needs_no_passphrase(
    home: Path, monkeypatch: pytest.MonkeyPatch, provider: str, url: str
) -> None:
    monkeypatch.setenv(backend.VARIABLE, url)
    made = environment.pulumi_env(home, provider)
    assert not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(made)
    assert not (home / "passphrase").exists(), "none is made up either"


@pytest.mark.usefixtures("env")
def test_pulumi_clouds_own_service_needs_no_passphrase_but_default_elsewhere_does(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(backend.VARIABLE, "https://api.pulumi.com")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment.pulumi_env(home, "default")
    monkeypatch.setenv(backend.VARIABLE, S3)
    with pytest.raises(ToolError, match="passphrase of stack prod is not on this machine"):
        environment.pulumi_env(home, "default")


@pytest.mark.usefixtures("env")
def test_a_passphrase_that_is_there_is_passed_on_to_a_key_service(home: Path) -> None:
    (home / "passphrase").write_text("x")
    made = environment.pulumi_env(home, "hashivault://fleet")
    assert made["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(home / "passphrase"), "the state may be encrypted with it yet"


@pytest.mark.parametrize(
    ("line", "provider"),
    [
        ("", "passphrase"),
        ("secretsprovider: passphrase", "passphrase"),
        ("secretsprovider: default", "default"),
        ("secretsprovider: hashivault://fleet", "hashivault://fleet"),
        ("secretsprovider: azurekeyvault://a.vault.azure.net/keys/b", "azurekeyvault://a.vault.azure.net/keys/b"),
    ],
)
def test_the_stack_file_names_its_secrets_provider(tmp_path: Path, line: str, provider: str) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    file.write_text(f"{line}\nconfig: {{}}\n")
    assert secrets_provider.choose(file, tmp_path / "working") == provider
    assert secrets_provider.choose(tmp_path / "gone", file) == provider, "without a stack file its working copy does"


@pytest.mark.parametrize("given", ["vault", "hashivault", "kms://x", "5"])
def test_a_provider_that_pulumi_does_not_have_is_refused(tmp_path: Path, given: str) -> None:
    file = tmp_path / "Pulumi.qa.yaml"
    file.write_text(f"secretsprovider: {given}\n")
    with pytest.raises(ToolError, match="secretsprovider: expected passphrase, default or .*hashivault://"):
        secrets_provider.choose(file, file)


def test_the_data_key_of_a_key_service_stays_with_the_secrets() -> None:
    user = {"secretsprovider": "awskms://x", "config": {}}
    made = working_copy.compose(user, {"encryptedkey": "AQ==", "config": {}}, {})
    assert (made["secretsprovider"], made["encryptedkey"]) == ("awskms://x", "AQ==")
    assert working_copy.only_secrets(made)["encryptedkey"] == "AQ==", "others cannot decrypt without it"
