# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# A binder gets no event for what was sent before it has bound.
# hvm64 2l
/^    evtchn_raise_bound(d, new_port, evtchn_of_port(d, new_port),$/,/EVTCHN_NEW_EVENT);$/d
