"""Texts of workflow files."""


def workflow(url, **keys):
    """A workflow on deals with one webhook. Keys are raw Lua values: of the webhook, or with the
    prefix wf_ of the workflow. None takes a key away."""
    flow = {"name": '"test"', "record": '"deal"', "trigger": 'hook.every { "created", "updated" }'}
    hook = {"method": '"POST"', "url": f'"{url}"', "encoding": '"json"',
            "content": 'hook.fields { "id", "name", "amount" }'}
    for key, value in keys.items():
        if key.startswith("wf_"):
            flow[key[3:]] = value
        else:
            hook[key] = value
    webhook = "".join(f"      {k} = {v},\n" for k, v in hook.items() if v is not None)
    flow.setdefault("actions", "{\n    hook.webhook {\n" + webhook + "    },\n  }")
    body = "".join(f"  {k} = {v},\n" for k, v in flow.items() if v is not None)
    return ('local hook  = require "hookline"\nlocal field = hook.field\n\n'
            f"return hook.workflow {{\n{body}}}\n")


def deal(number, type="deal.updated", **keys):
    """An event of a deal. `event_id` gives it an id, `previous` its old values, the rest are fields."""
    event = {"type": type}
    if "event_id" in keys:
        event["id"] = keys.pop("event_id")
    if "time" in keys:
        event["time"] = keys.pop("time")
    if "previous" in keys:
        event["previous"] = keys.pop("previous")
    event["record"] = {"id": number, "name": f"Deal {number}", "amount": 12500.5, **keys}
    return event
