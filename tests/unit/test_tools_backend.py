"""Where a stack's state is kept: one place, remembered; another is refused; the passphrase is never made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import backend, environment, plugins, pulumi_cli
from tools.errors import ToolError
from tools.pulumi_process import explain, streamed

S3 = "s3://state?endpoint=fra1.digitaloceanspaces.com&region=us-east-1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "prod"
    made.mkdir()
    return made


def _stack_in(folder: Path, name: str = "prod", packed: str = "") -> None:
    stacks = folder / ".pulumi" / "stacks" / "fleetwatch"
    stacks.mkdir(parents=True)
    (stacks / f"{name}.json{packed}").write_text("{}")


def test_without_a_choice_the_state_is_in_the_stacks_own_folder(home: Path) -> None:
    assert backend.choose(home, None) == (home / "backend").as_uri()


def test_a_new_stack_goes_where_the_variable_says_and_stays_there(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backend.choose(home, S3) == S3
    backend.remember(home, S3)
    assert S3 in capsys.readouterr().out, "a state that is not on this machine is said"
    assert backend.choose(home, None) == S3, "a run without the variable would make everything a second time"


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "own"])
def test_another_place_than_the_states_is_refused_with_the_way_to_move(home: Path, remembered: bool) -> None:
    if remembered:
        backend.remember(home, "file:///srv/state")
    else:
        _stack_in(home / "backend")
    with pytest.raises(
        ToolError, match=r"state of stack prod is in file:///.*make move-state STACK=prod TO=s3://state"
    ):
        backend.choose(home, S3)


def test_the_same_folder_in_other_words_is_not_another_place(home: Path) -> None:
    backend.remember(home, "file:///srv/state")
    assert backend.choose(home, "file:///srv/./state/") == "file:///srv/state"


def test_back_in_the_own_folder_nothing_is_remembered(home: Path) -> None:
    backend.remember(home, S3)
    backend.remember(home, backend.default_url(home))
    assert not (home / backend.REMEMBERED).exists()


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_folder_is_asked_without_the_engine(tmp_path: Path, packed: str) -> None:
    _stack_in(tmp_path, packed=packed)
    assert backend.knows(tmp_path.as_uri(), "prod", {})
    assert not backend.knows(tmp_path.as_uri(), "pro", {})


@pytest.mark.parametrize("url", ["prod", "ftp://x/y", "s3:", "file://here/state", "//x", "s3://[::"])
def test_a_url_that_is_none_is_told_with_what_would_be_one(url: str) -> None:
    with pytest.raises(ToolError, match="PULUMI_BACKEND_URL: expected"):
        backend.checked(url)


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ToolError, match="without a user and a password") as told:
        backend.checked("s3://key:hunter22@state")
    assert "hunter22" not in str(told.value)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pulumi_env` without a CLI and plugins."""
    monkeypatch.setattr(pulumi_cli, "find", lambda: pulumi_cli.Pulumi(Path("/x/pulumi"), "3", "a test"))
    monkeypatch.setattr(plugins, "state", lambda: [])
    monkeypatch.delenv(backend.VARIABLE, raising=False)
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("env")
def test_a_new_stack_gets_a_passphrase_that_its_owner_alone_reads(home: Path) -> None:
    file = Path(environment.pulumi_env(home)["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text()) > 30


@pytest.mark.usefixtures("env")
def test_a_lost_passphrase_is_told_and_not_replaced(home: Path) -> None:
    _stack_in(home / "backend")
    with pytest.raises(ToolError, match="passphrase of stack prod is missing: expected it in .*docs/state.md"):
        environment.pulumi_env(home)
    assert not (home / "passphrase").exists(), "a new one would hide that the old one is gone"


@pytest.mark.usefixtures("env")
def test_a_shared_state_takes_the_passphrase_that_is_given(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backend.VARIABLE, S3)
    with pytest.raises(ToolError, match="stack prod is not on this machine.*PULUMI_CONFIG_PASSPHRASE_FILE"):
        environment.pulumi_env(home)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/run/secrets/passphrase")
    made = environment.pulumi_env(home)
    assert made["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/run/secrets/passphrase"
    assert made[backend.VARIABLE] == S3


@pytest.mark.usefixtures("env")
def test_the_users_own_pulumi_leads_nothing_astray(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of another project")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-x")
    made = environment.pulumi_env(home)
    assert not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"} & set(made)


@pytest.mark.usefixtures("env")
def test_pulumi_cloud_gets_the_users_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-x")
    monkeypatch.setenv(backend.VARIABLE, "https://api.pulumi.com")
    (home / "passphrase").write_text("x")
    assert environment.pulumi_env(home)["PULUMI_ACCESS_TOKEN"] == "pul-x"


@pytest.mark.usefixtures("env")
def test_a_rehearsal_keeps_its_state_to_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backend.VARIABLE, S3)
    (home / "environment.json").write_text(f'{{"{backend.VARIABLE}": "{backend.default_url(home)}"}}')
    assert environment.pulumi_env(home)[backend.VARIABLE] == backend.default_url(home)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CI job without a backend: GitHub gives a variable that nobody set as an empty one. Its folder of states."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("FLEETWATCH_STATE", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv(backend.VARIABLE, "")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the fleet that is there")
    return tmp_path / "fleetwatch"


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize("variable", ["CI", "GITHUB_ACTIONS"])
def test_a_ci_job_without_a_backend_makes_no_second_fleet(
    runner: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    monkeypatch.setenv(variable, "true")
    with pytest.raises(
        ToolError,
        match=r"PULUMI_BACKEND_URL is not set.*state of stack prod.*a second one.*docs/ci\.md.*FLEETWATCH_STATE",
    ):
        environment.pulumi_env(runner / "prod")
    assert not (runner / "prod").exists(), "no folder, no passphrase"


@pytest.mark.usefixtures("env")
def test_a_job_that_says_where_the_state_is_goes_on(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("local", "rehearsal"):
        assert environment.pulumi_env(runner / name), "lives on one machine, and a runner is one"
    kept = runner / "cloud-of-the-tests"
    kept.mkdir()
    (kept / "environment.json").write_text(f'{{"{backend.VARIABLE}": "{backend.default_url(kept)}"}}')
    assert environment.pulumi_env(kept), "a rehearsal of any name keeps its state to itself"
    monkeypatch.setenv(backend.VARIABLE, S3)
    assert environment.pulumi_env(runner / "prod")["PULUMI_CONFIG_PASSPHRASE"] == "of the fleet that is there"
    monkeypatch.setenv(backend.VARIABLE, "")
    monkeypatch.setenv("FLEETWATCH_STATE", str(runner / "disk"))
    assert environment.pulumi_env(runner / "disk" / "prod"), "a runner's own disk, which was named"
    monkeypatch.delenv("FLEETWATCH_STATE")
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert environment.pulumi_env(runner / "qa"), "a person's machine"


LOCKED = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the "
    "lock file with `pulumi cancel`.\n  s3://state/.pulumi/locks/organization/fleetwatch/prod/0b8a.json?region=x: "
    "created by jo@desk (pid 4711) at 2026-01-02T03:04:05Z\n"
)


def test_a_lock_in_a_bucket_says_who_since_when_and_the_way_out() -> None:
    said = explain(LOCKED, "prod")
    assert "in use by another run: jo on desk, process 4711, since 2026-01-02T03:04:05Z" in said
    assert "make pulumi STACK=prod ARGS=cancel" in said


def test_a_lock_in_pulumi_cloud_has_the_same_way_out() -> None:
    said = explain(
        "error: [409] Conflict: Another update is currently in progress.\nTo learn more about possible reasons and "
        "resolution, visit https://www.pulumi.com/docs/troubleshooting/#conflict",
        "prod",
    )
    assert "state of stack prod is in use by another run: the stack's page in Pulumi Cloud shows which" in said
    assert "make pulumi STACK=prod ARGS=cancel" in said


def test_an_up_that_meets_pulumi_clouds_lock_ends_with_the_way_out() -> None:
    engine = ["sh", "-c", "echo 'error: [409] Conflict: Another update is currently in progress.' >&2; exit 255"]
    with pytest.raises(ToolError, match="in use by another run.*ARGS=cancel"):
        streamed(engine, {}, "prod")


def test_pulumi_cloud_without_a_token_says_which_one() -> None:
    said = explain("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", "prod")
    assert "set PULUMI_ACCESS_TOKEN" in said


def test_pulumi_keeps_no_log_of_all_properties(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLEETWATCH_CACHE", str(tmp_path))
    earlier = tmp_path / "pulumi-home" / "logs" / "pulumi-1-up.log"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("values")
    for _ in range(2):
        assert "-v=9" in (plugins.home() / "logs").read_text()
