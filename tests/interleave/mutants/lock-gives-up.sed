# SPDX-License-Identifier: GPL-2.0-or-later
# A sender that finds its lane locked drops its event.
s/return evtchn_queue_wait(d->env, &lane->queue);/return true;/
