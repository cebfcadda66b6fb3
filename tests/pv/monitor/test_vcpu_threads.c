/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu.c and park.c with a thread for each vCPU: they take each other down and up, in the
 * guest, in hypercalls and asleep.  A vCPU that is lost, or stopped with a lock, makes
 * the test hang.  For ThreadSanitizer, too.
 */

#include "machine.h"

#include <xen/memory.h>
#include <xen/sched.h>

enum { NR_VCPUS = 4, HANDLER = 0x100 };

static const struct machine_config config = {
    .nr_vcpus = NR_VCPUS, .own_events = true, .fifo = true,
};

static uint64_t contexts[NR_VCPUS], flush_op;
static unsigned int rounds[NR_VCPUS];       /* that a vCPU was in its guest; atomic */
static bool stopping;                       /* atomic */
static GThread *threads[NR_VCPUS];
static void (*volatile guest)(unsigned int id);

/* The guest ------------------------------------------------------------------------ */

static uint64_t stack_of(unsigned int id)
{
    return MACHINE_KERNEL_VA + (MACHINE_KERNEL_PAGES - 4 * id) * PAGE_SIZE;
}

static struct regs trapped(unsigned int vector)
{
    struct regs regs = machine_trapped(vector, 0);

    regs.rsp = stack_of(machine_vcpu->id);
    return regs;
}

/* A hypercall as a processor makes it: out of the guest, and in again. */
static long call(unsigned int number, uint64_t a, uint64_t b, uint64_t c)
{
    struct regs regs = trapped(VECTOR_SYSCALL);
    uint64_t rip = regs.rip;

    regs.rdi = a;
    regs.rsi = b;
    regs.rdx = c;
    regs.r10 = DOMID_SELF;      /* of mmuext_op */
    do {
        regs.vector = VECTOR_SYSCALL;
        regs.rip = rip;
        regs.rax = number;
        trap(&regs);
    } while (regs.rip == rip - 2);
    return regs.rax;
}

/* What has come interrupts the guest. */
static void interrupted(void)
{
    struct regs regs = trapped(VECTOR_KICK);

    trap(&regs);
    __atomic_fetch_add(&rounds[machine_vcpu->id], 1, __ATOMIC_SEQ_CST);
}

static long up(unsigned int id)
{
    return call(__HYPERVISOR_vcpu_op, VCPUOP_up, id, 0);
}

static long down(unsigned int id)
{
    return call(__HYPERVISOR_vcpu_op, VCPUOP_down, id, 0);
}

/* The vCPU is in the guest at least once more. */
static void wait_for_round(unsigned int id)
{
    unsigned int from = __atomic_load_n(&rounds[id], __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&rounds[id], __ATOMIC_SEQ_CST) < from + 2) {
        g_thread_yield();
    }
}

/* The machine ---------------------------------------------------------------------- */

static bool is_stopping(void)
{
    return __atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}

static gpointer processor(gpointer id)
{
    if (machine_run_vcpu(GPOINTER_TO_UINT(id))) {
        guest(GPOINTER_TO_UINT(id));
        leave_guest(machine_vcpu);
    }
    return NULL;
}

static bool no_second_up(const struct pv_call *c, long *result)
{
    if (c->number == __HYPERVISOR_vcpu_op && c->args[0] == VCPUOP_up) {
        g_assert_false(machine_l0.vcpus[c->args[1]].up);
    }
    if (c->number == __HYPERVISOR_vcpu_op && c->args[0] == VCPUOP_down) {
        g_assert_cmpuint(c->args[1], ==, machine_vcpu->id);
    }
    return false;
}

static void yield(void)
{
    g_thread_yield();
}

static void begin(void (*run)(unsigned int id))
{
    struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_ALL };
    unsigned int id;

    machine_start(&config);
    machine_hooks.l0 = no_second_up;
    machine_hooks.before_l0 = yield;
    guest = run;
    flush_op = machine_put(&op, sizeof(op));
    for (id = 1; id < NR_VCPUS; id++) {
        vcpu_guest_context_t c = {
            .flags = VGCF_in_kernel,
            .user_regs = {
                .rip = MACHINE_KERNEL_VA, .rsp = stack_of(id),
                .cs = SEL_CS64, .ss = SEL_DS,
            },
            .event_callback_eip = MACHINE_KERNEL_VA + HANDLER,
            .ctrlreg[3] = xen_pfn_to_cr3(machine_frame()),
        };

        memcpy(frame(xen_cr3_to_pfn(c.ctrlreg[3])), frame(boot->top_mfn),
               PAGE_SIZE);
        contexts[id] = machine_put(&c, sizeof(c));
    }
    for (id = 1; id < NR_VCPUS; id++) {
        g_assert_cmpint(call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, id,
                             contexts[id]), ==, 0);
        threads[id] = g_thread_new("vcpu", processor, GUINT_TO_POINTER(id));
    }
}

/* All come to their end, those that are down, too. */
static void end(void)
{
    unsigned int id;

    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    for (id = 1; id < NR_VCPUS; id++) {
        up(id);
    }
    leave_guest(machine_vcpu);
    machine_l0_stop();
    for (id = 1; id < NR_VCPUS; id++) {
        g_thread_join(threads[id]);
    }
}

/* Tests ---------------------------------------------------------------------------- */

static void run_in_guest(unsigned int id)
{
    while (!is_stopping()) {
        interrupted();
    }
}

/* One that is up again runs. */
static void test_up_and_down(void)
{
    unsigned int i;

    begin(run_in_guest);
    g_assert_cmpint(up(1), ==, 0);
    for (i = 0; i < 2000; i++) {
        wait_for_round(1);
        g_assert_cmpint(down(1), ==, 0);
        g_assert_cmpint(call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), ==, 0);
        if (i % 2) {
            while (state_of(vcpu_by_id(1)) != VCPU_DOWN) {
                g_thread_yield();
            }
        }
        g_assert_cmpint(up(1), ==, 0);
    }
    end();
}

static void take_itself_down(unsigned int id)
{
    while (!is_stopping()) {
        interrupted();
        g_assert_cmpint(down(id), ==, 0);
    }
}

static void test_down_itself(void)
{
    unsigned int i;

    begin(take_itself_down);
    for (i = 0; i < 2000; i++) {
        unsigned int from = __atomic_load_n(&rounds[2], __ATOMIC_SEQ_CST);

        do {
            g_assert_cmpint(up(2), ==, 0);
        } while (__atomic_load_n(&rounds[2], __ATOMIC_SEQ_CST) == from);
    }
    end();
}

/* The guest's handler: what has come is seen. */
static void take_events(unsigned int id)
{
    shared_info_t *shared = frame(boot->shared_info_mfn);
    vcpu_info_t *info = &shared->vcpu_info[id];

    __atomic_store_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared->evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
}

static void sleep_in_monitor(unsigned int id)
{
    while (!is_stopping()) {
        call(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
        take_events(id);
        __atomic_fetch_add(&rounds[id], 1, __ATOMIC_SEQ_CST);
    }
}

/* It parks though it sleeps, and sleeps when it is up again, until an event comes. */
static void test_asleep(void)
{
    struct evtchn_bind_ipi bind = { .vcpu = 1 };
    struct evtchn_send send;
    uint64_t at;
    unsigned int i;

    begin(sleep_in_monitor);
    at = machine_put(&bind, sizeof(bind));
    g_assert_cmpint(call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, at,
                         0), ==, 0);
    send.port = ((struct evtchn_bind_ipi *)machine_at(at))->port;
    at = machine_put(&send, sizeof(send));
    g_assert_cmpint(up(1), ==, 0);
    for (i = 0; i < 300; i++) {
        unsigned int from;

        g_assert_cmpint(down(1), ==, 0);
        while (state_of(vcpu_by_id(1)) != VCPU_DOWN) {
            g_thread_yield();
        }
        from = __atomic_load_n(&rounds[1], __ATOMIC_SEQ_CST);
        g_assert_cmpint(up(1), ==, 0);
        g_assert_cmpint(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, at,
                             0), ==, 0);
        while (__atomic_load_n(&rounds[1], __ATOMIC_SEQ_CST) == from) {
            g_thread_yield();
        }
    }
    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, at, 0);
    end();
}

/* The other vCPU gives back what this one is about to take for a vCPU's tables. */
static uint64_t give_back_op;
static unsigned int turn, turns_done;       /* atomic */
static long frames_given;

static void give_back_in_turn(unsigned int id)
{
    unsigned int next = 1;

    while (!is_stopping()) {
        interrupted();
        if (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) == next) {
            frames_given = call(__HYPERVISOR_memory_op,
                                XENMEM_decrease_reservation, give_back_op, 0);
            __atomic_store_n(&turns_done, next++, __ATOMIC_SEQ_CST);
        }
    }
}

static void test_given_back(void)
{
    struct xen_memory_reservation op = {
        .nr_extents = 1, .domid = DOMID_SELF,
    };
    struct vcpu *target;
    uint64_t mfn;
    unsigned int i, pause;
    long result;

    begin(give_back_in_turn);
    target = vcpu_by_id(2);
    g_assert_cmpint(up(1), ==, 0);
    mfn = target->kernel_top;
    set_xen_guest_handle(op.extent_start, (xen_pfn_t *)machine_put(&mfn, 8));
    give_back_op = machine_put(&op, sizeof(op));
    for (i = 1; i <= 2000; i++) {
        target->initialised = false;
        marks[mfn] = 0;
        __atomic_store_n(&turn, i, __ATOMIC_SEQ_CST);
        for (pause = rand() % 512; pause; pause--) {
            __builtin_ia32_pause();
        }
        result = call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 2, contexts[2]);
        while (__atomic_load_n(&turns_done, __ATOMIC_SEQ_CST) != i) {
            g_thread_yield();
        }
        if (frames_given) {
            g_assert_cmpint(result, ==, -XEN_EINVAL);
            g_assert_false(top_is_in_use(mfn));
            g_assert_cmpint(call(__HYPERVISOR_memory_op,
                                 XENMEM_populate_physmap, give_back_op, 0),
                            ==, 1);
        } else {
            g_assert_cmpint(result, ==, 0);
            g_assert_cmpuint(marks[mfn], ==, 4);
        }
    }
    end();
}

/* At random, with hypercalls that wait for others and take locks. */
static void act(unsigned int id, unsigned int *seed)
{
    unsigned int other = 1 + rand_r(seed) % (NR_VCPUS - 1);

    switch (rand_r(seed) % 8) {
    case 0:
        if (id) {
            g_assert_cmpint(down(id), ==, 0);
        }
        break;
    case 1:
        g_assert_cmpint(down(other), ==, 0);
        break;
    case 2 ... 4:
        g_assert_cmpint(up(other), ==, 0);
        break;
    case 5:
        g_assert_cmpint(call(__HYPERVISOR_mmuext_op, flush_op, 1, 0), ==,
                        0);
        break;
    case 6:
        g_assert_cmpint(call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, other,
                             contexts[other]), ==, -XEN_EEXIST);
        break;
    default:
        interrupted();
    }
}

static void run_storm(unsigned int id)
{
    unsigned int seed = id;

    while (!is_stopping()) {
        act(id, &seed);
    }
}

static void test_storm(void)
{
    unsigned int seed = 0, i;

    begin(run_storm);
    for (i = 0; i < 10000; i++) {
        act(0, &seed);
    }
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/vcpu_threads/up-and-down", test_up_and_down);
    machine_test("/monitor/vcpu_threads/down-itself", test_down_itself);
    machine_test("/monitor/vcpu_threads/asleep", test_asleep);
    machine_test("/monitor/vcpu_threads/given-back", test_given_back);
    machine_test("/monitor/vcpu_threads/storm", test_storm);
    return g_test_run();
}
