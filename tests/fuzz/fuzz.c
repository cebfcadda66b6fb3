/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fuzzer: four domains in one hub, and an input whose bytes are operations
 * on them: hypercalls by number with likely or arbitrary arguments, VIRQs and
 * PIRQs, changes of memory and mode, writes to guest memory, save and load.
 * With the first byte's highest bit a second thread writes to guest memory
 * meanwhile.
 *
 * Besides the sanitizers' findings it checks that each operation ends within a
 * bounded number of steps, that bindings stay consistent, and that all memory
 * is freed.
 */

#include <pthread.h>
#include <string.h>

#include "consumer.h"
#include "atomic.h"
#include "fuzz.h"

#define MAX_OPS 400

/* Not in every version of Xen's header. */
#define ERESTART 85

/* For an operation on one port; one on all ports may take so many for each. */
#define MAX_STEPS 1200

_Thread_local unsigned long fuzz_steps;

/* Domains ------------------------------------------------------------------ */

void fuzz_create(struct guest **g, struct world *w, uint8_t flavour)
{
    /* Few ports, to reach the limit; many, for several buckets and pages. */
    static const uint32_t ports[] = { 70, 200, 1500, 5000 };
    struct guest_config config[FUZZ_DOMAINS] = {
        { .domid = 0, .privileged = true, .nr_vcpus = 2, .nr_pirqs = 16 },
        { .domid = 1, .nr_vcpus = 3, .nr_pirqs = 40 },
        { .domid = 2, .nr_vcpus = 1, .word32 = true },
        { .domid = 3, .host = true },
    };

    config[0].no_fifo = flavour & 4;
    config[2].no_fifo = flavour & 8;
    config[1].no_vcpu_info = flavour & 16;
    config[1].abi_change = config[1].binding_changed = flavour & 32;
    config[0].deliver_2l = flavour & 64;
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        config[i].max_ports = ports[(flavour + i) % 4];
        g[i] = guest_new(w, &config[i]);
    }
}

void fuzz_destroy(struct guest **g, struct world *w)
{
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        guest_free(g[i]);
    }
    world_free(w);
}

/* A frame of the guest: often a new one, as operations need these. */
static uint64_t get_gfn(struct fuzz *f, struct guest *g)
{
    uint8_t how = get8(&f->in);

    if (how >= 0xf0) {
        return get64(&f->in);
    }
    if (how >= 0x60 && g->nr_frames < 100) {
        return guest_new_frame(g);
    }
    return GUEST_FIRST_GFN + how;
}

static uint16_t get_domid(struct fuzz *f)
{
    uint8_t how = get8(&f->in);

    return how < 0x80 ? DOMID_SELF : how < 0xf0 ? how % 5 : get16(&f->in);
}

static uint32_t get_port(struct fuzz *f)
{
    uint8_t how = get8(&f->in);

    return how < 0xe0 ? how & 31 : how < 0xf0 ? get16(&f->in) : get32(&f->in);
}

static uint32_t get_small(struct fuzz *f)
{
    uint8_t how = get8(&f->in);

    return how < 0xf8 ? how & 31 : get32(&f->in);
}

/* Operations -------------------------------------------------------------- */

union arg {
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_init_control init_control;
    struct evtchn_expand_array expand_array;
    struct evtchn_set_priority set_priority;
    struct evtchn_query_extended_abis query;
    struct evtchn_register_3level register_3level;
    uint8_t bytes[64];
};

/* Pages for bitmaps, listed in another page; some do not exist. */
static void likely_bitmaps(struct fuzz *f, struct guest *g,
                           struct evtchn_register_3level *reg)
{
    uint64_t lists = get_gfn(f, g);
    uint64_t *gfns = guest_frame(g, lists);
    uint8_t how = get8(&f->in);
    uint32_t pages = how & 1 ? EVTCHN_3L_NR_PAGES(guest_word_bits(g))
                             : how >> 1 & 15;

    reg->u.bitmaps.nr_pages = pages;
    reg->u.bitmaps.pending_gfns = lists << GUEST_FRAME_SHIFT;
    reg->u.bitmaps.mask_gfns = (lists << GUEST_FRAME_SHIFT) + pages * 8;
    if (how & 0x80) {
        reg->u.bitmaps.mask_gfns = get64(&f->in);
    }
    for (uint32_t i = 0; gfns && i < 2 * pages; i++) {
        gfns[i] = how & 0x40 ? get_gfn(f, g) :
                  g->nr_frames < 100 ? guest_new_frame(g) : GUEST_FIRST_GFN + i;
    }
}

/* An argument that may be valid. */
static void likely_arg(struct fuzz *f, struct guest *g, unsigned int cmd,
                       union arg *a)
{
    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        a->bind_interdomain.remote_dom = get_domid(f);
        a->bind_interdomain.remote_port = get_port(f);
        break;
    case EVTCHNOP_bind_virq:
        a->bind_virq.virq = get_small(f);
        a->bind_virq.vcpu = get8(&f->in) & 3;
        break;
    case EVTCHNOP_bind_pirq:
        a->bind_pirq.pirq = get_small(f);
        a->bind_pirq.flags = get8(&f->in);
        break;
    case EVTCHNOP_close:
    case EVTCHNOP_send:
    case EVTCHNOP_unmask:
        a->send.port = get_port(f);
        break;
    case EVTCHNOP_status:
        a->status.dom = get_domid(f);
        a->status.port = get_port(f);
        break;
    case EVTCHNOP_alloc_unbound:
        a->alloc_unbound.dom = get_domid(f);
        a->alloc_unbound.remote_dom = get_domid(f);
        break;
    case EVTCHNOP_bind_ipi:
        a->bind_ipi.vcpu = get8(&f->in) & 3;
        break;
    case EVTCHNOP_bind_vcpu:
        a->bind_vcpu.port = get_port(f);
        a->bind_vcpu.vcpu = get8(&f->in) & 3;
        break;
    case EVTCHNOP_reset:
    case EVTCHNOP_reset_cont:
        a->reset.dom = get_domid(f);
        break;
    case EVTCHNOP_init_control:
        a->init_control.control_gfn = get_gfn(f, g);
        a->init_control.vcpu = get8(&f->in) & 3;
        a->init_control.offset = get8(&f->in) << 3;
        break;
    case EVTCHNOP_expand_array:
        a->expand_array.array_gfn = get_gfn(f, g);
        break;
    case EVTCHNOP_set_priority:
        a->set_priority.port = get_port(f);
        a->set_priority.priority = get8(&f->in) & 31;
        break;
    case EVTCHNOP_register_3level:
        a->register_3level.cmd = get8(&f->in) & 3;
        if (a->register_3level.cmd == EVTCHN_3L_BITMAPS) {
            likely_bitmaps(f, g, &a->register_3level);
        } else {
            a->register_3level.u.l2_selector.gfn = get_gfn(f, g);
            a->register_3level.u.l2_selector.vcpu = get8(&f->in) & 3;
            a->register_3level.u.l2_selector.offset = get8(&f->in) << 4;
        }
        break;
    default:
        break;
    }
}

/* The list's page may itself be a bitmap, and have changed: ask the model. */
static void note_bitmaps(struct guest *g,
                         const struct evtchn_register_3level *reg)
{
    uint64_t gfns[EVTCHN_MAX_FRAMES];
    uint32_t nr, i;

    evtchn_save_frames(g->d, gfns, &nr);
    FUZZ_CHECK(nr == 2 * reg->u.bitmaps.nr_pages);
    for (i = 0; i < nr / 2; i++) {
        g->pending_map[i] = guest_frame(g, gfns[i]);
        g->mask_map[i] = guest_frame(g, gfns[nr / 2 + i]);
    }
    g->nr_maps = nr / 2;
}

/* Note what the guest has registered, for its consumer. */
static void note_success(struct guest *g, unsigned int cmd, const union arg *a)
{
    struct guest_vcpu *v;

    switch (cmd) {
    case EVTCHNOP_init_control:
        v = &g->vcpu[a->init_control.vcpu];
        memset(v->head, 0, sizeof(v->head));
        v->control =
            (void *)((char *)guest_frame(g, a->init_control.control_gfn) +
                     a->init_control.offset);
        break;
    case EVTCHNOP_expand_array:
        g->array[g->nr_array++] = guest_frame(g, a->expand_array.array_gfn);
        break;
    case EVTCHNOP_register_3level:
        if (a->register_3level.cmd == EVTCHN_3L_BITMAPS) {
            note_bitmaps(g, &a->register_3level);
        } else {
            v = &g->vcpu[a->register_3level.u.l2_selector.vcpu];
            v->l2_selector = (void *)(
                (char *)guest_frame(g, a->register_3level.u.l2_selector.gfn) +
                a->register_3level.u.l2_selector.offset);
        }
        break;
    default:
        break;
    }
}

/* Forget it after a reset, which another domain may have made. */
static void forget_memory(struct guest *g)
{
    if (evtchn_domain_abi(g->d) != EVTCHN_ABI_3L) {
        g->nr_maps = 0;
    }
    if (evtchn_domain_abi(g->d) != EVTCHN_ABI_FIFO && g->nr_array) {
        memset(g->array, 0, sizeof(g->array));
        g->nr_array = 0;
    }
    for (uint32_t i = 0; i < g->nr_vcpus && !g->mapped; i++) {
        g->vcpu[i].control = NULL;
        g->vcpu[i].l2_selector = NULL;
    }
}

static void hypercall(struct fuzz *f, struct guest *g)
{
    unsigned int cmd = get8(&f->in);
    bool copy_back;
    union arg a;
    size_t size;
    int rc;

    memset(&a, 0, sizeof(a));
    if (cmd < 0xe0) {
        cmd %= 16;
        /* Xen's commands end at 14; 3-level's are 128 and 129. */
        if (cmd == 15) {
            cmd = get8(&f->in) & 15 ? EVTCHNOP_register_3level
                                    : EVTCHNOP_query_extended_abis;
        }
        likely_arg(f, g, cmd, &a);
    } else {
        cmd = cmd == 0xff ? get32(&f->in) :
              cmd == 0xef ? EVTCHNOP_register_3level : cmd & 15;
        for (size_t i = 0; i < sizeof(a.bytes); i++) {
            a.bytes[i] = get8(&f->in);
        }
    }
    size = evtchn_op_size(cmd, &copy_back);
    FUZZ_CHECK(size <= sizeof(a));
    rc = evtchn_op(g->d, cmd, &a);
    FUZZ_CHECK(rc <= 0 && rc > -200);
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        forget_memory(f->g[i]);
    }
    if (!rc) {
        note_success(g, cmd, &a);
    }
    FUZZ_CHECK(size || rc == -XEN_ENOSYS);
    FUZZ_CHECK(rc != -ERESTART || cmd == EVTCHNOP_reset ||
               cmd == EVTCHNOP_reset_cont);
}

/* Many ports at once, up to the limit; a reset then takes several pieces. */
static void bind_many(struct fuzz *f, struct guest *g)
{
    uint32_t port, nr = get8(&f->in) * 8;
    bool ipi = get8(&f->in) & 1;
    int rc = 0;

    while (nr-- && !rc) {
        rc = ipi ? evtchn_bind_ipi(g->d, 0, &port) :
                   evtchn_alloc_unbound(g->d, DOMID_SELF, nr % 4, &port);
        FUZZ_CHECK(!rc || rc == -XEN_ENOSPC);
        FUZZ_CHECK(fuzz_steps <= MAX_STEPS);
        fuzz_steps = 0;
    }
}

static void poll_ports(struct fuzz *f, struct guest *g)
{
    uint32_t ports[8], nr = get8(&f->in) % 8;
    uint32_t vcpu = get8(&f->in) & 3;
    int rc;

    for (uint32_t i = 0; i < nr; i++) {
        ports[i] = get_port(f);
    }
    rc = evtchn_poll(g->d, vcpu, ports, nr);
    FUZZ_CHECK(rc == 0 || rc == 1 || rc == -XEN_EINVAL);
    if (get8(&f->in) & 1) {
        evtchn_poll_cancel(g->d, vcpu);
    }
}

/* A word of any frame of the guest, often one that is in use. */
static uint32_t *get_word(struct input *in, struct guest *g)
{
    uint32_t nr =
        g->nr_frames < GUEST_MAX_FRAMES ? g->nr_frames : GUEST_MAX_FRAMES;
    uint8_t how = get8(in);
    uint32_t *frame = nr ? g->frame[how % nr] : NULL;

    return frame ? &frame[how & 0x80 ? get16(in) % GUEST_WORDS_PER_FRAME :
                                       get8(in) & 63] :
                   NULL;
}

static uint32_t get_value(struct input *in)
{
    uint8_t how = get8(in);

    /* An event word: flags and a link to one of the first ports. */
    return how < 0xf0 ? (uint32_t)how >> 4 << 28 | (how & 15) : get32(in);
}

static void write_word(struct fuzz *f, struct guest *g)
{
    uint32_t *word = get_word(&f->in, g);
    uint32_t value = get_value(&f->in);

    if (word) {
        evtchn_store(word, value);
    }
}

static void ignore_event(struct guest_vcpu *v, uint32_t port, void *opaque)
{
    (void)v;
    (void)port;
    (void)opaque;
}

static void change_memory(struct fuzz *f, struct guest *g)
{
    uint8_t how = get8(&f->in);
    uint32_t vcpu = get8(&f->in) & 3;

    if (g->d == f->g[3]->d || !g->shared_info) {
        return;
    }
    switch (how & 7) {
    case 0:
        evtchn_domain_set_shared_info(g->d, NULL);
        break;
    case 1:
        evtchn_domain_set_shared_info(g->d, g->shared_info);
        break;
    case 2:
        evtchn_vcpu_set_info(g->d, vcpu, NULL, how & 8);
        break;
    case 3:
        evtchn_vcpu_set_info(
            g->d, vcpu,
            (char *)g->shared_info + vcpu * sizeof(struct vcpu_info), how & 8);
        break;
    case 4:
        /* shared_info's content stays: its bits get another meaning. */
        g->long_mode = how & 8;
        evtchn_domain_set_long_mode(g->d, how & 8);
        break;
    default:
        vcpu %= g->nr_vcpus;
        /* In 2-level this looks at every port, of which there may be many. */
        if (!f->racing && g->vcpu[vcpu].info &&
            (evtchn_domain_abi(g->d) != EVTCHN_ABI_2L ||
             g->max_ports >= 4096)) {
            guest_upcall(&g->vcpu[vcpu], ignore_event, NULL);
        }
        break;
    }
}

/* Returns whether the operation may go through all ports. */
static bool run_op(struct fuzz *f, uint8_t flavour)
{
    uint8_t op = get8(&f->in);
    struct guest *g = f->g[op & 3];
    struct evtchn_port_info info;
    uint32_t port;

    switch (op >> 2 & 31) {
    case 0 ... 15:
        hypercall(f, g);
        return true;
    case 16 ... 19:
        evtchn_raise_port(g->d, get_port(f));
        return false;
    case 20:
        evtchn_raise_virq(g->d, get8(&f->in) & 3, get_small(f));
        return false;
    case 21:
        evtchn_raise_pirq(g->d, get_small(f));
        return false;
    case 22:
        poll_ports(f, g);
        return true;
    case 23:
        port = get_port(f);
        FUZZ_CHECK(evtchn_port_info(g->d, port, &info) ==
                   (port < evtchn_domain_valid_ports(g->d) ? 0 : -XEN_EINVAL));
        return false;
    case 24 ... 25:
        change_memory(f, g);
        return true;
    case 26:
        if (f->racing) {
            return false;
        }
        if (get8(&f->in) & 1) {
            fuzz_load_anything(f, flavour);
        } else {
            fuzz_save_and_load(f, flavour);
        }
        fuzz_steps = 0;
        return false;
    case 27:
        bind_many(f, g);
        return false;
    default:
        write_word(f, g);
        return false;
    }
}

/* The other thread -------------------------------------------------------- */

struct racer {
    struct guest **g;
    struct input in;
    bool stop;
};

static void *race(void *opaque)
{
    struct racer *r = opaque;
    struct input in = r->in;

    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
        uint32_t *word;

        if (!in.size) {
            in = r->in;
        }
        word = get_word(&in, r->g[get8(&in) % 3]);
        if (word) {
            __atomic_store_n(word, get_value(&in), __ATOMIC_RELAXED);
        }
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = { .in = { .data = data, .size = size } };
    uint8_t flavour = get8(&f.in);
    struct racer racer = { .g = f.g };
    pthread_t thread;

    f.racing = flavour & 0x80 && size > 8;
    f.world = world_new();
    fuzz_create(f.g, f.world, flavour);
    if (f.racing) {
        racer.in = f.in;
        FUZZ_CHECK(!pthread_create(&thread, NULL, race, &racer));
    }
    for (unsigned int i = 0; i < MAX_OPS && f.in.size; i++) {
        unsigned long max = MAX_STEPS;

        fuzz_steps = 0;
        if (run_op(&f, flavour)) {
            for (unsigned int n = 0; n < FUZZ_DOMAINS; n++) {
                max += 64ul * evtchn_domain_valid_ports(f.g[n]->d);
            }
        }
        FUZZ_CHECK(fuzz_steps <= max);
        if (i % 16 == 15) {
            fuzz_check_all(f.g);
        }
    }
    fuzz_check_all(f.g);
    if (f.racing) {
        __atomic_store_n(&racer.stop, true, __ATOMIC_RELAXED);
        FUZZ_CHECK(!pthread_join(thread, NULL));
    }
    fuzz_destroy(f.g, f.world);
    return 0;
}
