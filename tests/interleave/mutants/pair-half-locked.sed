# SPDX-License-Identifier: GPL-2.0-or-later
# A channel is closed with one end's queue locked.
s/evtchn_queue_lock_two(d->env, a->queue, &a->tail, b->queue, &b->tail);/a->tail = evtchn_queue_lock(d->env, a->queue);\n        b->queue = NULL;/
