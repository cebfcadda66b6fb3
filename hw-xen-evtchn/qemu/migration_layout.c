/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of a stream with the device's state.
 *
 * Version 1 is QEMU's since 8.0.  What is new comes in subsections, each only where
 * it is needed: migration.c says when.
 */

#include "qemu/osdep.h"
#include "migration/vmstate.h"

#include "migration.h"

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

    return n >= 0 && n <= XEN_EVTCHN_V1_MAX_PORTS;
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

    return n > 0 && n < XEN_EVTCHN_V1_MAX_PORTS;
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

    return xen_evtchn_stream_offered_abis(s) ||
           s->max_ports != XEN_EVTCHN_V1_MAX_PORTS;
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
    .pre_save = xen_evtchn_stream_pre_save,
    .post_save = xen_evtchn_stream_post_save,
    .pre_load = xen_evtchn_stream_pre_load,
    .post_load = xen_evtchn_stream_post_load,
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
