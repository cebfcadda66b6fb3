/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device's state as a stream has it. */

#ifndef HW_XEN_EVTCHN_MIGRATION_H
#define HW_XEN_EVTCHN_MIGRATION_H

#include "migration/vmstate.h"
#include "hw/intc/ioapic.h"
#include "../core/evtchn.h"

/* A 2-level port, in the layout of QEMU 8.0 and later. */
typedef struct XenEvtchnStreamPort {
    uint32_t vcpu;
    uint16_t type;          /* EVTCHNSTAT_* */
    uint16_t val;           /* irq, or peer's port with bit 15 for QEMU's */
} XenEvtchnStreamPort;

#define XEN_EVTCHN_V1_MAX_PORTS 4096
#define XEN_EVTCHN_V1_TO_HOST   0x8000

/* What a guest was offered, besides 2-level. */
#define XEN_EVTCHN_STREAM_FIFO 1
#define XEN_EVTCHN_STREAM_3L   2

/* An event of a 2-level port that is not in the guest's bits yet. */
typedef struct XenEvtchnStreamRetry {
    uint32_t port;
    uint8_t pending;        /* of struct evtchn_port_state */
} XenEvtchnStreamRetry;

typedef struct XenEvtchnStream {
    /* Not in the stream: set by the device, or by a test */
    struct evtchn_domain *domain;
    void *shared_info;      /* @domain's page, whose content is loaded before */
    uint16_t host_domid;
    uint32_t max_ports;
    bool fifo;              /* what is offered here, besides 2-level */
    bool three_level;
    /* Optional: called before and after a load changes @domain's ABI. */
    int (*before_switch)(struct XenEvtchnStream *stream);
    void (*after_switch)(struct XenEvtchnStream *stream);
    uint32_t nr_pirqs;
    uint16_t nr_pirq_inuse_words;   /* as many as nr_pirqs takes */

    /* Version 1 */
    uint64_t callback_param;
    int32_t nr_ports;
    XenEvtchnStreamPort *ports;
    uint16_t gsi_pirq[IOAPIC_NUM_PINS];
    uint64_t *pirq_inuse;
    uint32_t pirq_gsi_set;

    /* Subsection "retry", which version 1 has no room for */
    int32_t nr_retry;
    XenEvtchnStreamRetry *retry;

    /* Subsection "offer": what the guest was promised */
    bool has_offer;
    uint8_t offered_abis;   /* XEN_EVTCHN_STREAM_* */
    uint32_t offered_ports;

    /* Subsection "fifo" or "3l", for a guest that has switched to that */
    enum evtchn_abi extended_abi;   /* EVTCHN_ABI_HOST: neither */
    uint32_t nr_frames;
    uint64_t *frames;
    int32_t nr_vcpus;
    struct evtchn_vcpu_state *vcpus;
    int32_t nr_extended_ports;
    struct evtchn_port_state *extended_ports;
} XenEvtchnStream;

extern const VMStateDescription vmstate_xen_evtchn_stream;

/* Save and load, for the layout.  @opaque is an XenEvtchnStream. */
int xen_evtchn_stream_pre_save(void *opaque);
int xen_evtchn_stream_post_save(void *opaque);
int xen_evtchn_stream_pre_load(void *opaque);
int xen_evtchn_stream_post_load(void *opaque, int version_id);
/* XEN_EVTCHN_STREAM_* that is offered here. */
uint8_t xen_evtchn_stream_offered_abis(const XenEvtchnStream *s);

/* What shows that no save can have written @s, or NULL. */
const char *xen_evtchn_stream_fault(const XenEvtchnStream *s);

#endif /* HW_XEN_EVTCHN_MIGRATION_H */
