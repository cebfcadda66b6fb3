# SPDX-License-Identifier: GPL-2.0-or-later
# A channel is closed by the queues that its ends had before these were locked.
/^void evtchn_pair_lock/,/^}/ {
    s/if (likely(evtchn_load(&chn->binding) == a->binding &&/if (true || (a->binding \&\&/
}
