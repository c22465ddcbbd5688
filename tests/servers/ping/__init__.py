# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for what no open server has: IDM 7.5 with AM, IDM 8.1 alone, and Advanced Identity Cloud.

A test tool, never shipped. Each shape names where it comes from: "recorded" is "Recorded HTTP answers", "ping" is
"ForgeRock / Ping IDM", "live" is "Advanced Identity Cloud as others met it live", "source" is "OpenIDM family over
REST", "seen" is "Seen on real servers", all notes of the project (see CONTRIBUTING.md), with the section. "open" marks
what nobody has recorded: a test that leans on it proves our tolerance, not the product.
"""
