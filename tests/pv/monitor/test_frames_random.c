/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free_frames.c, reservation.c and exchange.c: random calls, also hostile ones, beside a
 * model of whose each frame is, for which page, and what is in it.
 */

#include "frames_model.h"

static void random_decrease(uint64_t va)
{
    unsigned int nr = 1 + below(one_in(4) ? 200 : 6), order = random_order();
    struct list list;
    unsigned int i;
    uint64_t k = 0;
    long done;

    for (i = 0; i < nr; i++) {
        list.entries[i] = random_own();
    }
    put_list(&list, va, nr, one_in(20));
    random_l0();
    done = frames_change(XENMEM_decrease_reservation, list.va, nr, order, 0);
    for (i = 0; i < list.nr && order <= MAX_ORDER; i++) {
        for (k = 0; k < PAGES(order); k++) {
            uint64_t mfn = list.entries[i] + k;

            if (!is(mfn, GUEST) || model[mfn].table == 4 ||
                (i == done && l0_has_failed() && marks[mfn] != MARK_FREE)) {
                break;
            }
            model_free(mfn);
        }
        if (k < PAGES(order)) {
            break;
        }
    }
    g_assert_cmpint(done, ==, i);
    nr_done[0] += done;
    nr_errors[0] += done < nr;
}

static void random_get(unsigned int op, uint64_t va)
{
    unsigned int nr = 1 + below(one_in(4) ? 200 : 6), order = random_order();
    unsigned int bits = random_bits(), i;
    uint64_t limit = limit_of(bits), pfn;
    struct list list;
    long done;

    for (i = 0; i < nr; i++) {
        list.entries[i] = 1000000 + below(1000000);
    }
    put_list(&list, va, nr, op == XENMEM_populate_physmap && one_in(20));
    random_l0();
    done = frames_change(op, list.va, nr, order, bits);
    for (i = 0; i < done; i++) {
        pfn = op == XENMEM_populate_physmap ? list.entries[i] : NO_FRAME;
        got_extent(frames_entry(list.va, i), order, limit, pfn);
    }
    for (; i < list.nr; i++) {
        g_assert_cmpuint(frames_entry(list.va, i), ==, list.entries[i]);
    }
    if (done < nr && order <= MAX_ORDER && done < list.nr && !l0_has_failed()) {
        g_assert_cmpuint(nr_extents(order, limit), ==, 0);
    }
    g_assert_cmpint(done, <=, list.nr);
    nr_done[1] += done;
    nr_errors[1] += done < nr;
}

/* The error that one chunk is to end with; its frames are STOLEN if there is none. */
static long steal_chunk(const struct list *in, unsigned int first,
                        unsigned int nr, unsigned int order)
{
    unsigned int i;
    uint64_t k, mfn;

    for (i = first; i < first + nr; i++) {
        if (i >= in->nr) {
            return -XEN_EFAULT;
        }
        for (k = 0; k < PAGES(order); k++) {
            mfn = in->entries[i] + k;
            if (!is(mfn, GUEST) || model[mfn].table) {
                return -XEN_EINVAL;
            }
            model[mfn].state = STOLEN;
        }
    }
    return 0;
}

static void end_chunk(int state)
{
    uint64_t mfn;

    for (mfn = 0; mfn < MACHINE_MAX_MFN; mfn++) {
        if (model[mfn].state == STOLEN && state == FREE) {
            model_free(mfn);
        } else if (model[mfn].state == STOLEN) {
            model[mfn].state = state;
        }
    }
}

/* The frames of an extent whose entry is nowhere are those that nobody knows of. */
static void got_unknown(unsigned int nr)
{
    uint64_t mfn;

    for (mfn = FRAMES_FIRST; mfn < MACHINE_MAX_MFN; mfn++) {
        if ((is(mfn, FREE) || is(mfn, STOLEN)) && marks[mfn] != MARK_FREE) {
            model_give(mfn, NO_FRAME);
            nr--;
        }
    }
    g_assert_cmpuint(nr, ==, 0);
}

/* What the call is to return; L0 alone can be the reason for what is @seen, too. */
static long follow_exchange(const struct xen_memory_exchange *op,
                            const struct list *in, const struct list *out,
                            uint64_t nr_exchanged, long seen)
{
    unsigned int in_order = op->in.extent_order;
    unsigned int out_order = op->out.extent_order;
    unsigned int order = MAX(in_order, out_order), i;
    unsigned int nr_in = 1u << (order - in_order);
    unsigned int nr_out = 1u << (order - out_order);
    uint64_t limit = limit_of(op->out.mem_flags), chunk;
    long result;

    for (chunk = op->nr_exchanged / nr_in; chunk < op->in.nr_extents / nr_in;
         chunk++) {
        result = steal_chunk(in, chunk * nr_in, nr_in, in_order);
        if (!result && nr_extents(out_order, limit) < nr_out) {
            result = -XEN_ENOMEM;
        }
        if (!result && l0_has_failed() && seen == -XEN_ENOMEM &&
            chunk == nr_exchanged / nr_in) {
            result = seen;
        }
        if (result) {
            end_chunk(GUEST);
            g_assert_cmpuint(nr_exchanged, ==, chunk * nr_in);
            return result;
        }
        for (i = chunk * nr_out; i < (chunk + 1) * nr_out && i < out->nr; i++) {
            got_extent(frames_entry(out->va, i), out_order, limit,
                       out->entries[i]);
        }
        if (i < (chunk + 1) * nr_out) {
            got_unknown(((chunk + 1) * nr_out - i) << out_order);
            result = -XEN_EFAULT;
        }
        end_chunk(FREE);
        if (result) {
            g_assert_cmpuint(nr_exchanged, ==, chunk * nr_in);
            return result;
        }
        nr_done[2]++;
    }
    g_assert_cmpuint(nr_exchanged, ==, op->in.nr_extents);
    return 0;
}

static void random_exchange(uint64_t va, uint64_t out_va)
{
    unsigned int in_order = random_order(), out_order = random_order();
    unsigned int order = MIN(MAX(in_order, out_order), MAX_ORDER), i;
    unsigned int which = below(40), chunks = 1 + below(one_in(6) ? 60 : 5);
    unsigned int most = MAX_ENTRIES >> order;
    struct xen_memory_exchange op = { .in.domid = DOMID_SELF }, *seen;
    struct list in, out;
    static uint64_t argument;
    bool follow = one_in(4);
    uint64_t mfn;
    long result;

    chunks = MIN(chunks, most);
    chunks = MAX(chunks, 1);
    op.in.extent_order = in_order;
    op.in.nr_extents = chunks << (order - MIN(in_order, order));
    op.out = op.in;
    op.out.extent_order = out_order;
    op.out.nr_extents = chunks << (order - MIN(out_order, order));
    op.out.mem_flags = random_bits();
    op.nr_exchanged = one_in(8) ? below(op.in.nr_extents + 2) : 0;
    for (i = 0; i < op.in.nr_extents; i++) {
        in.entries[i] = random_own();
    }
    /* Extents that follow each other, but none with what the kernel is in. */
    mfn = random_own() & -PAGES(order);
    for (i = 0; i < op.in.nr_extents && mfn >= FRAMES_FIRST && follow; i++) {
        in.entries[i] = mfn + ((uint64_t)i << in_order);
    }
    for (i = 0; i < op.out.nr_extents; i++) {
        out.entries[i] = 1000000 + below(1000000);
    }
    put_list(&in, va, op.in.nr_extents, which == 0);
    put_list(&out, out_va, op.out.nr_extents, which == 1);
    if (which == 2 && in_order == out_order) {
        out = in;
    }
    op.in.extent_start.p = (xen_pfn_t *)in.va;
    op.out.extent_start.p = (xen_pfn_t *)out.va;
    argument = argument ? argument : machine_put(&op, sizeof(op));
    seen = machine_at(argument);
    *seen = op;
    random_l0();
    result = machine_call(__HYPERVISOR_memory_op, XENMEM_exchange, argument, 0,
                          0);
    nr_errors[2] += result != 0;
    if (in_order > MAX_ORDER || out_order > MAX_ORDER) {
        g_assert_cmpint(result, ==, -XEN_EPERM);
    } else if (op.nr_exchanged > op.in.nr_extents) {
        g_assert_cmpint(result, ==, -XEN_EINVAL);
    } else if (op.nr_exchanged < op.in.nr_extents) {
        g_assert_cmpint(follow_exchange(&op, &in, &out, seen->nr_exchanged,
                                        result), ==, result);
        return;
    }
    g_assert_cmpuint(seen->nr_exchanged, ==, op.nr_exchanged);
}

/* What else happens to frames: they are written, and are tables for a while. */
static void random_use(void)
{
    uint64_t mfn = random_frame(), pfn = below(1000000), *words;
    unsigned int level = below(5);

    if (is(mfn, GUEST) && mfn >= FRAMES_FIRST) {
        words = frame(mfn);
        words[0] = words[511] = model[mfn].content = 1 + below(1000);
        if (one_in(4)) {
            set_mark(mfn, level);
            model[mfn].table = level;
        }
    }
    mfn = random_frame();
    g_assert_true(set_m2p(mfn, pfn) ==
                  (is(mfn, GUEST) || mfn == MACHINE_XENSTORE_MFN));
    if (is(mfn, GUEST)) {
        model[mfn].pfn = pfn;
    }
}

static void test_random(void)
{
    uint64_t nothing[MAX_ENTRIES] = { 0 }, va, out_va;
    unsigned int round;

    frames_start();
    va = machine_put(nothing, sizeof(nothing));
    out_va = machine_put(nothing, sizeof(nothing));
    model_begin();
    for (round = 0; round < ROUNDS; round++) {
        l0_refuses = round > ROUNDS / 2;
        frames_raise(one_in(2));
        switch (below(6)) {
        case 0:
            random_decrease(va);
            break;
        case 1:
            random_get(XENMEM_populate_physmap, va);
            break;
        case 2:
            random_get(XENMEM_increase_reservation, va);
            break;
        case 3 ... 4:
            random_exchange(va, out_va);
            break;
        default:
            random_use();
            break;
        }
        l0_is_good();
        check_model();
    }
    g_test_message("%u extents given back, %u got, %u chunks exchanged; "
                   "%u, %u, %u errors", nr_done[0], nr_done[1], nr_done[2],
                   nr_errors[0], nr_errors[1], nr_errors[2]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    machine_test("/monitor/frames_random/random", test_random);
    return g_test_run();
}
