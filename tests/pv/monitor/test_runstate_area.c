/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runstate.c: the guest's copy of its runstate, and the flag in it. */

#include "runstate_calls.h"

#include <pthread.h>

/* The guest's copy ----------------------------------------------------------------- */

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/runstate_area/area", test_area);
    machine_test("/monitor/runstate_area/area-of-other", test_area_of_other);
    machine_test("/monitor/runstate_area/bad-areas", test_bad_areas);
    machine_test("/monitor/runstate_area/guest-byte", test_guest_byte);
    machine_test("/monitor/runstate_area/flag", test_flag);
    machine_test("/monitor/runstate_area/flag-of-two", test_flag_of_two);
    return g_test_run();
}
