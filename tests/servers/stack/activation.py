# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Writes a connector's configuration and waits until IDM has taken it up.

OpenIDM 6.1.0 activates what was written some time after it has answered, and until then the old component answers as if
nothing were (seen). Nothing in its answers tells one component from the next, but the names of the object types do: so
a type of its own comes with each configuration that is written here.
"""

import time
import uuid

_MARK = "taken_up_"
#: Seconds in which a configuration must be taken up.
_PATIENCE = 60.0


def marked(configuration):
    """A configuration with an object type that no other has, and that type's name."""
    mark = _MARK + uuid.uuid4().hex[:8]
    schema = {
        "$schema": "http://json-schema.org/draft-03/schema", "id": mark, "type": "object", "nativeType": mark,
        "properties": {},
    }  # fmt: skip
    return {**configuration, "objectTypes": {**plain(configuration)["objectTypes"], mark: schema}}, mark


def plain(configuration):
    """A configuration without such types."""
    types = configuration.get("objectTypes", {})
    return {**configuration, "objectTypes": {name: types[name] for name in types if not name.startswith(_MARK)}}


def take_up(write, test, configuration, working=True):
    """Write a configuration, and wait until the connector that answers is the one made of it.

    :param write: called with the configuration.
    :param test: returns the answer of the connector's test as a dictionary, an empty one while there is no connector.
    :param working: whether its test must be ok, too.
    :raises TimeoutError: when it is not taken up, or does not work.
    """
    configuration, mark = marked(configuration)
    _until(write, test, configuration, lambda types: mark in types, working)


def put_back(write, test, configuration, working=True):
    """The same, without a type of its own in the end."""
    take_up(write, test, configuration, working)
    _until(write, test, plain(configuration), lambda types: not any(name.startswith(_MARK) for name in types), working)


def _until(write, test, configuration, fits, working):
    write(configuration)
    answer, end = {}, time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        answer = test()
        if "objectTypes" in answer and fits(answer["objectTypes"]) and (answer.get("ok") or not working):
            return
        time.sleep(0.05)
    raise TimeoutError("The connector's configuration was not taken up; its test says %s" % answer)
