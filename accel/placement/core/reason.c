/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why, in words. */

#include "model.h"

struct text {
    char *at;
    size_t left; /* with the final 0 */
    bool cut;
};

static void put_char(struct text *t, char c)
{
    if (t->left > 1) {
        *t->at++ = c;
        t->left--;
    } else {
        t->cut = true;
    }
}

static void put(struct text *t, const char *s)
{
    while (*s) {
        put_char(t, *s++);
    }
}

static void put_number(struct text *t, uint64_t n)
{
    if (n > 9) {
        put_number(t, n / 10);
    }
    put_char(t, (char)('0' + n % 10));
}

/* 1/1024 as per cent, with one decimal. */
static void put_percent(struct text *t, uint64_t n)
{
    n = (n * 1000 + PLACE_ONE / 2) / PLACE_ONE;
    put_number(t, n / 10);
    put_char(t, '.');
    put_char(t, (char)('0' + n % 10));
    put(t, " %");
}

static void put_set(struct text *t, const struct place_set *set)
{
    uint32_t words = PLACE_MAX_CPUS / 64, first, last;
    bool any = false;

    for (first = bit_next(set->word, words, 0); first < words * 64;
         first = bit_next(set->word, words, last + 1)) {
        for (last = first;
             last + 1 < words * 64 && bit_test(set->word, last + 1); last++) {
        }
        if (any) {
            put_char(t, ',');
        }
        any = true;
        put_number(t, first);
        if (last > first) {
            put_char(t, '-');
            put_number(t, last);
        }
    }
}

static struct text begin(char *text, size_t size)
{
    return (struct text){ text, size, size == 0 };
}

static void end(struct text *t)
{
    if (t->left) {
        *t->at = 0;
    }
}

bool place_set_text(const struct place_set *set, char *text, size_t size)
{
    struct text t = begin(text, size);

    put_set(&t, set);
    end(&t);
    return !t.cut;
}

static void put_cage(struct text *t, const struct place_host *h, uint32_t cage)
{
    const struct cage *c = &h->cage[cage];

    put(t, "CPUs ");
    put_set(t, &c->cpus);
    if (cage == h->all) {
        put(t, " (the whole host)");
    } else {
        put(t, c->nr_nodes > 1 ? " (nodes around " : " (node ");
        put_number(t, c->first_node);
        put_char(t, ')');
    }
}

static void put_action(struct text *t, const struct place_host *h,
                       const struct reason *r)
{
    static const char *const done[] = {
        " It was moved from ",
        " It was widened from ",
        " It was narrowed from ",
        " Its threads were put into LLCs of ",
    };

    put(t, done[r->action]);
    put_cage(t, h, r->from);
    if (r->action == PLACE_MERGED) {
        put(t, ", which keep ");
        put_number(t, r->gain);
        put(t, " % of its own events inside an LLC.");
        return;
    }
    put(t, ", whose threads waited ");
    put_percent(t, r->pressure_from);
    put(t, " of the time that they wanted to run (limit 5.0 %), to ");
    put_cage(t, h, r->to);
    put(t, ", whose threads waited ");
    put_percent(t, r->pressure_to);
    put(t, ".");
    if (r->action == PLACE_MOVED && r->gain) {
        put(t, " Expected to save ");
        put_number(t, r->gain / 1000);
        put(t, " ms a second at the cost of ");
        put_number(t, r->cost / 1000);
        put(t, " ms.");
    }
    switch (r->verdict) {
    case VERDICT_OPEN:
        put(t, " Not judged yet.");
        return;
    case VERDICT_KEPT:
        put(t, " Kept: ");
        break;
    case VERDICT_DEMAND_CHANGED:
        put(t, " Kept, as demand changed meanwhile: ");
        break;
    case VERDICT_HARM:
        put(t, " Rolled back, as it did harm: ");
        break;
    default:
        put(t, " Rolled back, as it gained nothing: ");
        break;
    }
    put_percent(t, r->measured);
    put(t, " in both afterwards.");
}

void place_explain(const struct place_host *h, uint32_t vm, uint32_t thread,
                   const char *name, uint64_t now, char *text, size_t size)
{
    const struct vm *v = &h->vm[vm];
    const struct reason *r = &v->reason;
    struct text t = begin(text, size);
    struct place_set mask;

    put(&t, name);
    if (thread != PLACE_NONE) {
        const struct thread *th = &h->thread[thread];

        put(&t, th->kind == PLACE_VCPU ? " vCPU " : " back-end thread ");
        put_number(&t, th->index);
        if (place_thread_mask(h, thread, &mask)) {
            put(&t, " may run on CPUs ");
            put_set(&t, &mask);
        } else {
            put(&t, " is left as it is");
        }
    } else {
        put(&t, " may run on ");
        put_cage(&t, h, v->cage);
    }
    put(&t, ", decided ");
    put_number(&t, (now - r->time) / PLACE_SECOND);
    put(&t, " s ago.");
    switch (r->code) {
    case REASON_ADMITTED:
        if (v->cage != v->home) {
            put(&t, " Nothing is changed in this mode; it would start on ");
        } else {
            put(&t, " At its start these had the cores, memory and room: ");
        }
        put_cage(&t, h, r->to);
        put(&t, ".");
        break;
    case REASON_NO_ROOM:
        put(&t, " At its start no node or set of nodes had room.");
        break;
    case REASON_DEDICATED:
        put(&t, " It has cores of its own, as its policy asks.");
        break;
    case REASON_IGNORED:
        put(&t, " Its policy is to be left alone.");
        break;
    case REASON_CPUS_CHANGED:
        put(&t, " The CPUs of ");
        put_cage(&t, h, r->from);
        put(&t, " no longer sufficed.");
        break;
    default:
        put_action(&t, h, r);
    }
    if (thread != PLACE_NONE) {
        const struct thread *th = &h->thread[thread];

        put(&t, " It wants ");
        put_percent(&t, th->demand);
        put(&t, " of a CPU and waits ");
        put_percent(&t, th->wait);
        put(&t, " of the time. Limits of others: ");
        if (th->class) {
            put(&t, "CPUs ");
            put_set(&t, &h->class[th->class].allowed);
        } else {
            put(&t, "none");
        }
        put(&t, ".");
    }
    end(&t);
}

void place_verdict_text(const struct place_host *h,
                        const struct place_vm_config *c,
                        const struct place_verdict *v, char *text, size_t size)
{
    struct text t = begin(text, size);
    const char *sep = " (refused for ";
    const struct {
        uint32_t n;
        const char *name;
    } refused[] = {
        { v->refused_cores, " too few cores" },
        { v->refused_memory, " too little memory" },
        { v->refused_load, " too much load" },
        { v->refused_allowed, " CPUs that are not allowed" },
    };
    uint32_t i;

    put_number(&t, c->vcpus);
    put(&t, c->vcpus == 1 ? " vCPU and " : " vCPUs and ");
    put_number(&t, c->memory);
    put(&t, v->fits ? " MiB fit " : " MiB fit no node or set of nodes");
    if (v->fits) {
        put_cage(&t, h, v->cage);
    }
    for (i = 0; i < 4; i++) {
        if (refused[i].n) {
            put(&t, sep);
            put_number(&t, refused[i].n);
            put(&t, refused[i].n == 1 ? " candidate:" : " candidates:");
            put(&t, refused[i].name);
            sep = ", ";
        }
    }
    if (sep[0] == ',') {
        put(&t, ")");
    }
    end(&t);
}

/* What is known --------------------------------------------------------- */

uint32_t place_nr_cages(const struct place_host *h)
{
    return h->nr_cages;
}

void place_cage_info(const struct place_host *h, uint32_t cage,
                     struct place_cage_info *info)
{
    const struct cage *c = &h->cage[cage];

    *info = (struct place_cage_info){
        .kind = c->kind,
        .is_node = bit_test(h->kind[PLACE_NODE], cage),
        .nr_nodes = c->nr_nodes,
        .first_node = c->first_node,
        .nr_cpus = c->nr_cpus,
        .nr_cores = c->nr_cores,
        .capacity = c->capacity,
        .load = place_load(h, cage),
        .pressure = c->pressure,
        .nr_threads = c->nr_threads,
        .cpus = c->cpus,
    };
}

void place_thread_info(const struct place_host *h, uint32_t thread,
                       struct place_thread_info *info)
{
    const struct thread *t = &h->thread[thread];
    struct place_set mask;

    *info = (struct place_thread_info){
        .vm = t->vm,
        .index = t->index,
        .cage = t->cage,
        .kind = t->kind,
        .demand = t->demand,
        .waiting = t->wait,
        .left_alone = !place_thread_mask(h, thread, &mask),
    };
}

void place_counts(const struct place_host *h, struct place_counts *c)
{
    *c = (struct place_counts){
        .vms = h->nr_vms,
        .threads = h->nr_threads,
        .classes = h->nr_classes,
        .edges = h->nr_edges,
        .actions = h->actions,
        .rolled_back = h->rolled_back,
        .nowhere = h->nowhere,
        .classes_refused = h->classes_refused,
        .suspended = h->suspended_until > h->last_now,
    };
}
