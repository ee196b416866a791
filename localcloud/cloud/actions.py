"""Actions: long-running operations. Each runs on a separate thread; a restarted service repeats unfinished ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from localcloud.cloud import catalogue, rules
from localcloud.cloud.api import Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import ApiError, not_found, unprocessable
from localcloud.cloud.store import Json, new_number, now

# Does the work, without the store's lock. The last argument, `again`, is true if a previous service may have begun it.
# The store applies the returned function in the same transaction as the end of the action: no request reads one without
# the other.
Finish = Callable[[Json], None]
Work = Callable[[Cloud, Json, bool], Finish]
WORK: dict[str, Work] = {}


def work(name: str) -> Callable[[Work], Work]:
    """Registers the function of an action under the name that the state file stores."""

    def register(function: Work) -> Work:
        WORK[name] = function
        return function

    return register


def start(
    cloud: Cloud,
    data: Json,
    type: str,
    resource: tuple[str, int | None],
    region: str,
    task: tuple[str, Json],
) -> Json:
    """Begins an action and returns its record. Called inside `changing()`: its thread waits until the state is written.

    The keys droplet, volume and ip of the task's arguments name the resources that have a pending event while it runs.
    """
    number = new_number(data, "actions")
    action: Json = {
        "id": number,
        "status": "in-progress",
        "type": type,
        "started_at": now(),
        "completed_at": None,
        "resource_type": resource[0],
        "resource_id": resource[1],
        "region": region,
        "work": task[0],
        "args": task[1],
    }
    data["actions"][str(number)] = action
    threading.Thread(target=_run, args=(cloud, number, False), name=f"action-{number}", daemon=True).start()
    return action


def resume(cloud: Cloud) -> int:
    """Repeats the actions that were in progress when the service ended. Returns their number."""
    with cloud.store.reading() as data:
        numbers = [action["id"] for action in data["actions"].values() if action["status"] == "in-progress"]
    for number in numbers:
        threading.Thread(target=_run, args=(cloud, number, True), name=f"action-{number}", daemon=True).start()
    return len(numbers)


def pending(data: Json, what: str, id: Any) -> bool:
    """Whether an action on this droplet, volume or ip is in progress."""
    return any(a["status"] == "in-progress" and a["args"].get(what) == id for a in data["actions"].values())


def refuse_pending(data: Json, **things: int | str) -> None:
    """Refuses a second event on a resource. Clients of the real API match these messages and wait."""
    titles = {"droplet": "Droplet", "volume": "Volume", "ip": "The reserved IP"}
    for what, id in things.items():
        if pending(data, what, id):
            raise unprocessable(f"{titles[what]} already has a pending event.")


def _run(cloud: Cloud, number: int, again: bool) -> None:
    with cloud.store.reading() as data:
        action = data["actions"][str(number)]
    with cloud.turn:
        try:
            finish, status = WORK[action["work"]](cloud, action["args"], again), "completed"
        except Exception as error:
            # On any exception the action failed; the log shows the reason to the user of the service.
            reason = error.message if isinstance(error, ApiError) else f"{type(error).__name__}: {error}"
            cloud.say(f"action {action['type']} on {action['resource_type']} {action['resource_id']} failed: {reason}")
            finish, status = _failed(action), "errored"
    with cloud.store.changing() as data:
        finish(data)
        action |= {"status": status, "completed_at": now()}
    # Other droplets' rules depend on a droplet that was created or deleted; one that was restarted lost its rules.
    rules.apply(cloud)


def _failed(action: Json) -> Finish:
    def finish(data: Json) -> None:
        droplet = data["droplets"].get(str(action["args"].get("droplet")))
        if action["work"] == "droplet.create" and droplet:
            # Neither new nor active: clients that wait for active stop waiting and report it.
            droplet["status"] = "archive"

    return finish


def view(action: Json) -> Json:
    """An action as the API shows it."""
    shown = {key: value for key, value in action.items() if key not in {"work", "args", "region"}}
    return shown | {"region": catalogue.region(action["region"]), "region_slug": action["region"]}


def reply(action: Json, status: int = 201) -> Reply:
    """The reply to a request that began an action."""
    return Reply(status, {"action": view(action)})


def actions_on(data: Json, what: str, id: Any) -> list[Json]:
    """The actions on one droplet, volume or ip, newest first."""
    return [view(a) for a in reversed(data["actions"].values()) if a["args"].get(what) == id]


def one_of(data: Json, what: str, id: Any, number: str) -> Json:
    """One action on one droplet, volume or ip. Raises 404 if the action belongs to another resource."""
    action = data["actions"].get(number)
    if action is None or action["args"].get(what) != id:
        raise not_found()
    return view(action)


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "actions", [view(a) for a in reversed(data["actions"].values())])


def _show(cloud: Cloud, request: Request, number: str) -> Reply:
    with cloud.store.reading() as data:
        if number not in data["actions"]:
            raise not_found()
        return Reply(200, {"action": view(data["actions"][number])})


ROUTES = [Route("GET", "/v2/actions", _list), Route("GET", "/v2/actions/{number}", _show)]
