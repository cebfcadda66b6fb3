/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-event-list and xen-event-inject, of QMP and HMP. */

#include "qemu/osdep.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-misc-target.h"
#include "qobject/qdict.h"
#include "hw/xen/xen.h"
#include "system/kvm_xen.h"

#include "hw/xen/interface/event_channel.h"

#include "internal.h"

QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_CLOSED != EVTCHNSTAT_closed);
QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_UNBOUND != EVTCHNSTAT_unbound);
QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_INTERDOMAIN != EVTCHNSTAT_interdomain);
QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_PIRQ != EVTCHNSTAT_pirq);
QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_VIRQ != EVTCHNSTAT_virq);
QEMU_BUILD_BUG_ON((int)EVTCHN_PORT_TYPE_IPI != EVTCHNSTAT_ipi);

static XenEvtchnState *get_device(Error **errp)
{
    if (!xen_evtchn_singleton) {
        error_setg(errp, "Xen event channel emulation not enabled");
    }
    return xen_evtchn_singleton;
}

static char *domain_name(XenEvtchnState *s, uint16_t domid)
{
    if (domid == DOMID_QEMU) {
        return g_strdup("qemu");
    }
    if (domid == evtchn_domain_id(s->guest)) {
        return g_strdup("loopback");
    }
    return g_strdup_printf("%u", domid);
}

static EvtchnInfo *describe_port(XenEvtchnState *s, uint32_t port,
                                 const struct evtchn_port_info *info)
{
    EvtchnInfo *e = g_new0(EvtchnInfo, 1);

    e->port = port;
    e->vcpu = info->vcpu;
    e->type = (EvtchnPortType)info->state;
    if (info->state == EVTCHN_INTERDOMAIN) {
        e->remote_domain = domain_name(s, info->remote_domid);
        e->target = info->remote_port;
    } else {
        e->remote_domain = g_strdup("");
        e->target = info->irq;
    }
    e->pending = info->pending;
    e->masked = info->masked;

    e->abi = g_strdup(info->abi == EVTCHN_ABI_FIFO ? "fifo" :
                      info->abi == EVTCHN_ABI_3L ? "3l" : "2l");
    if (info->abi == EVTCHN_ABI_FIFO) {
        e->has_priority = true;
        e->priority = info->priority;
        e->has_link = info->linked;
        e->link = info->link;
    }
    return e;
}

EvtchnInfoList *qmp_xen_event_list(Error **errp)
{
    XenEvtchnState *s = get_device(errp);
    EvtchnInfoList *head = NULL, **tail = &head;
    struct evtchn_port_info info;
    uint32_t port, end;

    if (!s) {
        return NULL;
    }
    RCU_READ_LOCK_GUARD();
    end = evtchn_domain_valid_ports(s->guest);
    for (port = 1; port < end; port++) {
        if (!evtchn_port_info(s->guest, port, &info) &&
            info.state != EVTCHN_CLOSED) {
            QAPI_LIST_APPEND(tail, describe_port(s, port, &info));
        }
    }
    return head;
}

void qmp_xen_event_inject(uint32_t port, Error **errp)
{
    XenEvtchnState *s = get_device(errp);

    RCU_READ_LOCK_GUARD();
    if (s && evtchn_raise_port(s->guest, port)) {
        error_setg(errp, "Port %u is not bound", port);
    }
}

void hmp_xen_event_list(Monitor *mon, const QDict *qdict)
{
    g_autoptr(EvtchnInfoList) list = NULL;
    EvtchnInfoList *item;
    Error *err = NULL;

    list = qmp_xen_event_list(&err);
    if (hmp_handle_error(mon, err)) {
        return;
    }
    for (item = list; item; item = item->next) {
        EvtchnInfo *e = item->value;

        monitor_printf(mon, "port %4u: %s vcpu: %u %s", e->port, e->abi,
                       e->vcpu, EvtchnPortType_str(e->type));
        if (e->type != EVTCHN_PORT_TYPE_IPI) {
            monitor_printf(mon, "(%s%s%u)", e->remote_domain,
                           *e->remote_domain ? ":" : "", e->target);
        }
        if (e->has_priority) {
            monitor_printf(mon, " priority %u", e->priority);
        }
        if (e->pending) {
            monitor_printf(mon, " PENDING");
        }
        if (e->masked) {
            monitor_printf(mon, " MASKED");
        }
        if (e->has_link) {
            monitor_printf(mon, " LINKED(%u)", e->link);
        }
        monitor_printf(mon, "\n");
    }
}

void hmp_xen_event_inject(Monitor *mon, const QDict *qdict)
{
    int port = qdict_get_int(qdict, "port");
    Error *err = NULL;

    qmp_xen_event_inject(port, &err);
    if (!hmp_handle_error(mon, err)) {
        monitor_printf(mon, "Delivered port %d\n", port);
    }
}
