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

/* What a guest was offered, besides 2-level. */
#define STREAM_FIFO 1
#define STREAM_3L   2

static const char *const offer_names[] = {
    [0] = "2l",
    [STREAM_FIFO] = "fifo",
    [STREAM_3L] = "3l",
    [STREAM_FIFO | STREAM_3L] = "3l+fifo",
};

static uint8_t offered_abis(const XenEvtchnStream *s)
{
    return (s->fifo ? STREAM_FIFO : 0) | (s->three_level ? STREAM_3L : 0);
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

static int stream_pre_save(void *opaque)
{
    XenEvtchnStream *s = opaque;

    stream_clear(s);
    s->offered_abis = offered_abis(s);
    s->offered_ports = s->max_ports;
    if (is_extended(s)) {
        save_extended(s);
    } else {
        save_2l(s);
    }
    return 0;
}

static int stream_post_save(void *opaque)
{
    XenEvtchnStream *s = opaque;

    stream_clear(s);
    g_free(g_steal_pointer(&s->pirq_inuse));
    return 0;
}

/* Load -------------------------------------------------------------------- */

static int stream_pre_load(void *opaque)
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

    if (max_ports != s->max_ports) {
        error_report("xen-evtchn: the guest was offered %u ports: "
                     "set -machine xen-evtchn-max-ports=%u here too",
                     max_ports, max_ports);
        return -EINVAL;
    }
    if (abis >= ARRAY_SIZE(offer_names)) {
        error_report("xen-evtchn: the guest was offered what is unknown here");
        return -EINVAL;
    }
    if (abis != offered_abis(s)) {
        error_report("xen-evtchn: the guest was offered %s: "
                     "set -machine xen-evtchn-abi=%s here too",
                     offer_names[abis], offer_names[abis]);
        return -EINVAL;
    }
    return 0;
}

static int stream_post_load(void *opaque, int version_id)
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
        ret = evtchn_reset(s->domain);
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

/* Layout ------------------------------------------------------------------ */

static const VMStateDescription vmstate_port = {
    .name = "xen_evtchn_port",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(vcpu, XenEvtchnStreamPort),
        VMSTATE_UINT16(type, XenEvtchnStreamPort),
        VMSTATE_UINT16(val, XenEvtchnStreamPort),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_extended_port = {
    .name = "xen_evtchn_fifo_port",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(port, struct evtchn_port_state),
        VMSTATE_UINT8(state, struct evtchn_port_state),
        VMSTATE_UINT8(priority, struct evtchn_port_state),
        VMSTATE_UINT8(last_priority, struct evtchn_port_state),
        VMSTATE_UINT8(pending, struct evtchn_port_state),
        VMSTATE_UINT16(vcpu, struct evtchn_port_state),
        VMSTATE_UINT16(last_vcpu, struct evtchn_port_state),
        VMSTATE_UINT16(remote_domid, struct evtchn_port_state),
        VMSTATE_UINT32(remote_port, struct evtchn_port_state),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_extended_vcpu = {
    .name = "xen_evtchn_fifo_vcpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(gfn, struct evtchn_vcpu_state),
        VMSTATE_UINT32(offset, struct evtchn_vcpu_state),
        VMSTATE_UINT32_ARRAY(tail, struct evtchn_vcpu_state,
                             EVTCHN_NR_PRIORITIES),
        VMSTATE_END_OF_LIST()
    },
};

static bool nr_ports_valid(void *opaque, int version_id)
{
    int32_t n = ((XenEvtchnStream *)opaque)->nr_ports;

    return n >= 0 && n <= V1_MAX_PORTS;
}

static bool nr_frames_valid(void *opaque, int version_id)
{
    return ((XenEvtchnStream *)opaque)->nr_frames <= EVTCHN_MAX_FRAMES;
}

static bool nr_vcpus_valid(void *opaque, int version_id)
{
    int32_t n = ((XenEvtchnStream *)opaque)->nr_vcpus;

    return n > 0 && n <= UINT16_MAX;
}

static bool nr_extended_ports_valid(void *opaque, int version_id)
{
    int32_t n = ((XenEvtchnStream *)opaque)->nr_extended_ports;

    return n >= 0 && n <= EVTCHN_MAX_PORTS;
}

static bool nr_retry_valid(void *opaque, int version_id)
{
    int32_t n = ((XenEvtchnStream *)opaque)->nr_retry;

    return n > 0 && n < V1_MAX_PORTS;
}

static bool retry_needed(void *opaque)
{
    return ((XenEvtchnStream *)opaque)->nr_retry;
}

/* As a guest's ABI, below: once. */
static int retry_pre_load(void *opaque)
{
    return ((XenEvtchnStream *)opaque)->retry ? -EINVAL : 0;
}

static const VMStateDescription vmstate_one_retry = {
    .name = "xen_evtchn_retry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(port, XenEvtchnStreamRetry),
        VMSTATE_UINT8(pending, XenEvtchnStreamRetry),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_retry = {
    .name = "xen_evtchn/retry",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = retry_needed,
    .pre_load = retry_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(nr_retry, XenEvtchnStream),
        VMSTATE_VALIDATE("number of events set aside", nr_retry_valid),
        VMSTATE_STRUCT_VARRAY_ALLOC(retry, XenEvtchnStream, nr_retry, 1,
                                    vmstate_one_retry, XenEvtchnStreamRetry),
        VMSTATE_END_OF_LIST()
    },
};

/* QEMU's old device, which knows no such subsection, offers this. */
static bool offer_needed(void *opaque)
{
    XenEvtchnStream *s = opaque;

    return offered_abis(s) || s->max_ports != V1_MAX_PORTS;
}

static int offer_post_load(void *opaque, int version_id)
{
    ((XenEvtchnStream *)opaque)->has_offer = true;
    return 0;
}

static const VMStateDescription vmstate_offer = {
    .name = "xen_evtchn/offer",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = offer_needed,
    .post_load = offer_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(offered_abis, XenEvtchnStream),
        VMSTATE_UINT32(offered_ports, XenEvtchnStream),
        VMSTATE_END_OF_LIST()
    },
};

static bool fifo_needed(void *opaque)
{
    XenEvtchnStream *s = opaque;

    return evtchn_domain_abi(s->domain) == EVTCHN_ABI_FIFO;
}

static bool three_level_needed(void *opaque)
{
    XenEvtchnStream *s = opaque;

    return evtchn_domain_abi(s->domain) == EVTCHN_ABI_3L;
}

/* A guest has one of the two, once. */
static int extended_pre_load(void *opaque)
{
    XenEvtchnStream *s = opaque;

    return s->extended_abi == EVTCHN_ABI_HOST ? 0 : -EINVAL;
}

static int fifo_post_load(void *opaque, int version_id)
{
    ((XenEvtchnStream *)opaque)->extended_abi = EVTCHN_ABI_FIFO;
    return 0;
}

static int three_level_post_load(void *opaque, int version_id)
{
    ((XenEvtchnStream *)opaque)->extended_abi = EVTCHN_ABI_3L;
    return 0;
}

static const VMStateField extended_fields[] = {
    VMSTATE_UINT32(nr_frames, XenEvtchnStream),
    VMSTATE_VALIDATE("number of the guest's frames", nr_frames_valid),
    VMSTATE_VARRAY_UINT32_ALLOC(frames, XenEvtchnStream, nr_frames, 1,
                                vmstate_info_uint64, uint64_t),
    VMSTATE_INT32(nr_vcpus, XenEvtchnStream),
    VMSTATE_VALIDATE("number of vCPUs", nr_vcpus_valid),
    VMSTATE_STRUCT_VARRAY_ALLOC(vcpus, XenEvtchnStream, nr_vcpus, 1,
                                vmstate_extended_vcpu,
                                struct evtchn_vcpu_state),
    VMSTATE_INT32(nr_extended_ports, XenEvtchnStream),
    VMSTATE_VALIDATE("number of ports", nr_extended_ports_valid),
    VMSTATE_STRUCT_VARRAY_ALLOC(extended_ports, XenEvtchnStream,
                                nr_extended_ports, 1, vmstate_extended_port,
                                struct evtchn_port_state),
    VMSTATE_END_OF_LIST()
};

static const VMStateDescription vmstate_fifo = {
    .name = "xen_evtchn/fifo",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fifo_needed,
    .pre_load = extended_pre_load,
    .post_load = fifo_post_load,
    .fields = extended_fields,
};

static const VMStateDescription vmstate_3l = {
    .name = "xen_evtchn/3l",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = three_level_needed,
    .pre_load = extended_pre_load,
    .post_load = three_level_post_load,
    .fields = extended_fields,
};

const VMStateDescription vmstate_xen_evtchn_stream = {
    .name = "xen_evtchn",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = stream_pre_save,
    .post_save = stream_post_save,
    .pre_load = stream_pre_load,
    .post_load = stream_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(callback_param, XenEvtchnStream),
        VMSTATE_INT32(nr_ports, XenEvtchnStream),
        VMSTATE_VALIDATE("number of 2-level ports", nr_ports_valid),
        VMSTATE_STRUCT_VARRAY_ALLOC(ports, XenEvtchnStream, nr_ports, 1,
                                    vmstate_port, XenEvtchnStreamPort),
        VMSTATE_UINT16_ARRAY(gsi_pirq, XenEvtchnStream, IOAPIC_NUM_PINS),
        VMSTATE_VARRAY_UINT16_ALLOC(pirq_inuse, XenEvtchnStream,
                                    nr_pirq_inuse_words, 0,
                                    vmstate_info_uint64, uint64_t),
        VMSTATE_UINT32(pirq_gsi_set, XenEvtchnStream),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_offer,
        &vmstate_retry,
        &vmstate_fifo,
        &vmstate_3l,
        NULL
    },
};
