# SPDX-License-Identifier: GPL-2.0-or-later
# The vCPU is marked before HEAD and READY are set.
s/evtchn_store(&v->control->head\[priority\], port);/bool up = evtchn_mark_events_pending(v);&/
s/^           evtchn_mark_events_pending(v);/up;/
