/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptors.c: descriptors read back, the reserved ones, and a model of all tables. */

#include "descriptor_tables.h"

/* Reading -------------------------------------------------------------------------- */

static void test_read(void)
{
    static const struct {
        uint64_t descriptor;
        struct segment segment;
    } rows[] = {
        { 0, { 0 } },
        { DATA, { .limit = UINT32_MAX, .type = 0xf3, .is_32bit = true } },
        { CODE, { .limit = UINT32_MAX, .type = 0xfb, .is_64bit = true } },
        { 0x12409a3456789abcul,
          { .base = 0x12345678, .limit = 0x09abc, .type = 0xfa,
            .is_32bit = true } },
        { 0xff8f92ffffff0000ul,
          { .base = 0xffffffff, .limit = 0xf0000fff, .type = 0xf2 } },
        { 0x000f92000000fffful, { .limit = 0xfffff, .type = 0xf2 } },
        { 0x0000120000000001ul, { .limit = 1, .type = 0x12 } },
    };
    uint64_t frames[14] = { 0 };
    struct vcpu *v;
    unsigned int i;

    machine_start(&config);
    v = vcpu_by_id(0);
    frames[0] = machine_frame();
    machine_map(LDT_VA, frames[0], PTE_PRESENT);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        table(frames[0])[i + 1] = rows[i].descriptor;
    }
    g_assert_cmpint(set_gdt_of(frames, 512), ==, 0);
    g_assert_cmpint(set_ldt_of(LDT_VA, i + 1), ==, 0);
    for (i = 0; i < 8 * G_N_ELEMENTS(rows); i++) {
        struct segment segment;

        /* Of all RPLs and both tables. */
        g_assert_true(read_segment(v, 8 + i, &segment));
        g_assert_cmphex(segment.base, ==, rows[i / 8].segment.base);
        g_assert_cmphex(segment.limit, ==, rows[i / 8].segment.limit);
        g_assert_cmphex(segment.type, ==, rows[i / 8].segment.type);
        g_assert_cmpint(segment.is_32bit, ==, rows[i / 8].segment.is_32bit);
        g_assert_cmpint(segment.is_64bit, ==, rows[i / 8].segment.is_64bit);
    }
}

static void test_read_null(void)
{
    uint64_t frames[14] = { 0 };
    struct segment segment;
    unsigned int i;

    machine_start(&config);
    frames[0] = new_table(0);
    machine_map(LDT_VA, frames[0], PTE_PRESENT);
    g_assert_cmpint(set_gdt_of(frames, 512), ==, 0);
    for (i = 0; i < 4; i++) {
        g_assert_false(read_segment(vcpu_by_id(0), i, &segment));
        /* The LDT's first one is not null; but there is no LDT. */
        g_assert_false(read_segment(vcpu_by_id(0), 4 + i, &segment));
    }
    g_assert_cmpint(set_ldt_of(LDT_VA, 1), ==, 0);
    for (i = 0; i < 4; i++) {
        g_assert_true(read_segment(vcpu_by_id(0), 4 + i, &segment));
    }
    /* Any selector of the GDT is within the window. */
    for (i = 8; i < 0xf000; i += 8) {
        g_assert_true(read_segment(vcpu_by_id(0), i, &segment));
    }
}

/* The reserved part ---------------------------------------------------------------- */

static void test_reserved(void)
{
    static const struct {
        uint16_t selector;
        struct segment segment;
    } rows[] = {
        { SEL_MONITOR_CS, { .type = 0x9b, .is_64bit = true } },
        { SEL_MONITOR_SS, { .type = 0x93, .is_32bit = true } },
        { SEL_CS32, { .type = 0xfb, .is_32bit = true } },
        { SEL_DS, { .type = 0xf3, .is_32bit = true } },
        { SEL_CS64, { .type = 0xfb, .is_64bit = true } },
    };
    struct segment segment;
    const struct vcpu *v;
    unsigned int i, id;

    machine_start(&config);
    for (id = 0; id < NR_VCPUS; id++) {
        machine_switch(id);
        v = vcpu_by_id(id);
        init_descriptors(vcpu_by_id(id));
        for (i = 0; i < G_N_ELEMENTS(rows); i++) {
            g_assert_true(read_segment(v, rows[i].selector, &segment));
            g_assert_cmphex(segment.base, ==, 0);
            g_assert_cmphex(segment.limit, ==, UINT32_MAX);
            g_assert_cmphex(segment.type, ==, rows[i].segment.type);
            g_assert_cmpint(segment.is_64bit, ==, rows[i].segment.is_64bit);
            g_assert_cmpint(segment.is_32bit, ==, rows[i].segment.is_32bit);
        }
        /* The TSS: its type, and the upper half of its base. */
        g_assert_true(read_segment(v, SEL_TSS, &segment));
        g_assert_cmphex(segment.base | gdt(id)[SEL_TSS / 8 + 1] << 32, ==,
                        (uint64_t)&v->tss);
        g_assert_cmphex(segment.limit, ==, sizeof(v->tss) - 1);
        g_assert_cmphex(segment.type & ~2, ==, 0x89);
        g_assert_cmphex(machine_processors[id].gdtr.base, ==, (uint64_t)gdt(id));
        g_assert_cmphex(machine_processors[id].gdtr.limit, ==, 0xefff);
        g_assert_cmphex(machine_processors[id].tr, ==, SEL_TSS);
        g_assert_cmphex(machine_processors[id].cs, ==, SEL_MONITOR_CS);
        g_assert_cmphex(machine_processors[id].ss, ==, SEL_MONITOR_SS);
        g_assert_cmphex(machine_processors[id].ldtr, ==, 0);
    }
}

/* In a processor that is new to the vCPU, its LDT is there again. */
static void test_ldt_again(void)
{
    machine_start(&config);
    map_ldt(1);
    g_assert_cmpint(set_ldt_of(LDT_VA, 5), ==, 0);
    machine_processors[0].ldtr = 0;
    gdt(0)[SEL_LDT / 8] = 0;
    init_descriptors(vcpu_by_id(0));
    g_assert_cmphex(machine_processors[0].ldtr, ==, SEL_LDT);
    g_assert_cmphex(ldt_limit(0), ==, 5 * 8 - 1);
}

/* A model of all that -------------------------------------------------------------- */

enum { POOL = 4, PAGES = 4, MODEL_ENTRIES = PAGES * 512 };

static struct model {
    struct {
        uint64_t frames[14];
        unsigned int nr_entries;
        uint64_t entries[MODEL_ENTRIES];
    } gdt, ldt;
} models[NR_VCPUS];

/* The LDTs' pages, which all vCPUs' kernels have: frames, or 0. */
static uint64_t ldt_frames[PAGES], pool[POOL];

static uint64_t random_frame(void)
{
    return pool[g_test_rand_int_range(0, POOL)];
}

static uint64_t random_descriptor(void)
{
    return (g_test_rand_bit() ? DATA : CODE) ^ (g_test_rand_bit() ? RING_3 : 0) ^
           (uint64_t)g_test_rand_int_range(0, 0x10000);
}

static void random_set(unsigned int id)
{
    unsigned int nr = g_test_rand_int_range(0, MODEL_ENTRIES + 1), i;
    bool is_ldt = g_test_rand_bit(), lacks = false;
    uint64_t frames[14] = { 0 };
    long result;

    for (i = 0; i < PAGES; i++) {
        frames[i] = is_ldt ? ldt_frames[i] : random_frame();
        lacks |= i * 512 < nr && !frames[i];
    }
    /* Some of it would be new then. */
    if (lacks) {
        return;
    }
    result = is_ldt ? set_ldt(vcpu_by_id(id), LDT_VA, nr) :
                      set_gdt(vcpu_by_id(id), frames, nr);
    g_assert_cmpint(result, ==, 0);
    for (i = 0; i < MODEL_ENTRIES; i++) {
        uint64_t entry = i < nr ? table(frames[i / 512])[i % 512] | RING_3 : 0;

        (is_ldt ? models[id].ldt.entries : models[id].gdt.entries)[i] = entry;
    }
    if (is_ldt) {
        models[id].ldt.nr_entries = nr;
    } else {
        models[id].gdt.nr_entries = nr;
        memcpy(models[id].gdt.frames, frames, sizeof(frames));
    }
}

static void random_update(void)
{
    uint64_t mfn = random_frame(), descriptor = random_descriptor();
    unsigned int index = g_test_rand_int_range(0, 512), id, i;

    g_assert_cmpint(update(mfn, index, descriptor), ==, 0);
    g_assert_cmphex(table(mfn)[index], ==, descriptor | RING_3);
    for (id = 0; id < NR_VCPUS; id++) {
        for (i = index; i < models[id].gdt.nr_entries; i += 512) {
            if (models[id].gdt.frames[i / 512] == mfn) {
                models[id].gdt.entries[i] = descriptor | RING_3;
            }
        }
        for (i = index; i < models[id].ldt.nr_entries; i += 512) {
            if (ldt_frames[i / 512] == mfn) {
                models[id].ldt.entries[i] = descriptor | RING_3;
            }
        }
    }
}

static void test_random(void)
{
    unsigned int step, id, i;

    machine_start(&config);
    for (i = 0; i < POOL; i++) {
        pool[i] = new_table(i * 512);
    }
    for (id = 0; id < NR_VCPUS; id++) {
        machine_switch(id);
        vcpu_by_id(id)->kernel_top = boot->top_mfn;
    }
    machine_switch(0);
    for (step = 0; step < 1500; step++) {
        switch (g_test_rand_int_range(0, 8)) {
        case 0:
            id = g_test_rand_int_range(0, NR_VCPUS);
            machine_switch(id);
            random_set(id);
            machine_switch(0);
            break;
        case 1:
            i = g_test_rand_int_range(0, PAGES);
            ldt_frames[i] = g_test_rand_int_range(0, 8) ? random_frame() : 0;
            machine_map(LDT_VA + i * PAGE_SIZE, ldt_frames[i],
                        ldt_frames[i] ? PTE_PRESENT : 0);
            break;
        case 2:
            table(random_frame())[g_test_rand_int_range(0, 512)] =
                random_descriptor();
            break;
        default:
            random_update();
        }
        for (id = 0; id < NR_VCPUS && step % 8 == 7; id++) {
            g_assert_cmpmem(gdt(id), MODEL_ENTRIES * 8, models[id].gdt.entries,
                            MODEL_ENTRIES * 8);
            g_assert_cmpmem(ldt(id), models[id].ldt.nr_entries * 8,
                            models[id].ldt.entries,
                            models[id].ldt.nr_entries * 8);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/segments/read", test_read);
    machine_test("/monitor/segments/read-null", test_read_null);
    machine_test("/monitor/segments/reserved", test_reserved);
    machine_test("/monitor/segments/ldt-again", test_ldt_again);
    machine_test("/monitor/segments/random", test_random);
    return g_test_run();
}
