/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_set_priority, which only FIFO has. */

#include "lock.h"

int evtchn_set_priority(struct evtchn_domain *d, uint32_t port,
                        uint32_t priority)
{
    struct evtchn *chn = evtchn_from_port(d, port);
    struct evtchn_locked locked;
    int rc = 0;

    if (!chn) {
        return -XEN_EINVAL;
    }
    evtchn_port_lock(d, chn, &locked);
    if (binding_abi(locked.binding) != EVTCHN_ABI_FIFO) {
        rc = -XEN_ENOSYS;
    } else if (!evtchn_is_bound(binding_state(locked.binding))) {
        rc = -XEN_EACCES;
    } else if (priority > EVTCHN_FIFO_PRIORITY_MIN) {
        rc = -XEN_EINVAL;
    } else {
        /* Only future events use it: a linked one stays where it is. */
        evtchn_port_change(&locked,
                           evtchn_with_queue(locked.binding, priority));
    }
    evtchn_port_unlock(&locked);
    return rc;
}
