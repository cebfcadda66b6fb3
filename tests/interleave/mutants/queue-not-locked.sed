# SPDX-License-Identifier: GPL-2.0-or-later
# The queue a port moves to is not locked.
/evtchn_spin_lock(d->env, old_q < q ? &q->lock : &old_q->lock);/d
s/evtchn_spin_lock(d->env, old_q < q ? &old_q->lock : &q->lock);/evtchn_spin_lock(d->env, \&old_q->lock);/
s/^    evtchn_spin_unlock(&q->lock);/if (old_q == q) evtchn_spin_unlock(\&q->lock);/
