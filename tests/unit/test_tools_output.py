"""What of the engine's output a user sees."""

from __future__ import annotations

from tools.pulumi_output import readable

DIAGNOSTICS = """\
Diagnostics:
  pulumi:pulumi:Stack (fleetwatch-dev):
    warning: something
    error: Program failed with an unhandled exception:
    Traceback (most recent call last):
      File "rpc_manager.py", line 73, in rpc_wrapper
        result = await rpc
    pulumi.runtime.stack.ResourceRegistrationFailed: resource web-1-agent [docker:Container] failed to register
    
    The above exception was the direct cause of the following exception:
    
    Traceback (most recent call last):
      File "main.py", line 1, in <module>
    pulumi.runtime.stack.ResourceRegistrationFailed: resource web-1-agent [docker:Container] failed to register

  docker:index:Container (web-1-agent):
    error: no SSH connection
"""


def test_a_traceback_about_a_failed_resource_is_one_sentence() -> None:
    shown = "".join(readable(DIAGNOSTICS.splitlines(keepends=True)))
    assert "Traceback (most recent" not in shown
    assert "skipped: what depends on web-1-agent" in shown
    assert "warning: something" in shown
    assert "error: no SSH connection" in shown


def test_a_traceback_of_a_mistake_of_ours_is_shown_whole() -> None:
    ours = DIAGNOSTICS.replace(
        "pulumi.runtime.stack.ResourceRegistrationFailed: resource web-1-agent", "KeyError: 'web-1'"
    )
    assert "".join(readable(ours.splitlines(keepends=True))) == ours


def test_which_plugin_is_on_the_path_is_not_told_again() -> None:
    lines = ["    warning: using pulumi-resource-docker from $PATH at /x\n", "Resources:\n"]
    assert list(readable(lines)) == ["Resources:\n"]


def test_that_the_program_ended_is_said_only_where_nothing_else_is() -> None:
    ended = "    error: an unhandled error occurred: program exited with non-zero exit code: 1\n"
    ours = "    error: 1 problem in the settings, nothing was changed:\n"
    assert list(readable([ours, ended])) == [ours]
    assert list(readable([ended])) == [ended]
