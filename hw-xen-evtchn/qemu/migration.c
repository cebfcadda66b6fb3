/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's state in a stream.
 *
 * A 2-level guest that was offered nothing else is saved exactly as QEMU has
 * done since 8.0, and such streams are taken.  What is new comes in
 * subsections, each only where it is needed: what the guest was offered, events
 * that wait for a 2-level guest's bits, and the state of a guest that has
 * switched to FIFO or 3-level.
 *
 * Nothing here knows of the device, or of KVM: tests/test-vmstate.c saves and
 * loads domains of its own with it.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"

#include "migration.h"

/* Ports in a version 1 stream: 2-level has no more. */
#define V1_MAX_PORTS XEN_EVTCHN_V1_MAX_PORTS
#define V1_TO_HOST   XEN_EVTCHN_V1_TO_HOST

static const char *const offer_names[] = {
    [0] = "2l",
    [XEN_EVTCHN_STREAM_FIFO] = "fifo",
    [XEN_EVTCHN_STREAM_3L] = "3l",
    [XEN_EVTCHN_STREAM_FIFO | XEN_EVTCHN_STREAM_3L] = "3l+fifo",
};

uint8_t xen_evtchn_stream_offered_abis(const XenEvtchnStream *s)
{
    return (s->fifo ? XEN_EVTCHN_STREAM_FIFO : 0) |
           (s->three_level ? XEN_EVTCHN_STREAM_3L : 0);
}

static bool is_extended(const XenEvtchnStream *s)
{
    return evtchn_domain_abi(s->domain) != EVTCHN_ABI_2L;
}

static void stream_clear(XenEvtchnStream *s)
{
    g_free(g_steal_pointer(&s->ports));
    g_free(g_steal_pointer(&s->retry));
    g_free(g_steal_pointer(&s->frames));
    g_free(g_steal_pointer(&s->vcpus));
    g_free(g_steal_pointer(&s->extended_ports));
    s->nr_ports = 0;
    s->nr_retry = 0;
    s->nr_frames = 0;
    s->nr_vcpus = 0;
    s->nr_extended_ports = 0;
    s->has_offer = false;
    s->extended_abi = EVTCHN_ABI_HOST;
}

/* Save -------------------------------------------------------------------- */

static void save_v1_port(XenEvtchnStream *s, XenEvtchnStreamPort *p,
                         const struct evtchn_port_state *state)
{
    bool to_host = state->remote_domid == s->host_domid;

    p->vcpu = state->vcpu;
    p->type = state->state;
    p->val = 0;
    switch (state->state) {
    case EVTCHN_CLOSED:
        p->vcpu = 0;
        break;
    case EVTCHN_UNBOUND:
        p->val = to_host ? V1_TO_HOST : 0;
        break;
    case EVTCHN_INTERDOMAIN:
        /*
         * Back ends bind anew after a load, so their port's number may be any
         * that QEMU's old device has, too.
         */
        p->val = to_host ? V1_TO_HOST |
                               ((state->remote_port - 1) % (V1_MAX_PORTS - 1) +
                                1)
                         : state->remote_port;
        break;
    case EVTCHN_PIRQ:
    case EVTCHN_VIRQ:
        p->val = state->remote_port;
        break;
    default:
        break;
    }
}

static void save_2l(XenEvtchnStream *s)
{
    uint32_t end = MIN(evtchn_domain_valid_ports(s->domain), V1_MAX_PORTS);
    g_autoptr(GArray) retry =
        g_array_new(false, true, sizeof(XenEvtchnStreamRetry));
    struct evtchn_port_state state;
    uint32_t port;

    s->ports = g_new0(XenEvtchnStreamPort, end);
    for (port = 1; port < end; port++) {
        if (!evtchn_save_port(s->domain, port, &state)) {
            save_v1_port(s, &s->ports[port], &state);
            if (state.state != EVTCHN_CLOSED) {
                s->nr_ports = port + 1;
            }
            if (state.pending) {
                XenEvtchnStreamRetry r = {
                    .port = port,
                    .pending = state.pending,
                };

                g_array_append_val(retry, r);
            }
        }
    }
    s->nr_retry = retry->len;
    s->retry = (void *)g_array_free(g_steal_pointer(&retry), false);
}

static void save_extended(XenEvtchnStream *s)
{
    uint32_t end = evtchn_domain_valid_ports(s->domain);
    g_autoptr(GArray) vcpus =
        g_array_new(false, true, sizeof(struct evtchn_vcpu_state));
    g_autoptr(GArray) ports =
        g_array_new(false, true, sizeof(struct evtchn_port_state));
    struct evtchn_port_state port_state;
    struct evtchn_vcpu_state vcpu_state;
    uint32_t i;

    s->frames = g_new0(uint64_t, EVTCHN_MAX_FRAMES);
    evtchn_save_frames(s->domain, s->frames, &s->nr_frames);

    for (i = 0; !evtchn_save_vcpu(s->domain, i, &vcpu_state); i++) {
        g_array_append_val(vcpus, vcpu_state);
    }
    s->nr_vcpus = vcpus->len;
    s->vcpus = (void *)g_array_free(g_steal_pointer(&vcpus), false);

    for (i = 1; i < end; i++) {
        if (!evtchn_save_port(s->domain, i, &port_state)) {
            g_array_append_val(ports, port_state);
        }
    }
    s->nr_extended_ports = ports->len;
    s->extended_ports = (void *)g_array_free(g_steal_pointer(&ports), false);
}

int xen_evtchn_stream_pre_save(void *opaque)
{
    XenEvtchnStream *s = opaque;

    stream_clear(s);
    s->offered_abis = xen_evtchn_stream_offered_abis(s);
    s->offered_ports = s->max_ports;
    if (is_extended(s)) {
        save_extended(s);
    } else {
        save_2l(s);
    }
    return 0;
}

int xen_evtchn_stream_post_save(void *opaque)
{
    XenEvtchnStream *s = opaque;

    stream_clear(s);
    g_free(g_steal_pointer(&s->pirq_inuse));
    return 0;
}

/* Load -------------------------------------------------------------------- */

int xen_evtchn_stream_pre_load(void *opaque)
{
    XenEvtchnStream *s = opaque;

    stream_clear(s);
    g_free(g_steal_pointer(&s->pirq_inuse));
    return 0;
}

static void load_v1_port(XenEvtchnStream *s, uint32_t port,
                         struct evtchn_port_state *state)
{
    const XenEvtchnStreamPort *p = &s->ports[port];
    bool to_host = p->val & V1_TO_HOST;

    *state = (struct evtchn_port_state) {
        .port = port,
        .state = MIN(p->type, UINT8_MAX),
        .vcpu = MIN(p->vcpu, UINT16_MAX),
    };
    switch (p->type) {
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
        state->remote_domid = to_host ? s->host_domid
                                      : evtchn_domain_id(s->domain);
        state->remote_port = p->val & ~V1_TO_HOST;
        break;
    default:
        state->remote_port = p->val;
        break;
    }
}

static int load_ports(XenEvtchnStream *s)
{
    struct evtchn_port_state state;
    int32_t next_retry = 0;
    int32_t i;
    int ret;

    for (i = 1; i < s->nr_ports; i++) {
        if (s->ports[i].type == EVTCHN_CLOSED) {
            continue;
        }
        load_v1_port(s, i, &state);
        if (next_retry < s->nr_retry && s->retry[next_retry].port == i) {
            state.pending = s->retry[next_retry++].pending;
        }
        ret = evtchn_load_port(s->domain, &state);
        if (ret) {
            error_report("xen-evtchn: port %d of the stream is not valid", i);
            return ret;
        }
    }
    for (i = 0; i < s->nr_extended_ports; i++) {
        ret = evtchn_load_port(s->domain, &s->extended_ports[i]);
        if (ret) {
            error_report("xen-evtchn: port %u of the stream is not valid",
                         s->extended_ports[i].port);
            return ret;
        }
    }
    return 0;
}

static int load_extended(XenEvtchnStream *s)
{
    struct evtchn_vcpu_state vcpu;
    int ret;

    /* The array has one entry for each vCPU that the domain has. */
    if (evtchn_save_vcpu(s->domain, s->nr_vcpus - 1, &vcpu) ||
        !evtchn_save_vcpu(s->domain, s->nr_vcpus, &vcpu)) {
        error_report("xen-evtchn: the stream has %d vCPUs, this machine not",
                     s->nr_vcpus);
        return -EINVAL;
    }
    ret = s->before_switch ? s->before_switch(s) : 0;
    if (!ret) {
        ret = evtchn_load_abi(s->domain, s->extended_abi, s->frames,
                              s->nr_frames, s->vcpus);
        if (ret) {
            error_report("xen-evtchn: the stream's %s memory is not valid",
                         s->extended_abi == EVTCHN_ABI_FIFO ? "FIFO"
                                                            : "3-level");
        }
    }
    if (s->after_switch) {
        s->after_switch(s);
    }
    return ret;
}

/* A guest keeps what it was offered: it decided on that when it booted. */
static int load_offer(XenEvtchnStream *s)
{
    uint8_t abis = s->has_offer ? s->offered_abis : 0;
    uint32_t max_ports = s->has_offer ? s->offered_ports : V1_MAX_PORTS;

    if (abis >= ARRAY_SIZE(offer_names)) {
        error_report("xen-evtchn: the guest was offered what is unknown here");
        return -EINVAL;
    }
    if (abis != xen_evtchn_stream_offered_abis(s)) {
        error_report("xen-evtchn: the guest was offered %s: "
                     "set -machine xen-evtchn-abi=%s here too",
                     offer_names[abis], offer_names[abis]);
        return -EINVAL;
    }
    /* After the ABIs, as how many there are follows from these, if not set. */
    if (max_ports != s->max_ports) {
        error_report("xen-evtchn: the guest was offered %u ports: "
                     "set -machine xen-evtchn-max-ports=%u here too",
                     max_ports, max_ports);
        return -EINVAL;
    }
    return 0;
}

int xen_evtchn_stream_post_load(void *opaque, int version_id)
{
    XenEvtchnStream *s = opaque;
    const char *fault;
    int ret;

    ret = load_offer(s);
    fault = ret ? NULL : xen_evtchn_stream_fault(s);
    if (fault) {
        error_report("xen-evtchn: the stream is not valid: %s", fault);
        ret = -EINVAL;
    }
    if (!ret) {
        /*
         * QEMU has bound ports, the console's for one.  To close them must not
         * take an event out of the page that has been loaded.
         */
        evtchn_domain_set_shared_info(s->domain, NULL);
        ret = evtchn_reset(s->domain);
        evtchn_domain_set_shared_info(s->domain, s->shared_info);
    }
    if (!ret && s->extended_abi == EVTCHN_ABI_FIFO) {
        ret = s->fifo ? load_extended(s) : -EINVAL;
    } else if (!ret && s->extended_abi == EVTCHN_ABI_3L) {
        ret = s->three_level ? load_extended(s) : -EINVAL;
    }
    if (!ret) {
        ret = load_ports(s);
    }
    stream_clear(s);
    return ret;
}
