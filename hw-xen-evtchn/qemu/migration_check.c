/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a stream is one that a save can have written.
 *
 * A stream is not trusted.  What depends on the domain (that a port, a vCPU, a
 * VIRQ exists, that nothing is bound twice, what a frame may be) the model
 * checks when it is loaded; here is what only the stream as a whole can show.
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"

#include "migration.h"

static bool pirq_inuse(const XenEvtchnStream *s, uint32_t pirq)
{
    return s->pirq_inuse[pirq / 64] >> (pirq % 64) & 1;
}

static const char *check_pirqs(const XenEvtchnStream *s)
{
    uint32_t words = s->nr_pirq_inuse_words;
    int gsi, other;

    if (s->nr_pirqs % 64 && s->pirq_inuse[words - 1] >> (s->nr_pirqs % 64)) {
        return "a PIRQ is in use that does not exist";
    }
    if (s->pirq_gsi_set >> IOAPIC_NUM_PINS) {
        return "a GSI is high that does not exist";
    }
    for (gsi = 0; gsi < IOAPIC_NUM_PINS; gsi++) {
        uint32_t pirq = s->gsi_pirq[gsi];

        if (!pirq) {
            continue;
        }
        if (pirq >= s->nr_pirqs || !pirq_inuse(s, pirq)) {
            return "a GSI is mapped to a PIRQ that is not in use";
        }
        for (other = 0; other < gsi; other++) {
            if (s->gsi_pirq[other] == pirq) {
                return "a PIRQ is two GSIs'";
            }
        }
    }
    return NULL;
}

/* Two ports of the guest that are bound to each other. */
static bool is_v1_pair(const XenEvtchnStream *s, uint32_t port)
{
    uint32_t peer = s->ports[port].val;

    return peer != port && peer < s->nr_ports &&
           s->ports[peer].type == EVTCHN_INTERDOMAIN &&
           s->ports[peer].val == port;
}

static bool is_v1_port(const XenEvtchnStream *s, uint32_t port)
{
    const XenEvtchnStreamPort *p = &s->ports[port];
    uint32_t host_port = p->val & ~XEN_EVTCHN_V1_TO_HOST;
    bool to_host = p->val & XEN_EVTCHN_V1_TO_HOST;

    switch (p->type) {
    case EVTCHN_CLOSED:
        return !p->vcpu && !p->val;
    case EVTCHN_UNBOUND:
        return !host_port;
    case EVTCHN_INTERDOMAIN:
        return to_host ? host_port && host_port < XEN_EVTCHN_V1_MAX_PORTS
                       : is_v1_pair(s, port);
    case EVTCHN_PIRQ:
    case EVTCHN_VIRQ:
        return true;
    case EVTCHN_IPI:
        return !p->val;
    default:
        return false;
    }
}

/* The last one is bound, as a save leaves out what is closed behind it. */
static const char *check_v1_ports(const XenEvtchnStream *s)
{
    int32_t port;

    for (port = 0; port < s->nr_ports; port++) {
        if (!is_v1_port(s, port) || (!port && s->ports[0].type)) {
            return "a 2-level port is nothing that there is";
        }
    }
    if (s->nr_ports && !s->ports[s->nr_ports - 1].type) {
        return "the last 2-level port is closed";
    }
    return NULL;
}

static const char *check_retry(const XenEvtchnStream *s)
{
    uint32_t last = 0;
    int32_t i;

    for (i = 0; i < s->nr_retry; i++) {
        const XenEvtchnStreamRetry *r = &s->retry[i];

        if (r->port <= last || r->port >= s->nr_ports || !r->pending ||
            s->ports[r->port].type == EVTCHN_CLOSED) {
            return "an event was set aside for a port that is not bound";
        }
        last = r->port;
    }
    return NULL;
}

static int compare_ports(const void *key, const void *member)
{
    uint32_t port = *(const uint32_t *)key;
    uint32_t other = ((const struct evtchn_port_state *)member)->port;

    return port < other ? -1 : port > other;
}

static bool is_extended_pair(const XenEvtchnStream *s,
                             const struct evtchn_port_state *p)
{
    const struct evtchn_port_state *peer =
        bsearch(&p->remote_port, s->extended_ports, s->nr_extended_ports,
                sizeof(*p), compare_ports);

    return peer && peer != p && peer->state == EVTCHN_INTERDOMAIN &&
           peer->remote_domid == p->remote_domid &&
           peer->remote_port == p->port;
}

static bool is_extended_port(const XenEvtchnStream *s,
                             const struct evtchn_port_state *p)
{
    switch (p->state) {
    case EVTCHN_CLOSED:
        /* Saved for what FIFO queue it was last on, and that alone. */
        return s->extended_abi == EVTCHN_ABI_FIFO && !p->vcpu && !p->pending &&
               !p->remote_domid && !p->remote_port &&
               (p->last_vcpu || p->last_priority);
    case EVTCHN_UNBOUND:
        return !p->remote_port;
    case EVTCHN_INTERDOMAIN:
        return p->remote_domid == s->host_domid
                   ? p->remote_port && p->remote_port < EVTCHN_MAX_PORTS
                   : p->remote_domid == evtchn_domain_id(s->domain) &&
                         is_extended_pair(s, p);
    case EVTCHN_PIRQ:
    case EVTCHN_VIRQ:
        return !p->remote_domid;
    case EVTCHN_IPI:
        return !p->remote_domid && !p->remote_port;
    default:
        return false;
    }
}

static const char *check_extended_ports(const XenEvtchnStream *s)
{
    uint32_t last = 0;
    int32_t i;

    /* First of all, as a port's peer is looked for by its number. */
    for (i = 0; i < s->nr_extended_ports; i++) {
        if (s->extended_ports[i].port <= last) {
            return "the ports are not in order";
        }
        last = s->extended_ports[i].port;
    }
    for (i = 0; i < s->nr_extended_ports; i++) {
        if (!is_extended_port(s, &s->extended_ports[i])) {
            return "a port is nothing that there is";
        }
    }
    return NULL;
}

static const char *check_vcpus(const XenEvtchnStream *s)
{
    int32_t i;

    for (i = 0; i < s->nr_vcpus; i++) {
        if (s->vcpus[i].gfn == EVTCHN_INVALID_GFN && s->vcpus[i].offset) {
            return "a vCPU has an offset in no frame";
        }
    }
    return NULL;
}

const char *xen_evtchn_stream_fault(const XenEvtchnStream *s)
{
    const char *fault = check_pirqs(s);

    if (!fault && s->extended_abi != EVTCHN_ABI_HOST &&
        (s->nr_ports || s->nr_retry)) {
        fault = "it has ports of two ABIs";
    }
    if (!fault) {
        fault = check_v1_ports(s);
    }
    if (!fault) {
        fault = check_retry(s);
    }
    if (!fault) {
        fault = check_vcpus(s);
    }
    return fault ?: check_extended_ports(s);
}
