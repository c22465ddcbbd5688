# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""Writes a connector's configuration and waits until IDM has taken it up.

OpenIDM 6.1.0 activates what was written some time after it has answered, now and then not at all, and until then the
old component answers as if nothing were (seen). Nothing in its answers tells one component from the next, but the names
of the object types do: so a type of its own comes with each configuration that is written here. And a configuration
that was taken up may give way to the one before it, if that was written a few seconds earlier (seen, though seldom).
"""

import time
import uuid

_MARK = "taken_up_"
#: Seconds after which a configuration that was not taken up is written again, and how many times at the most.
_PATIENCE, _ROUNDS = 20.0, 3


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


def take_up(write, test, configuration, working=True, hold=0.0):
    """Write a configuration, and wait until the connector that answers is the one made of it.

    :param write: called with the configuration.
    :param test: returns the answer of the connector's test as a dictionary, an empty one while there is no connector.
    :param working: whether its test must be ok, too.
    :param hold: for how many seconds it must stay, where another one was written shortly before.
    :raises TimeoutError: when it is not taken up, or does not work.
    """
    configuration, mark = marked(configuration)
    _until(write, test, configuration, lambda types: mark in types, working, hold)


def put_back(write, test, configuration, working=True):
    """The same, without a type of its own in the end."""
    take_up(write, test, configuration, working)
    _until(write, test, plain(configuration), lambda types: not any(name.startswith(_MARK) for name in types), working)


def _until(write, test, configuration, fits, working, hold=0.0):
    answer = {}
    for _round in range(_ROUNDS):
        write(configuration)
        end, since = time.monotonic() + _PATIENCE, None
        while time.monotonic() < end:
            answer = test()
            so = "objectTypes" in answer and fits(answer["objectTypes"]) and (answer.get("ok") or not working)
            if since is not None and not so:
                break  # another one has taken its place
            if so:
                since = time.monotonic() if since is None else since
                if time.monotonic() - since >= hold:
                    return
            time.sleep(0.05)
    raise TimeoutError("The connector's configuration was not taken up; its test says %s" % answer)
