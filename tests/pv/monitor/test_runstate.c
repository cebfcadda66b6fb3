/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runstate.c: the times of a vCPU's states, of which none goes back, what KVM's steal
 * time makes of them, and the guest's copy.
 */

#include <pthread.h>

#include "event_calls.h"

#define MSR_KVM_STEAL_TIME 0x4b564d03
#define UPDATE_BYTE 15          /* the top one of state_entry_time */

static const struct machine_config own = {
    .nr_vcpus = 2, .own_events = true, .own_runstates = true,
};

/* Where two pages are mapped that are not next to each other. */
#define AREA_VA 0x200000
static uint64_t area_mfns[2];

static void begin(void)
{
    machine_start(&own);
    start_other_vcpu(1);
    area_mfns[0] = machine_frame();
    machine_frame();
    area_mfns[1] = machine_frame();
    machine_map(AREA_VA, area_mfns[0], PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + PAGE_SIZE, area_mfns[1], PTE_PRESENT | PTE_WRITE);
}

static struct vcpu_runstate_info info_of(unsigned int vcpu)
{
    struct vcpu_runstate_info info = { .state = -1 };

    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, vcpu, &info), ==, 0);
    return info;
}

static long register_area(unsigned int vcpu, uint64_t va)
{
    struct vcpu_register_runstate_memory_area op = { .addr.p = va };

    return VCPU_CALL(VCPUOP_register_runstate_memory_area, vcpu, &op);
}

/* The guest's copy at @va, on one page or two. */
static struct vcpu_runstate_info copy_at(uint64_t va)
{
    struct vcpu_runstate_info info;
    unsigned int i;

    for (i = 0; i < sizeof(info); i++) {
        ((uint8_t *)&info)[i] = *(uint8_t *)machine_at(va + i);
    }
    return info;
}

static void steal(uint64_t ns)
{
    this_vcpu()->steal_time.steal += ns;
}

static void assert_times(const struct vcpu_runstate_info *info,
                         uint64_t running, uint64_t runnable, uint64_t blocked)
{
    g_assert_cmpuint(info->time[RUNSTATE_running], ==, running);
    g_assert_cmpuint(info->time[RUNSTATE_runnable], ==, runnable);
    g_assert_cmpuint(info->time[RUNSTATE_blocked], ==, blocked);
}

/* Times ---------------------------------------------------------------------------- */

static void test_times(void)
{
    struct vcpu_runstate_info info;
    uint64_t start;

    begin();
    start = machine_tsc;
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, start);
    g_assert_cmpuint(info.time[RUNSTATE_offline], ==, start);
    assert_times(&info, 0, 0, 0);
    machine_tsc += 100;
    info = info_of(0);
    g_assert_cmpuint(info.state_entry_time, ==, start);
    assert_times(&info, 100, 0, 0);
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 1000;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_tsc += 7;
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, start + 1200);
    assert_times(&info, 207, 0, 1000);
    /* Of another one that sleeps, up to now. */
    machine_switch(1);
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 50;
    machine_switch(0);
    info = info_of(1);
    g_assert_cmpint(info.state, ==, RUNSTATE_blocked);
    assert_times(&info, 1207, 0, 50);
}

/* The vCPU goes on: whatever it was at, it runs. */
static void test_refresh(void)
{
    struct regs regs = machine_trapped(VECTOR_SPURIOUS, 0);

    begin();
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 30;
    trap(&regs);
    g_assert_cmpint(this_vcpu()->runstate.info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_blocked], ==, 30);
    /* Nothing has changed: nothing is done. */
    machine_tsc += 30;
    trap(&regs);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_running], ==, 0);
    /* It has waited. */
    steal(10);
    trap(&regs);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_running], ==, 20);
    g_assert_cmpuint(this_vcpu()->runstate.info.time[RUNSTATE_runnable], ==,
                     10);
}

/* With runstates of L0's none of this is done. */
static void test_of_l0(void)
{
    machine_start(&(struct machine_config) { .own_events = true });
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    steal(50);
    refresh_runstate(this_vcpu());
    g_assert_cmpint(this_vcpu()->runstate.info.state, ==, RUNSTATE_offline);
    g_assert_cmpuint(this_vcpu()->runstate.info.state_entry_time, ==, 0);
    g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, 0);
}

/* Stolen time ---------------------------------------------------------------------- */

static void test_steal(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    steal(30);
    info = info_of(0);
    assert_times(&info, 70, 30, 0);
    /* A vCPU that sleeps waits when it has been woken. */
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_tsc += 1000;
    steal(200);
    set_runstate(this_vcpu(), RUNSTATE_running);
    info = info_of(0);
    assert_times(&info, 70, 230, 800);
    /* More than has passed is not: KVM and the clock are not one. */
    machine_tsc += 10;
    steal(11);
    info = info_of(0);
    assert_times(&info, 70, 240, 800);
    machine_tsc += 10;
    info = info_of(0);
    assert_times(&info, 80, 240, 800);
}

/* What was told stays so: waiting is not taken from that. */
static void test_told(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    info = info_of(0);
    assert_times(&info, 100, 0, 0);
    steal(80);
    machine_tsc += 50;
    info = info_of(0);
    assert_times(&info, 100, 50, 0);
    /* Another vCPU was told. */
    machine_tsc += 100;
    machine_switch(1);
    info = info_of(0);
    assert_times(&info, 200, 50, 0);
    machine_switch(0);
    machine_tsc += 10;
    steal(1000);
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    assert_times(&info, 200, 60, 0);
}

/* Only the vCPU itself knows what was stolen of it. */
static void test_steal_of_other(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    vcpu_by_id(1)->steal_time.steal = 30;
    info = info_of(1);
    assert_times(&info, 100, 0, 0);
    machine_switch(1);
    machine_tsc += 100;
    info = info_of(1);
    assert_times(&info, 170, 30, 0);
}

/* A count that begins anew takes nothing away. */
static void test_count_anew(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 1000;
    steal(500);
    info = info_of(0);
    assert_times(&info, 500, 500, 0);
    this_vcpu()->steal_time.steal = 100;
    machine_tsc += 1000;
    info = info_of(0);
    assert_times(&info, 1500, 500, 0);
    steal(10);
    machine_tsc += 1000;
    info = info_of(0);
    assert_times(&info, 2490, 510, 0);
}

/* KVM writes while the monitor reads. */
static unsigned int fences;

static void write_steal(void)
{
    struct steal_time *s = &this_vcpu()->steal_time;

    switch (++fences) {
    case 1:
        s->version++;
        s->steal = 7777;
        break;
    case 5:
        s->steal = 40;
        s->version++;
        break;
    }
}

static void test_torn_steal(void)
{
    struct vcpu_runstate_info info;

    begin();
    machine_tsc += 100;
    steal(1);
    machine_hooks.fence = write_steal;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_hooks.fence = NULL;
    info = info_of(0);
    assert_times(&info, 60, 40, 0);
    /* The same from before the first look on. */
    machine_tsc += 100;
    this_vcpu()->steal_time.version++;
    fences = 1;
    machine_hooks.fence = write_steal;
    this_vcpu()->steal_time.steal = 9999;
    set_runstate(this_vcpu(), RUNSTATE_running);
    machine_hooks.fence = NULL;
    info = info_of(0);
    assert_times(&info, 160, 40, 0);
}

/* Where KVM is to count: in the vCPU's own block, from 0. */
static void test_msr(void)
{
    unsigned int id;

    begin();
    for (id = 0; id < 2; id++) {
        uint64_t address;

        machine_switch(id);
        address = (MACHINE_VCPUS_MFN << PAGE_SHIFT) + id * VCPU_SIZE +
                  offsetof(struct vcpu, steal_time);
        g_assert_cmphex(address % 64, ==, 0);
        g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, address | 1);
        this_vcpu()->steal_time.steal = this_vcpu()->runstate.steal = 500;
        this_vcpu()->steal_time.version = 4;
        *machine_msr(MSR_KVM_STEAL_TIME) = 0;
        init_runstate(this_vcpu());
        g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, address | 1);
        g_assert_cmpuint(this_vcpu()->steal_time.steal, ==, 0);
        g_assert_cmpuint(this_vcpu()->steal_time.version, ==, 0);
        g_assert_cmpuint(this_vcpu()->runstate.steal, ==, 0);
    }
}

static bool no_msr(uint32_t number)
{
    return number != MSR_KVM_STEAL_TIME;
}

/* A KVM without it. */
static void test_no_msr(void)
{
    struct vcpu_runstate_info info;

    machine_hooks.has_msr = no_msr;
    begin();
    machine_tsc += 100;
    info = info_of(0);
    assert_times(&info, 100, 0, 0);
    g_assert_cmphex(*machine_msr(MSR_KVM_STEAL_TIME), ==, 0);
}

/* A clock that is behind that of another vCPU takes nothing back. */
static void test_clock_behind(void)
{
    struct vcpu_runstate_info info;
    uint64_t entry;

    begin();
    machine_tsc += 1000;
    set_runstate(this_vcpu(), RUNSTATE_running);
    entry = this_vcpu()->runstate.info.state_entry_time;
    machine_tsc -= 500;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    g_assert_cmpint(info.state, ==, RUNSTATE_running);
    g_assert_cmpuint(info.state_entry_time, ==, entry);
    assert_times(&info, 1000, 0, 0);
    machine_tsc += 600;
    info = info_of(0);
    assert_times(&info, 1100, 0, 0);
    /* Nor from what was told, if the state changes then. */
    machine_tsc += 1000;
    info_of(0);
    machine_tsc -= 500;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    info = info_of(0);
    assert_times(&info, 2100, 0, 0);
}

/* The same, of one that asks. */
static void test_asker_behind(void)
{
    struct vcpu_runstate_info first, second;

    begin();
    machine_tsc += 1000;
    first = info_of(0);
    machine_switch(1);
    this_vcpu()->l0_info->time.system_time = -500;
    second = info_of(0);
    g_assert_cmpuint(second.time[RUNSTATE_running], >=,
                     first.time[RUNSTATE_running]);
}

/* The hypercall -------------------------------------------------------------------- */

static void test_get_errors(void)
{
    static const uint64_t bad[] = { 0, 0x1000, M2P_VA, MONITOR_VA, ~0ul, ~46ul };
    struct vcpu_runstate_info info;
    uint64_t read_only = AREA_VA + 2 * PAGE_SIZE;
    unsigned int i;

    begin();
    machine_map(read_only, machine_frame(), PTE_PRESENT);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                     VCPUOP_get_runstate_info, 0, bad[i], 0),
                        ==, -XEN_EFAULT);
    }
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info,
                                 0, read_only, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 2, &info), ==,
                    -XEN_ENOENT);
}

/* The guest's copy ----------------------------------------------------------------- */

static void check_copy(uint64_t va)
{
    const struct vcpu_runstate_info *info = &this_vcpu()->runstate.info;
    struct vcpu_runstate_info copy = copy_at(va);

    g_assert_cmpmem(&copy, sizeof(copy), info, sizeof(*info));
}

static void test_area(void)
{
    /* The last one that is on one page, some that are on two, and at their ends. */
    static const unsigned int offsets[] = {
        0, 8, 100, PAGE_SIZE - 48, PAGE_SIZE - 47, PAGE_SIZE - 40,
        PAGE_SIZE - 24, PAGE_SIZE - 9, PAGE_SIZE - 8, PAGE_SIZE - 1,
    };
    uint64_t va;
    unsigned int i, j;

    begin();
    for (i = 0; i < G_N_ELEMENTS(offsets); i++) {
        memset(frame(area_mfns[0]), 0xee, PAGE_SIZE);
        memset(frame(area_mfns[1]), 0xee, PAGE_SIZE);
        va = AREA_VA + offsets[i];
        /* At once, and at each change. */
        g_assert_cmpint(register_area(0, va), ==, 0);
        check_copy(va);
        machine_tsc += 100 + i;
        set_runstate(this_vcpu(), RUNSTATE_blocked);
        check_copy(va);
        g_assert_cmpint(copy_at(va).state, ==, RUNSTATE_blocked);
        machine_tsc += 100 + i;
        set_runstate(this_vcpu(), RUNSTATE_running);
        check_copy(va);
        /* No byte beside it. */
        for (j = 0; j < 2 * PAGE_SIZE; j++) {
            g_assert_true((j >= offsets[i] && j < offsets[i] + 48) ||
                          *(uint8_t *)machine_at(AREA_VA + j) == 0xee);
        }
    }
    /* None any more. */
    g_assert_cmpint(register_area(0, 0), ==, 0);
    memset(frame(area_mfns[0]), 0xee, PAGE_SIZE);
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    for (j = 0; j < PAGE_SIZE; j++) {
        g_assert_cmphex(((uint8_t *)frame(area_mfns[0]))[j], ==, 0xee);
    }
}

/* Each vCPU's own, by whichever vCPU it was registered. */
static void test_area_of_other(void)
{
    begin();
    g_assert_cmpint(register_area(0, AREA_VA), ==, 0);
    g_assert_cmpint(register_area(1, AREA_VA + 64), ==, 0);
    machine_switch(1);
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    machine_switch(0);
    g_assert_cmpint(copy_at(AREA_VA).state, ==, RUNSTATE_running);
    g_assert_cmpint(copy_at(AREA_VA + 64).state, ==, RUNSTATE_blocked);
    g_assert_cmpint(register_area(2, AREA_VA), ==, -XEN_ENOENT);
}

static void test_bad_areas(void)
{
    static const uint64_t bad[] = {
        0x1000, 0x2001, 0x8000000000000000, M2P_VA, M2P_VA - 8, WINDOWS_VA,
        MONITOR_VA, VCPUS_VA, DIRECTMAP_VA, HYPERVISOR_END - 8, ~0ul, ~46ul,
        /* One of two pages is missing. */
        AREA_VA - 8, AREA_VA + 2 * PAGE_SIZE - 47,
        /* The top-level table; what is not the guest's RAM. */
        AREA_VA + 4 * PAGE_SIZE, AREA_VA + 6 * PAGE_SIZE,
        AREA_VA + 8 * PAGE_SIZE, AREA_VA + 10 * PAGE_SIZE,
        AREA_VA + 5 * PAGE_SIZE - 8, AREA_VA + 4 * PAGE_SIZE - 8,
        /* Not present; around the end of the address space. */
        AREA_VA + 12 * PAGE_SIZE, ~20ul,
    };
    uint64_t given_back;
    unsigned int i;

    begin();
    given_back = machine_frame();
    marks[given_back] = MARK_FREE;
    machine_map(AREA_VA + 3 * PAGE_SIZE, machine_frame(),
                PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + 4 * PAGE_SIZE, boot->top_mfn, PTE_PRESENT);
    machine_map(AREA_VA + 5 * PAGE_SIZE, machine_frame(),
                PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + 6 * PAGE_SIZE, boot->shared_info_mfn,
                PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + 8 * PAGE_SIZE, MACHINE_VCPUS_MFN,
                PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + 10 * PAGE_SIZE, given_back,
                PTE_PRESENT | PTE_WRITE);
    machine_map(AREA_VA + 12 * PAGE_SIZE, machine_frame(), PTE_WRITE);
    machine_map(0, machine_frame(), PTE_PRESENT | PTE_WRITE);
    machine_map(-PAGE_SIZE, machine_frame(), PTE_PRESENT | PTE_WRITE);
    g_assert_cmpint(register_area(0, AREA_VA), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(register_area(0, bad[i]), ==, -XEN_EFAULT);
        g_assert_null(bad[i] % PAGE_SIZE ? NULL : guest_byte(bad[i]));
    }
    g_assert_cmpint(register_area(0, AREA_VA), ==, 0);
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_register_runstate_memory_area, 0,
                                 MONITOR_VA, 0), ==, -XEN_EFAULT);
    g_assert_cmpint(machine_call(__HYPERVISOR_vcpu_op,
                                 VCPUOP_register_runstate_memory_area, 0,
                                 0x1000, 0), ==, -XEN_EFAULT);
    /* The last one is as it was. */
    machine_tsc += 100;
    set_runstate(this_vcpu(), RUNSTATE_blocked);
    check_copy(AREA_VA);
}

static void test_guest_byte(void)
{
    begin();
    g_assert_true(guest_byte(AREA_VA) == frame(area_mfns[0]));
    g_assert_true(guest_byte(AREA_VA + 4095) ==
                  (uint8_t *)frame(area_mfns[0]) + 4095);
    g_assert_true(guest_byte(AREA_VA + 4096) == frame(area_mfns[1]));
    g_assert_null(guest_byte(AREA_VA + 2 * PAGE_SIZE));
}

/* The flag ------------------------------------------------------------------------- */

static long assist(unsigned int cmd)
{
    return machine_call(__HYPERVISOR_vm_assist, cmd,
                        VMASST_TYPE_runstate_update_flag, 0, 0);
}

static void test_flag(void)
{
    struct vcpu_runstate_info copy;
    unsigned int i;

    begin();
    g_assert_cmpint(register_area(0, AREA_VA + PAGE_SIZE - 12), ==, 0);
    for (i = 0; i < 2; i++) {
        g_assert_cmpint(assist(i ? VMASST_CMD_disable : VMASST_CMD_enable), ==,
                        0);
        machine_tsc += 100;
        set_runstate(this_vcpu(), RUNSTATE_blocked);
        machine_tsc += 100;
        set_runstate(this_vcpu(), RUNSTATE_running);
        /* Behind it, it is clear: of the guest's, and of what it is told. */
        copy = copy_at(AREA_VA + PAGE_SIZE - 12);
        g_assert_cmphex(copy.state_entry_time & XEN_RUNSTATE_UPDATE, ==, 0);
        g_assert_cmphex(info_of(0).state_entry_time & XEN_RUNSTATE_UPDATE, ==,
                        0);
        check_copy(AREA_VA + PAGE_SIZE - 12);
    }
    g_assert_cmpint(assist(77), ==, -XEN_ENOSYS);
}

/* While it is written, as another vCPU sees it. */
struct reader {
    volatile uint8_t *area;
    bool stop;
    unsigned int nr_torn, nr_flagged;
};

static void *read_area(void *opaque)
{
    struct reader *r = opaque;
    struct vcpu_runstate_info before, info;
    unsigned int i;

    while (!__atomic_load_n(&r->stop, __ATOMIC_SEQ_CST)) {
        before.state_entry_time = *(volatile uint64_t *)(r->area + 8);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        for (i = 0; i < sizeof(info); i++) {
            ((uint8_t *)&info)[i] = r->area[i];
        }
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        r->nr_flagged += !!(info.state_entry_time & XEN_RUNSTATE_UPDATE);
        if (before.state_entry_time & XEN_RUNSTATE_UPDATE ||
            before.state_entry_time != *(volatile uint64_t *)(r->area + 8)) {
            continue;
        }
        r->nr_torn += info.time[0] + info.time[1] + info.time[2] +
                      info.time[3] != info.state_entry_time;
    }
    return NULL;
}

static void read_while_it_changes(struct reader *reader)
{
    unsigned int i;
    pthread_t thread;

    *reader = (struct reader) { .area = machine_at(AREA_VA) };
    g_assert_cmpint(pthread_create(&thread, NULL, read_area, reader), ==, 0);
    for (i = 0; i < 100000; i++) {
        machine_tsc += 1000003;
        set_runstate(this_vcpu(), i & 1 ? RUNSTATE_running : RUNSTATE_blocked);
    }
    __atomic_store_n(&reader->stop, true, __ATOMIC_SEQ_CST);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
}

static void test_flag_of_two(void)
{
    struct reader reader;

    begin();
    g_assert_cmpint(register_area(0, AREA_VA), ==, 0);
    g_assert_cmpint(assist(VMASST_CMD_enable), ==, 0);
    read_while_it_changes(&reader);
    g_assert_cmpuint(reader.nr_torn, ==, 0);
    g_assert_cmpint(assist(VMASST_CMD_disable), ==, 0);
    read_while_it_changes(&reader);
    g_assert_cmpuint(reader.nr_flagged, ==, 0);
}

/* Anything in any order ------------------------------------------------------------ */

/* Whoever looks: no time goes back, and their sum is the clock's. */
static void look(struct vcpu_runstate_info *last, unsigned int vcpu)
{
    struct vcpu_runstate_info info = info_of(vcpu);
    uint64_t sum = 0;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(info.time[i], >=, last->time[i]);
        sum += info.time[i];
    }
    g_assert_cmpuint(info.state_entry_time, >=, last->state_entry_time);
    g_assert_cmpuint(sum, ==, machine_tsc);
    *last = info;
}

static void test_random(void)
{
    struct vcpu_runstate_info last[2] = { 0 };
    unsigned int i;

    begin();
    register_area(0, AREA_VA + PAGE_SIZE - 20);
    for (i = 0; i < 30000; i++) {
        machine_switch(g_test_rand_int_range(0, 2));
        switch (g_test_rand_int_range(0, 7)) {
        case 0:
            set_runstate(this_vcpu(), RUNSTATE_blocked);
            break;
        case 1:
            set_runstate(this_vcpu(), RUNSTATE_running);
            break;
        case 2:
            refresh_runstate(this_vcpu());
            break;
        case 3:
            steal(g_test_rand_int_range(0, 2000));
            break;
        case 4:
            if (!g_test_rand_int_range(0, 20)) {
                this_vcpu()->steal_time.steal = g_test_rand_int_range(0, 5000);
            }
            break;
        default:
            look(last, 0);
            look(last + 1, 1);
        }
        machine_tsc += g_test_rand_int_range(0, 1000);
        if (this_vcpu()->id == 0) {
            machine_switch(0);
            check_copy(AREA_VA + PAGE_SIZE - 20);
        }
    }
}

/*
 * With events of L0's the time is in the guest's vcpu_info, in which the guest may write
 * anything.
 */
static unsigned int looks;

static void end_at_last(void)
{
    if (++looks == 1000) {
        this_vcpu()->info->time.version = 2;
    }
}

static void test_hostile_time(void)
{
    struct vcpu_runstate_info info;

    machine_start(&(struct machine_config) { .own_runstates = true });
    this_vcpu()->info->time.version = 1;
    machine_hooks.fence = end_at_last;
    g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 0, &info), ==, 0);
    g_assert_cmpuint(looks, <, 1000);
}

static void test_hostile_shift(void)
{
    struct vcpu_runstate_info info;
    static const int8_t shifts[] = { 64, 127, -64, -128 };
    unsigned int i;

    machine_start(&(struct machine_config) { .own_runstates = true });
    for (i = 0; i < G_N_ELEMENTS(shifts); i++) {
        this_vcpu()->info->time.tsc_shift = shifts[i];
        g_assert_cmpint(VCPU_CALL(VCPUOP_get_runstate_info, 0, &info), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/runstate/times", test_times);
    machine_test("/monitor/runstate/refresh", test_refresh);
    machine_test("/monitor/runstate/of-l0", test_of_l0);
    machine_test("/monitor/runstate/steal", test_steal);
    machine_test("/monitor/runstate/told", test_told);
    machine_test("/monitor/runstate/steal-of-other", test_steal_of_other);
    machine_test("/monitor/runstate/count-anew", test_count_anew);
    machine_test("/monitor/runstate/torn-steal", test_torn_steal);
    machine_test("/monitor/runstate/msr", test_msr);
    machine_test("/monitor/runstate/no-msr", test_no_msr);
    machine_test("/monitor/runstate/clock-behind", test_clock_behind);
    machine_test("/monitor/runstate/get-errors", test_get_errors);
    machine_test("/monitor/runstate/area", test_area);
    machine_test("/monitor/runstate/area-of-other", test_area_of_other);
    machine_test("/monitor/runstate/bad-areas", test_bad_areas);
    machine_test("/monitor/runstate/guest-byte", test_guest_byte);
    machine_test("/monitor/runstate/flag", test_flag);
    machine_test("/monitor/runstate/flag-of-two", test_flag_of_two);
    machine_test("/monitor/runstate/random", test_random);
    machine_test("/monitor/runstate/asker-behind", test_asker_behind);
    machine_test("/monitor/runstate/hostile-time", test_hostile_time);
    machine_test("/monitor/runstate/hostile-shift", test_hostile_shift);
    return g_test_run();
}
