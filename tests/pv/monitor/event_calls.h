/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels as a guest uses them, for several tests. */

#ifndef TESTS_PV_EVENT_CALLS_H
#define TESTS_PV_EVENT_CALLS_H

#include "machine.h"

#define NR_2L_PORTS 4096
#define MSR_TIMER_COUNT 0x838       /* of the LAPIC, which counts nanoseconds */

/* An argument of each hypercall here: @arg goes there, and comes back. */
static inline long call_with(unsigned int number, uint64_t cmd, uint64_t middle,
                             void *arg, size_t size)
{
    static uint64_t va;
    long result;
    size_t i;

    if (!va) {
        va = machine_put((const uint8_t[512]){ 0 }, 512);
    }
    g_assert_cmpuint(size, <=, 512);
    for (i = 0; i < size; i++) {
        *(uint8_t *)machine_at(va + i) = ((uint8_t *)arg)[i];
    }
    result = number == __HYPERVISOR_vcpu_op ?
             machine_call(number, cmd, middle, va, 0) :
             machine_call(number, cmd, va, 0, 0);
    for (i = 0; i < size; i++) {
        ((uint8_t *)arg)[i] = *(uint8_t *)machine_at(va + i);
    }
    return result;
}

static inline long event_call(uint64_t cmd, void *arg, size_t size)
{
    return call_with(__HYPERVISOR_event_channel_op, cmd, 0, arg, size);
}

#define EVENT_CALL(cmd, arg) event_call(cmd, arg, sizeof(*(arg)))

static inline long vcpu_call(unsigned int cmd, unsigned int vcpu, void *arg,
                             size_t size)
{
    return call_with(__HYPERVISOR_vcpu_op, cmd, vcpu, arg, size);
}

#define VCPU_CALL(cmd, vcpu, arg) vcpu_call(cmd, vcpu, arg, sizeof(*(arg)))

static inline long try_bind_ipi(unsigned int vcpu, uint32_t *port)
{
    struct evtchn_bind_ipi op = { .vcpu = vcpu };
    long result = EVENT_CALL(EVTCHNOP_bind_ipi, &op);

    *port = op.port;
    return result;
}

static inline uint32_t bind_ipi(unsigned int vcpu)
{
    uint32_t port;

    g_assert_cmpint(try_bind_ipi(vcpu, &port), ==, 0);
    return port;
}

static inline uint32_t bind_virq_timer(unsigned int vcpu)
{
    struct evtchn_bind_virq op = { .virq = VIRQ_TIMER, .vcpu = vcpu };

    g_assert_cmpint(EVENT_CALL(EVTCHNOP_bind_virq, &op), ==, 0);
    return op.port;
}

/* A channel to a back end in domain @dom, which is L0's. */
static inline long try_alloc(unsigned int dom, uint32_t *port)
{
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = dom };
    long result = EVENT_CALL(EVTCHNOP_alloc_unbound, &op);

    *port = op.port;
    return result;
}

static inline uint32_t alloc_unbound(unsigned int dom)
{
    uint32_t port;

    g_assert_cmpint(try_alloc(dom, &port), ==, 0);
    return port;
}

static inline long try_interdomain(unsigned int dom, uint32_t remote,
                                   uint32_t *port)
{
    struct evtchn_bind_interdomain op = {
        .remote_dom = dom, .remote_port = remote,
    };
    long result = EVENT_CALL(EVTCHNOP_bind_interdomain, &op);

    *port = op.local_port;
    return result;
}

static inline long send_to(uint32_t port)
{
    struct evtchn_send op = { .port = port };

    return EVENT_CALL(EVTCHNOP_send, &op);
}

static inline long close_port(uint32_t port)
{
    struct evtchn_close op = { .port = port };

    return EVENT_CALL(EVTCHNOP_close, &op);
}

static inline long move_to(uint32_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = { .port = port, .vcpu = vcpu };

    return EVENT_CALL(EVTCHNOP_bind_vcpu, &op);
}

static inline struct evtchn_status status_of(uint32_t port)
{
    struct evtchn_status op = { .dom = DOMID_SELF, .port = port };

    g_assert_cmpint(EVENT_CALL(EVTCHNOP_status, &op), ==, 0);
    return op;
}

/* In 2-level. */
static inline shared_info_t *shared_info(void)
{
    return frame(boot->shared_info_mfn);
}

static inline bool is_pending(uint32_t port)
{
    return shared_info()->evtchn_pending[port / 64] >> port % 64 & 1;
}

static inline void set_masked(uint32_t port, bool masked)
{
    uint64_t *word = &shared_info()->evtchn_mask[port / 64];

    *word = (*word & ~(1ul << port % 64)) | (uint64_t)masked << port % 64;
}

/* As the guest's upcall handler: false if the event has not come. */
static inline bool take_event(uint32_t port)
{
    vcpu_info_t *info = this_vcpu()->info;
    bool was_pending = is_pending(port);

    info->evtchn_upcall_pending = 0;
    info->evtchn_pending_sel = 0;
    shared_info()->evtchn_pending[port / 64] &= ~(1ul << port % 64);
    return was_pending;
}

/* The vCPU's processor is the monitor's, too; the calling thread's is as it was. */
static inline void start_other_vcpu(unsigned int id)
{
    struct vcpu *v = vcpu_by_id(id), *self = this_vcpu();

    machine_switch(id);
    init_processor(v);
    v->kernel_mode = true;
    v->kernel_top = boot->top_mfn;
    v->initialised = v->started = true;
    v->state = VCPU_UP;
    if (own_events()) {
        init_timers(v);
    }
    refresh_runstate(v);
    machine_switch(self->id);
}

static inline bool has_interrupt(unsigned int id, unsigned int vector)
{
    return __atomic_load_n(&machine_processors[id].vectors[vector / 64],
                           __ATOMIC_SEQ_CST) >> vector % 64 & 1;
}

#endif /* TESTS_PV_EVENT_CALLS_H */
