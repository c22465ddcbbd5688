# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The long experiments on real servers: ``make prove``, or ``make prove EXPERIMENT='no_loss races'``.

Each module without a leading underscore is one experiment: ``python -m tests.experiments.prove.no_loss [--small]``. It
has

* a docstring whose first line says what it proves,
* ``main(argv=None) -> int``: 0 if what must hold held; ``--small`` is the short form that ``make test`` runs,
* a table in docs/, written between markers by :mod:`tests.experiments.prove._page` (not in the short form).

It makes its own stack (:class:`tests.experiments.prove._bed.Bed`) below the build folder and takes it down, whatever
happens.
"""
