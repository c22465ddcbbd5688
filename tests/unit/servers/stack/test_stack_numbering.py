# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, idmops.idm contributors
"""A change is numbered when the log's last number is its own, or that of a later one."""

import pytest

from tests.servers.stack import numbering

OLD, MINE, LATER = (b"000001a20fcc81050001000000%02x" % number for number in (5, 6, 7))
HISTORY = [b"description:%s:repl:x" % OLD, b"modifyTimestamp:%s:repl:20261124230310Z" % MINE]


class Line:
    """A directory whose log comes to its end after some looks."""

    def __init__(self, *csns):
        self.csns = list(csns)

    def search_s(self, base, scope, filterstr="(objectClass=*)", attrlist=()):
        if base == "cn=changelog":
            return [("changeNumber=1,cn=changelog", {"replicationCSN": [self.csns.pop(0)]})]
        return [(base, {"lastChangeNumber": [b"%d" % (9 - len(self.csns))], "ds-sync-hist": HISTORY})]


def test_the_newest_change_of_an_entry():
    assert numbering.newest_csn(HISTORY) == MINE
    assert numbering.newest_csn([b"dn:%s:add" % OLD]) == OLD
    assert numbering.newest_csn([]) is None


@pytest.mark.parametrize("csns, looks", [((MINE,), 1), ((OLD, OLD, MINE, LATER), 3), ((OLD, LATER), 2)])
def test_the_number_of_an_earlier_change_is_not_enough(csns, looks):
    line = Line(*csns)
    assert numbering.await_number(line, "uid=user.0") == 9 - len(csns) + looks - 1
    assert len(line.csns) == len(csns) - looks


def test_a_change_that_gets_no_number():
    with pytest.raises(TimeoutError, match="has no number after 0 s"):
        numbering.await_number(Line(*[OLD] * 9), "uid=user.0", 0)
