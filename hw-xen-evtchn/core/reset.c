/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_reset: close every port, and back to 2-level. */

#include "change_abi.h"

int evtchn_reset_some(struct evtchn_domain *d, bool resuming, uint32_t budget)
{
    uint32_t port;
    int rc = 0;

    evtchn_event_lock(d);
    /* One reset at a time, and only the one under way can be resumed. */
    if (resuming != !!d->next_reset) {
        evtchn_event_unlock(d);
        return -XEN_EBUSY;
    }
    port = resuming ? d->next_reset : 1;
    d->next_reset = port;
    evtchn_event_unlock(d);

    for (; port < evtchn_load(&d->valid_ports) &&
           evtchn_load(&d->active_ports); port++) {
        if (!budget--) {
            evtchn_event_lock(d);
            d->next_reset = port;
            evtchn_event_unlock(d);
            return -EVTCHN_ERESTART;
        }
        evtchn_close(d, port);
    }

    evtchn_event_lock(d);
    d->next_reset = 0;
    if (d->active_ports) {
        /* Another vCPU has bound ports meanwhile: keep the ABI (XSA-343). */
        rc = -XEN_EAGAIN;
    } else if (evtchn_abi_is_extended(d->abi)) {
        evtchn_back_to_2l(d);
    }
    evtchn_event_unlock(d);
    return rc;
}

int evtchn_reset(struct evtchn_domain *d)
{
    int rc = evtchn_reset_some(d, false, EVTCHN_RESET_BUDGET);

    while (rc == -EVTCHN_ERESTART) {
        rc = evtchn_reset_some(d, true, EVTCHN_RESET_BUDGET);
    }
    return rc;
}
