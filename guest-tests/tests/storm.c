/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events from all sides at once, each accounted for.
 *
 * A source raises its next event only when the guest has taken the last one, so
 * that no two merge: the numbers of events sent and received never differ by
 * more than one, and are equal at the end.  The sources are IPIs among the
 * vCPUs, timers, and the disks' back ends, which run in threads of their own.
 * A lost event stops its source for ever; an event too many shows as a
 * difference.
 *
 * System time must not go back, wherever the guest goes on.
 *
 * events=N on the command line is the number of events of all sources.  With closed=1
 * there are two more disks, the first and the last one, whose ports the guest has closed
 * while XenStore still says "Connected", as when a driver is about to end.  The first
 * one's port is the next disk's now.  With state=1 the guest first has
 * QEMU keep what it otherwise has nothing of: then all of it is in a stream, for
 * scripts/fuzz-stream.  scripts/migrate-storm migrates the guest meanwhile.
 */

#include "guest.h"
#include "disk.h"

#define IPIS_A_VCPU 16
#define MAX_SOURCES (MAX_VCPUS * (IPIS_A_VCPU + 1) + 8)

/* In ns.  Without a delay the timer would leave no time for other events. */
#define TIMER_DELAY 20000

/* At most, in ns, as the host's processors may not count alike. */
#define CLOCKS_APART 1000000

struct source {
    evtchn_port_t port;
    struct disk *disk; /* raised by its back end; else by a vCPU or a timer */
    bool is_timer;
    unsigned int vcpu; /* the one that takes the event */
    unsigned int sent;
    uint64_t deadline; /* of a timer */
};

static struct source sources[MAX_SOURCES];
static unsigned int nr_sources, nr_disks;
static struct source *source_of[4096];
static volatile bool stop;
static volatile unsigned int too_many;

static struct source *add_source(evtchn_port_t port, unsigned int vcpu)
{
    struct source *source = &sources[nr_sources++];

    require(nr_sources <= MAX_SOURCES && port < 4096);
    *source = (struct source){ .port = port, .vcpu = vcpu };
    source_of[port] = source;
    return source;
}

/* Count an event before it is raised, as the guest may take it at once. */
static void count_sent(struct source *source)
{
    __atomic_fetch_add(&source->sent, 1, __ATOMIC_SEQ_CST);
}

static unsigned int sent(struct source *source)
{
    return __atomic_load_n(&source->sent, __ATOMIC_SEQ_CST);
}

/*
 * If the last event was late by more than the delay, wait as long as it was
 * late.
 */
static void arm(struct source *source)
{
    uint64_t now = system_time(), late = 0;

    if (source->deadline && now > source->deadline) {
        late = now - source->deadline;
    }
    count_sent(source);
    source->deadline = now + TIMER_DELAY + late;
    timer_singleshot(source->vcpu, source->deadline, 0);
}

static void flush(struct source *source)
{
    count_sent(source);
    disk_flush(source->disk);
}

/* Timers and disks are raised again here; an IPI's sender does that itself. */
static void take(evtchn_port_t port)
{
    struct source *source = source_of[port];

    /* The sender may have seen this event counted, and have sent the next. */
    if (!source || received(port) > sent(source)) {
        __atomic_fetch_add(&too_many, 1, __ATOMIC_SEQ_CST);
        return;
    }
    if (source->disk && disk_take_responses(source->disk) != 1) {
        __atomic_fetch_add(&too_many, 1, __ATOMIC_SEQ_CST);
    }
    if (stop) {
        return;
    }
    if (source->disk) {
        flush(source);
    } else if (source->is_timer) {
        arm(source);
    }
}

/* On the timer's vCPU: Xen lets a vCPU set only its own timer. */
static void start_timer(void)
{
    unsigned int i;

    for (i = 0; i < nr_sources; i++) {
        if (sources[i].is_timer && sources[i].vcpu == this_vcpu()) {
            arm(&sources[i]);
        }
    }
}

/* This vCPU's IPIs: to the next vCPU, the one after that, ..., itself. */
static void send_ipis(void *opaque)
{
    struct source *first = opaque;
    unsigned int i;

    start_timer();
    while (!stop) {
        for (i = 0; i < IPIS_A_VCPU; i++) {
            struct source *source = &first[i];

            if (received(source->port) == sent(source)) {
                count_sent(source);
                evtchn_send(source->port);
            }
        }
    }
}

static bool all_taken(void)
{
    unsigned int i;

    for (i = 0; i < nr_sources; i++) {
        if (received(sources[i].port) != sent(&sources[i])) {
            return false;
        }
    }
    return true;
}

/*
 * On a busy host a vCPU may begin late, when the others have had all the events
 * that were asked for.
 */
static bool enough(unsigned int wanted)
{
    unsigned int i;

    for (i = 0; i < nr_sources; i++) {
        if (!received(sources[i].port)) {
            return false;
        }
    }
    return received_in_all() >= wanted;
}

/* Returns the port that was its disk's, or 0 if there is none. */
static evtchn_port_t connect_and_close(unsigned int i)
{
    struct disk *disk = disk_connect(i);

    if (!disk) {
        return 0;
    }
    require(evtchn_close(disk_port(disk)) == 0);
    return disk_port(disk);
}

static void connect_disks(void)
{
    bool some_are_closed = command_line_number("closed", 0);
    evtchn_port_t closed = some_are_closed ? connect_and_close(0) : 0;
    struct disk *disk;

    while (nr_disks < 3 && (disk = disk_connect(some_are_closed + nr_disks))) {
        struct source *source;

        if (some_are_closed && nr_disks == 0) {
            require(disk_port(disk) == closed);
        }
        source = add_source(disk_port(disk), nr_disks++ % nr_vcpus);
        source->disk = disk;
        require(evtchn_bind_vcpu(source->port, source->vcpu) == 0);
        disk_take_responses(source->disk);
        port_clear_pending(source->port);
        port_unmask(source->port);
    }
    if (some_are_closed) {
        require(connect_and_close(1 + nr_disks));
    }
}

static void set_up(struct source *ipis[])
{
    unsigned int vcpu, i;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        ipis[vcpu] = &sources[nr_sources];
        for (i = 0; i < IPIS_A_VCPU; i++) {
            unsigned int to = (vcpu + 1 + i) % nr_vcpus;

            add_source(must_bind_ipi(to), to);
        }
    }
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        add_source(must_bind_virq(VIRQ_TIMER, vcpu), vcpu)->is_timer = true;
    }
    connect_disks();
}

static void have_all_state_kept(void)
{
    struct sched_watchdog watchdog = { .timeout = 3600 };
    xen_pfn_t gfn = gfn_of(page_alloc(1));
    struct xen_memory_reservation given_back = {
        .nr_extents = 1,
        .domid = DOMID_SELF,
    };

#ifndef GUEST_PV
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = HVM_PARAM_VM_GENERATION_ID_ADDR,
        .value = 0x123456789abcull,
    };

    check_equal(HYPERVISOR_hvm_op(HVMOP_set_param, &param), 0);
#endif
    check(HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog) > 0);
    check_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                          VMASST_TYPE_runstate_update_flag, 0, 0, 0),
                0);
    set_xen_guest_handle(given_back.extent_start, &gfn);
    check_equal(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &given_back),
                1);
}

TEST(storm, "tcg lab kvm disks=3 seconds=100")
{
    unsigned int wanted = command_line_number("events", 20000);
    unsigned int vcpu, i, by_ipis = 0, by_timers = 0, by_disks = 0;
    struct source *ipis[MAX_VCPUS];
    uint64_t start, last_news, now;
    bool went_back = false;

    if (command_line_number("state", 0)) {
        have_all_state_kept();
    }
    set_up(ipis);
    check_equal(nr_disks, 3);
    event_hook = take;
    start = last_news = now = system_time();
    for (i = 0; i < nr_sources; i++) {
        if (sources[i].disk) {
            flush(&sources[i]);
        }
    }
    start_timer();
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        vcpu_start(vcpu, send_ipis, ipis[vcpu]);
    }
    test_note("storm: begins");
    while (!enough(wanted)) {
        unsigned int before = received_in_all();
        uint64_t last = now;

        for (i = 0; i < IPIS_A_VCPU; i++) {
            struct source *source = &ipis[0][i];

            if (received(source->port) == sent(source)) {
                count_sent(source);
                evtchn_send(source->port);
            }
        }
        now = system_time();
        if (now + CLOCKS_APART < last) {
            went_back = true;
            break;
        }
        if (received_in_all() != before) {
            last_news = now;
        } else if (now > last_news + 20000000000ull) {
            break;
        }
    }
    check(!went_back);
    stop = true;
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        check(vcpu_join(vcpu, 10000));
    }
    check(wait_for(all_taken(), 10000));
    start = system_time() - start;
    /* Wait for events that were not sent. */
    spin_for(20);

    for (i = 0; i < nr_sources; i++) {
        struct source *source = &sources[i];
        unsigned int nr = received(source->port);

        if (!check_equal(nr, sent(source))) {
            test_note("port %u of vCPU %u, %s", source->port, source->vcpu,
                      source->disk     ? "a disk's" :
                      source->is_timer ? "the timer's" :
                                         "an IPI");
        }
        *(source->disk     ? &by_disks :
          source->is_timer ? &by_timers :
                             &by_ipis) += nr;
        check(nr > 0);
    }
    check_equal(too_many, 0);
    check(received_in_all() >= wanted);
    check_equal(received_in_all(), by_ipis + by_timers + by_disks);
    test_note("storm: %u events (IPIs %u, timers %u, disks %u) in %u ms",
              received_in_all(), by_ipis, by_timers, by_disks,
              (unsigned int)(start >> 20));
}
