/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that does everything wrong: all its vCPUs make random hypercalls with
 * random arguments, and write random values to each page that the guest shares.
 * The host has to stay up; the guest may crash.
 *
 * On the command line: seed=N and operations=N, for each vCPU; unstarted if vCPUs
 * but 0 begin when a PV guest's kernel has them begin.  The guest must not end
 * itself early: no shutdown, no vCPU brought down, no sleep without a deadline.
 */

#include "hostile.h"
#include "internal.h"
#include "evtchn_3l.h"
#include "fifo.h"
#include <xen/io/xs_wire.h>

#define MAX_SHARED 64

static uint64_t state[MAX_VCPUS];
char *scratch;
static char *shared[MAX_SHARED]; /* pages that the host reads or writes */
static unsigned int nr_shared;
static volatile bool done[MAX_VCPUS];
static struct vcpu_time_info
    time_area; /* a copy: the test overwrites the real one */

/* Marsaglia's xorshift64; a state for each vCPU, so a seed repeats a run. */
uint64_t random_bits(void)
{
    uint64_t *s = &state[this_vcpu()];

    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

unsigned int below(unsigned int limit)
{
    return (uint32_t)(random_bits() >> 16) % limit;
}

/*
 * Replace an address or a frame number of the guest's image by one of a scratch
 * page: the guest has to survive to the end of the test.
 */
static uint64_t spare_us(uint64_t value)
{
    extern char image_start[], image_end[];
    uint64_t last = value + 2 * PAGE_SIZE;
    uint64_t in_scratch = value % (NR_SCRATCH * PAGE_SIZE);

    if (last >= (uintptr_t)image_start && value < (uintptr_t)image_end) {
        return (uintptr_t)scratch + in_scratch;
    }
    if (value >= gfn_of(image_start) && value <= gfn_of(image_end)) {
        return gfn_of(scratch) + in_scratch / PAGE_SIZE;
    }
    return value;
}

uint64_t random_value(void)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        7,
        15,
        16,
        63,
        64,
        127,
        128,
        255,
        256,
        1023,
        1024,
        4095,
        4096,
        32767,
        32768,
        65535,
        131071,
        131072,
        262143,
        262144,
        0x7fffffff,
        0x80000000,
        0xfffffff0,
        0xffffffff,
        DOMID_SELF,
        0xffffffff00000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffffffffffff,
    };

    switch (below(6)) {
    case 0:
    case 1:
        return below(64);
    case 2:
        return edges[below(sizeof(edges) / sizeof(edges[0]))];
    case 3:
        return gfn_of(scratch) + below(NR_SCRATCH);
    case 4:
        return (uintptr_t)scratch + below(NR_SCRATCH * PAGE_SIZE);
    default:
        return spare_us(random_bits() >> below(64));
    }
}

void fill(void *buffer, size_t size)
{
    char *at = buffer;
    unsigned int width;

    for (; size; at += width, size -= width) {
        uint64_t value = random_value();

        width = 1 << below(4);
        while (width > size) {
            width /= 2;
        }
        memcpy(at, &value, width);
    }
}

/* The buffer has room for the longest answer, or is over two pages. */
void *random_argument(void)
{
    static char buffers[MAX_VCPUS][2 * PAGE_SIZE];
    char *buffer = buffers[this_vcpu()];

    fill(buffer, 128);
    switch (below(16)) {
    case 0:
        return NULL;
    case 1:
        return (void *)(uintptr_t)random_value();
    case 2:
        return scratch + PAGE_SIZE - below(64);
    default:
        return buffer;
    }
}

static void event_channel_op(void)
{
    unsigned int operation = below(16);

    switch (below(16)) {
    case 0:
        operation = random_value();
        break;
    case 1:
    case 2:
        operation = EVTCHNOP_query_extended_abis + below(3);
        break;
    }
    HYPERVISOR_event_channel_op(operation, random_argument());
}

/* Register memory for the ABI in use or another, also twice or too late. */
static void hand_over(void)
{
    char *page = scratch + below(NR_SCRATCH) * PAGE_SIZE;
    unsigned int vcpu = below(nr_vcpus + 1);
    unsigned int offset = below(PAGE_SIZE) & -8;

    switch (below(5)) {
    case 0:
        evtchn_register_bitmaps(page, scratch, EVTCHN_3L_NR_PAGES(WORD_BITS));
        break;
    case 1:
        evtchn_register_l2_selector(vcpu, gfn_of(page), offset);
        break;
    case 2:
        evtchn_init_control(gfn_of(page), offset, vcpu);
        break;
    case 3:
        evtchn_expand_array(gfn_of(page));
        break;
    default:
        /* Rare, as it closes all ports, also the store's. */
        if (below(128) == 0) {
            evtchn_reset(DOMID_SELF);
        }
    }
}

static void good_event_channel_op(void)
{
    evtchn_port_t port = below(80);

    switch (below(8)) {
    case 0:
        evtchn_bind_ipi(below(nr_vcpus), &port);
        break;
    case 1:
        evtchn_bind_virq(below(24), below(nr_vcpus), &port);
        break;
    case 2:
        evtchn_alloc_unbound(DOMID_SELF, below(2) ? DOMID_SELF : 0, &port);
        break;
    case 3:
        evtchn_bind_interdomain(DOMID_SELF, port, &port);
        break;
    case 4:
        evtchn_bind_vcpu(port, below(nr_vcpus));
        break;
    case 5:
        evtchn_set_priority(port, below(16));
        break;
    case 6:
        evtchn_close(port);
        break;
    default:
        evtchn_unmask(port);
    }
    evtchn_send(port);
}

static void sched_op(void)
{
    evtchn_port_t ports[4];
    struct sched_poll poll = {
        .nr_ports = below(200),
        .timeout = time_by(&time_area) + below(1000000),
    };

    switch (below(3)) {
    case 0:
        sched_yield();
        break;
    case 1:
        fill(ports, sizeof(ports));
        set_xen_guest_handle(poll.ports, ports);
        HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
        break;
    default:
        /* Numbers above Xen's operations. */
        HYPERVISOR_sched_op(8 + below(100), (void *)(uintptr_t)random_value());
    }
}

static void vcpu_op(void)
{
    static const unsigned char commands[] = {
        VCPUOP_is_up,
        VCPUOP_get_runstate_info,
        VCPUOP_register_runstate_memory_area,
        VCPUOP_set_periodic_timer,
        VCPUOP_stop_periodic_timer,
        VCPUOP_set_singleshot_timer,
        VCPUOP_stop_singleshot_timer,
        VCPUOP_register_vcpu_info,
        VCPUOP_send_nmi + 100,
        VCPUOP_get_physid,
        VCPUOP_register_vcpu_time_memory_area,
    };

    HYPERVISOR_vcpu_op(commands[below(sizeof(commands))],
                       below(4) ? below(nr_vcpus) : random_value(),
                       random_argument());
}

/* Give scratch pages back, which Xen may use, or get new ones there. */
static void change_reservation(void)
{
    xen_pfn_t list[8];
    unsigned int i;
    struct xen_memory_reservation op = {
        .nr_extents = below(9),
        .mem_flags = below(4) ? 0 : random_value(),
        .domid = DOMID_SELF,
    };

    for (i = 0; i < 8; i++) {
        list[i] = gfn_of(scratch) + below(NR_SCRATCH);
    }
    set_xen_guest_handle(op.extent_start, list);
    HYPERVISOR_memory_op(
        below(2) ? XENMEM_decrease_reservation : XENMEM_populate_physmap, &op);
}

/* Map frames over scratch pages, or anywhere but over the guest's image. */
static void memory_op(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = below(4),
        .idx = below(2) ? below(80) : random_value(),
        .gpfn = gfn_of(scratch) + below(NR_SCRATCH),
    };

    if (below(8) == 0) {
        map.gpfn = 0x100000 + random_value();
    }
    if (!host_is_xen() && below(2)) {
        change_reservation();
    } else if (below(2)) {
        HYPERVISOR_memory_op(XENMEM_add_to_physmap, &map);
    } else {
        /* The other operations, but for those that give memory away. */
        HYPERVISOR_memory_op(XENMEM_machphys_mapping + below(20),
                             random_argument());
    }
}

static void hvm_op(void)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = below(64),
        .value = random_value(),
    };

    /* Xen crashes a guest whose TSS has the wrong size. */
    if (param.index == HVM_PARAM_VM86_TSS ||
        param.index == HVM_PARAM_VM86_TSS_SIZED) {
        param.index = 0;
    }
    if (below(2)) {
        HYPERVISOR_hvm_op(below(2) ? HVMOP_set_param : HVMOP_get_param, &param);
    } else {
        HYPERVISOR_hvm_op(1 + below(31), random_argument());
    }
}

static void grant_table_op(void)
{
    HYPERVISOR_grant_table_op(below(14), random_argument(), below(4));
}

static void physdev_op(void)
{
    HYPERVISOR_physdev_op(below(40), random_argument());
}

unsigned int random_hypercall(void)
{
    static const unsigned char numbers[] = {
#ifndef GUEST_PV
        __HYPERVISOR_set_trap_table,
#endif
        __HYPERVISOR_mmu_update,
        __HYPERVISOR_update_va_mapping,
        __HYPERVISOR_set_timer_op,
        __HYPERVISOR_event_channel_op_compat,
        __HYPERVISOR_xen_version,
        __HYPERVISOR_console_io,
        __HYPERVISOR_vm_assist,
        __HYPERVISOR_mmuext_op,
        __HYPERVISOR_nmi_op,
        __HYPERVISOR_callback_op,
        __HYPERVISOR_xenoprof_op,
        __HYPERVISOR_sysctl,
        __HYPERVISOR_domctl,
        __HYPERVISOR_kexec_op,
        __HYPERVISOR_tmem_op,
        __HYPERVISOR_xenpmu_op,
        100,
        127,
    };

    return numbers[below(sizeof(numbers))];
}

static void other_hypercall(void)
{
    unsigned long number = random_hypercall();

    /* No CONSOLEIO_write (0), whose output would fill the host's disk. */
    hypercall(number,
              number == __HYPERVISOR_console_io ? 1 + below(8) : random_value(),
              (unsigned long)random_argument(), random_value(), random_value(),
              random_value());
}

/* XenStore -------------------------------------------------------------------- */

static struct xenstore_domain_interface *store;
static evtchn_port_t store_port;
static bool store_is_framed;

/* Words of paths and values that the host's back ends and XenStore use. */
static unsigned int random_word(char *to)
{
    static const char *const words[] = {
        "/",
        "device",
        "vbd",
        "51712",
        "state",
        "ring-ref",
        "event-channel",
        "protocol",
        "backend",
        "local",
        "domain",
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "8",
        "63",
        "512",
        "4096",
        "x86_64-abi",
        "control",
        "shutdown",
        "console",
        "@releaseDomain",
        "nNN",
        "b0",
        "..",
        "",
        "a",
        "device/vbd/51712/state",
        "device/vbd/51712/ring-ref",
        "device/vbd/51712/event-channel",
        "/local/domain/1/device/vbd",
    };
    const char *word = words[below(sizeof(words) / sizeof(words[0]))];

    memcpy(to, word, strlen(word));
    return strlen(word);
}

static unsigned int random_payload(char *to)
{
    unsigned int nr = below(8), at = 0;

    while (nr--) {
        at += random_word(to + at);
        if (below(2)) {
            to[at++] = below(3) ? '\0' : '/';
        } else if (below(16) == 0) {
            to[at++] = random_bits();
        }
    }
    return at;
}

static void put(const void *data, unsigned int length)
{
    const char *bytes = data;

    while (length--) {
        store->req[MASK_XENSTORE_IDX(store->req_prod)] = *bytes++;
        __atomic_store_n(&store->req_prod, store->req_prod + 1,
                         __ATOMIC_SEQ_CST);
    }
}

/* A well-formed request, but for its length and its end, which may be wrong. */
static void store_request(void)
{
    static int lock;
    char payload[8 * 64];
    unsigned int length = random_payload(payload);
    struct xsd_sockmsg header = {
        .type = below(XS_TYPE_COUNT + 2),
        .req_id = below(4),
        .tx_id = below(2) ? 0 : below(12),
        /* Rarely a wrong length: the store then closes the connection. */
        .len = below(8192) ? length : random_value(),
    };

    if (!store_is_framed || __atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (store->req_prod - store->req_cons <=
        XENSTORE_RING_SIZE - sizeof(header) - length) {
        put(&header, sizeof(header));
        if (below(2)) {
            evtchn_send(store_port);
        }
        put(payload, length);
    }
    store->rsp_cons = store->rsp_prod;
    evtchn_send(store_port);
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void scribble(void)
{
    char *page = shared[below(nr_shared)];
    unsigned int nr = 1 + below(16);

    while (nr--) {
        uint64_t value = random_value();
        unsigned int width = 1 << below(4);

        memcpy(page + (below(PAGE_SIZE) & -width), &value, width);
    }
}

static uint64_t left[MAX_VCPUS];

static void misbehave_on(void)
{
#ifdef GUEST_PV
    unsigned int vcpu;
#endif
    static void (*const ways[])(void) = {
        event_channel_op,
        good_event_channel_op,
        good_event_channel_op,
        hand_over,
        sched_op,
        vcpu_op,
        memory_op,
        hvm_op,
        grant_table_op,
        physdev_op,
        other_hypercall,
        store_request,
        store_request,
        scribble,
        scribble,
#ifdef GUEST_PV
        hostile_pv,
        hostile_pv,
        hostile_pv,
        hostile_pv,
        hostile_pv,
        hostile_pv,
        hostile_pv,
        hostile_pv,
#endif
    };

    while (left[this_vcpu()] && left[this_vcpu()]--) {
        ways[below(sizeof(ways) / sizeof(ways[0]))]();
    }
    done[this_vcpu()] = true;
    while (this_vcpu()) {
#ifdef GUEST_PV
        sched_yield();
#else
        asm volatile("hlt");
#endif
    }
#ifdef GUEST_PV
    /* The stack of the test may be gone. */
    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        while (!done[vcpu]) {
            cpu_relax();
        }
    }
    shutdown(SHUTDOWN_poweroff);
#endif
}

static void misbehave(void *opaque)
{
    left[this_vcpu()] = command_line_number("operations", 20000);
    /* Upcalls off: the test may have set any vector for them. */
    upcalls_disable();
#ifdef GUEST_PV
    hostile_pv_begin(misbehave_on);
#endif
    misbehave_on();
}

static void share(void *page)
{
    shared[nr_shared++] = page;
}

static void share_all(uint64_t seed)
{
    evtchn_port_t port;
    unsigned int i;

    for (i = 0; i < NR_SCRATCH; i++) {
        share(scratch + i * PAGE_SIZE);
    }
    share(shared_info);
    share(arch_console(&port));
    /* Mostly keep the ring valid: the store stops reading a broken one. */
    store = arch_xenstore(&store_port);
    store_is_framed = seed % 4;
    if (!store_is_framed) {
        share(store);
    }
    share(arch_grant_table());
    switch (guest_abi) {
    case ABI_2L:
        break;
    case ABI_3L:
        for (i = 0; i < bitmap_pages(); i++) {
            share(bitmap_page(i));
        }
        for (i = 0; i < nr_vcpus; i++) {
            if ((uintptr_t)l2_selector_of(i) % PAGE_SIZE == 0) {
                share(l2_selector_of(i));
            }
        }
        break;
    case ABI_FIFO:
        for (i = 0; i < nr_vcpus; i++) {
            share(fifo_control_block(i));
        }
        for (i = 0; i < abi_backed_ports(); i += FIFO_WORDS_PER_PAGE) {
            share(fifo_event_word(i));
        }
        break;
    }
}

/* A PV guest's kernel does not survive it: for these scripts/hostile-guest has it. */
TEST(hostile,
     "tcg lab kvm hvm pvh 2l 3l fifo alone silent vcpus=2 disks=1 seconds=60")
{
    uint64_t seed = command_line_number("seed", 1);
    unsigned int vcpu;

    if (abi_asked_for() != ABI_2L) {
        require(abi_switch(abi_asked_for()) == 0);
        require(abi_grow(4096) == 0);
    }
    scratch = page_alloc(NR_SCRATCH);
    share_all(seed);
    test_note("seed %llu", (unsigned long long)seed);
    console_flush();
    console_lost();
    time_area = vcpu_info_of(0)->time;
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        state[vcpu] = (seed + vcpu) * 0x9e3779b97f4a7c15 + 1;
        if (vcpu && has_word(command_line, "unstarted")) {
            /* hostile_pv() may begin it. */
            left[vcpu] = command_line_number("operations", 20000);
            done[vcpu] = true;
        } else if (vcpu) {
            vcpu_start(vcpu, misbehave, NULL);
        }
    }
    misbehave(NULL);
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        while (!done[vcpu]) {
            cpu_relax();
        }
    }
}
