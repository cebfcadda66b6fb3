/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels for tests: operations, bits, upcalls, received events. */

#include "internal.h"
#include "xenstore.h"

/* A small image has fewer. */
#ifndef MAX_COUNTED
#define MAX_COUNTED 262144
#endif

enum evtchn_abi guest_abi;
void (*volatile event_hook)(evtchn_port_t port);
volatile unsigned int event_log_length;
struct event_log_entry event_log[EVENT_LOG_SIZE];

static unsigned int counts[MAX_COUNTED], all_counts;
static signed char last_vcpu[MAX_COUNTED];
static unsigned int upcalls[MAX_VCPUS], scans[MAX_VCPUS];
unsigned int upcall_counts[UPCALL_METHODS];

/* The vCPU that a port is bound to, 0 unless the runtime has noted another. */
#define MOVED 0xff
static unsigned char bound_to[MAX_COUNTED];

static const struct evtchn_abi_ops *const abis[] = {
    [ABI_2L] = &evtchn_2l_ops,
    [ABI_3L] = &evtchn_3l_ops,
    [ABI_FIFO] = &evtchn_fifo_ops,
};
static const struct evtchn_abi_ops *ops = &evtchn_2l_ops;

/* Hypercalls ---------------------------------------------------------------- */

static void note_binding(int error, evtchn_port_t port, unsigned int vcpu)
{
    if (!error && port < MAX_COUNTED) {
        bound_to[port] = vcpu;
    }
}

int evtchn_alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound alloc = { .dom = dom, .remote_dom = remote };
    int error = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);

    *port = alloc.port;
    note_binding(error, alloc.port, 0);
    return error;
}

int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port,
                            evtchn_port_t *port)
{
    struct evtchn_bind_interdomain bind = {
        .remote_dom = remote,
        .remote_port = remote_port,
    };
    int error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);

    *port = bind.local_port;
    note_binding(error, bind.local_port, 0);
    return error;
}

int evtchn_bind_ipi(unsigned int vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_ipi bind = { .vcpu = vcpu };
    int error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &bind);

    *port = bind.port;
    note_binding(error, bind.port, vcpu);
    return error;
}

int evtchn_bind_virq(unsigned int virq, unsigned int vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq bind = { .virq = virq, .vcpu = vcpu };
    int error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind);

    *port = bind.port;
    note_binding(error, bind.port, vcpu);
    return error;
}

int evtchn_close(evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    return HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
}

int evtchn_send(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    return HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

int evtchn_status(domid_t dom, evtchn_port_t port, struct evtchn_status *status)
{
    *status = (struct evtchn_status){ .dom = dom, .port = port };
    return HYPERVISOR_event_channel_op(EVTCHNOP_status, status);
}

int evtchn_bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
    struct evtchn_bind_vcpu bind = { .port = port, .vcpu = vcpu };

    note_binding(0, port, MOVED);
    return HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &bind);
}

int evtchn_unmask(evtchn_port_t port)
{
    struct evtchn_unmask unmask = { .port = port };

    return HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask);
}

int evtchn_reset(domid_t dom)
{
    struct evtchn_reset reset = { .dom = dom };

    return HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset);
}

int evtchn_init_control(uint64_t gfn, uint32_t offset, uint32_t vcpu)
{
    struct evtchn_init_control init = {
        .control_gfn = gfn,
        .offset = offset,
        .vcpu = vcpu,
    };

    return HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init);
}

int evtchn_expand_array(uint64_t gfn)
{
    struct evtchn_expand_array expand = { .array_gfn = gfn };

    return HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &expand);
}

int evtchn_set_priority(evtchn_port_t port, uint32_t priority)
{
    struct evtchn_set_priority set = { .port = port, .priority = priority };

    return HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &set);
}

static void must(int error, evtchn_port_t port)
{
    require(error == 0);
    require(abi_grow(port + 1) == 0);
    port_unmask(port);
}

evtchn_port_t must_bind_ipi(unsigned int vcpu)
{
    evtchn_port_t port;
    int error = evtchn_bind_ipi(vcpu, &port);

    must(error, port);
    return port;
}

evtchn_port_t must_bind_virq(unsigned int virq, unsigned int vcpu)
{
    evtchn_port_t port;
    int error = evtchn_bind_virq(virq, vcpu, &port);

    must(error, port);
    return port;
}

evtchn_port_t must_alloc_unbound(void)
{
    evtchn_port_t port;
    int error = evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF, &port);

    must(error, port);
    return port;
}

void must_bind_loopback(evtchn_port_t port[2])
{
    int error;

    port[0] = must_alloc_unbound();
    error = evtchn_bind_interdomain(DOMID_SELF, port[0], &port[1]);
    require(error == 0);
    require(abi_grow(port[1] + 1) == 0);
    /* Xen raises the new port, as events may have been sent before. */
    port_clear_pending(port[1]);
    port_unmask(port[1]);
}

int sched_poll(const evtchn_port_t *ports, unsigned int nr, uint64_t deadline)
{
    struct sched_poll poll = { .nr_ports = nr, .timeout = deadline };

    set_xen_guest_handle(poll.ports, (evtchn_port_t *)ports);
    return HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
}

void sched_block(void)
{
    HYPERVISOR_sched_op(SCHEDOP_block, NULL);
}

void sched_yield(void)
{
    HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

/* The ABI that the guest has taken ------------------------------------------- */

bool port_is_pending(evtchn_port_t port)
{
    return ops->is_pending(port);
}

bool port_is_masked(evtchn_port_t port)
{
    return ops->is_masked(port);
}

void port_set_pending(evtchn_port_t port)
{
    ops->set_pending(port);
}

void port_clear_pending(evtchn_port_t port)
{
    ops->clear_pending(port);
}

void port_mask(evtchn_port_t port)
{
    ops->mask(port);
}

bool port_clear_mask(evtchn_port_t port)
{
    return ops->clear_mask(port);
}

/*
 * When a guest unmasks by its own write, a pending event still lacks its
 * selector bit and upcall on 2-level and 3-level, and its link on FIFO.  Only
 * Xen can add them, in EVTCHNOP_unmask; on 2-level and 3-level only if that
 * call itself clears the mask bit.
 */
void port_unmask(evtchn_port_t port)
{
    if (port_clear_mask(port)) {
        if (guest_abi != ABI_FIFO) {
            port_mask(port);
        }
        evtchn_unmask(port);
    }
}

unsigned int abi_nr_ports(void)
{
    return ops->nr_ports();
}

unsigned int abi_backed_ports(void)
{
    return ops->backed_ports();
}

int abi_grow(unsigned int nr)
{
    return ops->grow(nr);
}

const char *abi_name(enum evtchn_abi abi)
{
    return abis[abi]->name;
}

/*
 * Wait until no other vCPU scans as in the old ABI: it would misread the first
 * selector, for which 2-level and 3-level use the same word.
 */
static void set_ops(const struct evtchn_abi_ops *new_ops)
{
    unsigned int vcpu;

    __atomic_store_n(&ops, new_ops, __ATOMIC_SEQ_CST);
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        while (vcpu != this_vcpu() &&
               __atomic_load_n(&scans[vcpu], __ATOMIC_SEQ_CST)) {
            cpu_relax();
        }
    }
}

int abi_switch(enum evtchn_abi abi)
{
    const struct evtchn_abi_ops *old = ops;
    int error;

    /* An upcall between the two steps would use the wrong ABI. */
    upcalls_disable();
    set_ops(abis[abi]);
    error = ops->init();
    if (error) {
        ops = old;
    } else {
        guest_abi = abi;
    }
    upcalls_enable();
    return error;
}

void abi_forget(void)
{
    ops->forget();
    ops = &evtchn_2l_ops;
    guest_abi = ABI_2L;
}

/* What came -------------------------------------------------------------------- */

bool evtchn_is_taken_here(evtchn_port_t port)
{
    return bound_to[port] == this_vcpu() || bound_to[port] == MOVED;
}

void evtchn_count(evtchn_port_t port)
{
    void (*hook)(evtchn_port_t port) = event_hook;
    unsigned int at =
        __atomic_fetch_add(&event_log_length, 1, __ATOMIC_RELAXED);

    event_log[at % EVENT_LOG_SIZE].port = port;
    event_log[at % EVENT_LOG_SIZE].vcpu = this_vcpu();
    last_vcpu[port] = this_vcpu();
    __atomic_fetch_add(&all_counts, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&counts[port], 1, __ATOMIC_SEQ_CST);
    if (hook) {
        hook(port);
    }
}

unsigned int received(evtchn_port_t port)
{
    return __atomic_load_n(&counts[port], __ATOMIC_SEQ_CST);
}

void received_clear(evtchn_port_t port)
{
    __atomic_store_n(&counts[port], 0, __ATOMIC_SEQ_CST);
}

unsigned int received_in_all(void)
{
    return __atomic_load_n(&all_counts, __ATOMIC_SEQ_CST);
}

int received_on(evtchn_port_t port)
{
    return received(port) ? last_vcpu[port] : -1;
}

unsigned int upcalls_of(unsigned int vcpu)
{
    return __atomic_load_n(&upcalls[vcpu], __ATOMIC_SEQ_CST);
}

unsigned int upcalls_by(enum upcall_method method)
{
    return __atomic_load_n(&upcall_counts[method], __ATOMIC_SEQ_CST);
}

unsigned int consume_events(void)
{
    unsigned int vcpu = this_vcpu(), taken = 0;

    /* Clear the flag before the scan, so that later events set it again. */
    while (__atomic_exchange_n(&vcpu_info_of(vcpu)->evtchn_upcall_pending, 0,
                               __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&scans[vcpu], 1, __ATOMIC_SEQ_CST);
        taken += __atomic_load_n(&ops, __ATOMIC_SEQ_CST)->scan(vcpu);
        __atomic_fetch_sub(&scans[vcpu], 1, __ATOMIC_SEQ_CST);
    }
    return taken;
}

void evtchn_upcall(void)
{
    __atomic_fetch_add(&upcalls[this_vcpu()], 1, __ATOMIC_SEQ_CST);
    consume_events();
}

/* Between tests ------------------------------------------------------------------ */

static uint32_t runtime_ports[MAX_COUNTED / 32];

/*
 * Xen allocates the lowest free port, so many closed ports in a row are the
 * end.
 */
static void for_open_ports(void (*function)(evtchn_port_t port))
{
    struct evtchn_status status;
    evtchn_port_t port;
    unsigned int closed = 0;

    for (port = 1; port < abi_nr_ports() && closed < 64; port++) {
        if (evtchn_status(DOMID_SELF, port, &status) ||
            status.status == EVTCHNSTAT_closed) {
            closed++;
            continue;
        }
        closed = 0;
        function(port);
    }
}

/* The channels of console and XenStore, which the toolstack has bound. */
static struct {
    evtchn_port_t port, remote_port;
    domid_t remote_dom;
} links[4];
static unsigned int nr_links;

static void keep(evtchn_port_t port)
{
    struct evtchn_status status;

    runtime_ports[port / 32] |= 1u << (port % 32);
    if (!evtchn_status(DOMID_SELF, port, &status) &&
        status.status == EVTCHNSTAT_interdomain &&
        nr_links < sizeof(links) / sizeof(links[0])) {
        links[nr_links].port = port;
        links[nr_links].remote_port = status.u.interdomain.port;
        links[nr_links].remote_dom = status.u.interdomain.dom;
        nr_links++;
    }
}

/*
 * Bind the console's and XenStore's channels again after a reset, which has
 * left their other ends unbound.  In the order of their numbers, from the
 * lowest up, the ports get the same numbers as before.
 */
static void bind_links(void)
{
    unsigned int i;

    for (i = 0; i < nr_links; i++) {
        evtchn_port_t port;

        if (!evtchn_bind_interdomain(links[i].remote_dom, links[i].remote_port,
                                     &port) &&
            port != links[i].port) {
            evtchn_close(port);
        }
    }
}

/* The runtime's own ports stay open, and masked, as the runtime polls them. */
static void close_left_open(evtchn_port_t port)
{
    if (!(runtime_ports[port / 32] >> (port % 32) & 1)) {
        evtchn_close(port);
    }
    if (port < abi_backed_ports()) {
        port_mask(port);
        port_clear_pending(port);
    }
}

static void mask_all_2l(void)
{
    memset(shared_info->evtchn_mask, 0xff, sizeof(shared_info->evtchn_mask));
}

/* A selector bit left from before FIFO would hide later events of its word. */
static void clear_all_2l(void)
{
    unsigned int vcpu;

    memset(shared_info->evtchn_pending, 0, sizeof(shared_info->evtchn_pending));
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        __atomic_store_n(&vcpu_info_of(vcpu)->evtchn_pending_sel, 0,
                         __ATOMIC_SEQ_CST);
    }
}

void evtchn_tests_begin(void)
{
    mask_all_2l();
    for_open_ports(keep);
}

int guest_reset(void)
{
    int error;

    upcalls_disable();
    error = evtchn_reset(DOMID_SELF);
    if (!error) {
        abi_forget();
        mask_all_2l();
        clear_all_2l();
    }
    bind_links();
    upcalls_enable();
    return error;
}

void soft_reset(void)
{
    struct sched_shutdown shutdown = { .reason = SHUTDOWN_soft_reset };

    require(!HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown));
    require(!map_page(XENMAPSPACE_shared_info, 0, gfn_of(shared_info)));
    upcall_set_method(UPCALL_VECTOR);
    xenstore_forget();
}

void evtchn_test_cleanup(void)
{
    unsigned int vcpu;

    event_hook = NULL;
    upcall_set_method(UPCALL_VECTOR);
    upcalls_enable();
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        timer_stop_singleshot(vcpu);
        timer_periodic(vcpu, 0);
    }
    for_open_ports(close_left_open);
    memset(counts, 0, sizeof(counts));
    all_counts = 0;
    event_log_length = 0;
}
