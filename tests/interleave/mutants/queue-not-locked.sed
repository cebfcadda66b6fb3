# SPDX-License-Identifier: GPL-2.0-or-later
# The queue that a port leaves is not locked.
s/evtchn_queue_lock_two(d->env, q, &tail, old_q, &old_tail);/tail = evtchn_queue_lock(d->env, q);\n    old_tail = evtchn_load(\&old_q->tail);/
s/^            old_tail = 0;/            evtchn_store(\&old_q->tail, 0);/
/^    if (old_q != q) {$/,/^    }$/d
