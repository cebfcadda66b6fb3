/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Save and load of the event-channel device's state, in each ABI, with the very
 * VMState and model that the device has, and a guest of a few pages.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "io/channel-buffer.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "../migration/qemu-file.h"
#include "../migration/savevm.h"

#include "hw/xen-evtchn/qemu/migration.h"

#define GUEST_ID        1
#define NO_HOST_ID      5
#define NR_VCPUS        2
#define NR_PIRQS        60
#define NR_PAGES        24
#define SHARED_INFO     0   /* page numbers */
#define VCPU_INFO       1
#define CONTROL         2   /* or 3-level's L2 selectors */
#define ARRAY           3   /* and the next one */
#define PENDING         5   /* 3-level: and the next seven */
#define MASK            13  /* the same */
#define BITMAP_PAGES    8

#define OFFER_FIFO      1
#define OFFER_3L        2

#define WORD_PENDING    0x80000000
#define WORD_MASKED     0x40000000
#define WORD_LINKED     0x20000000
#define WORD_LINK       0x0001ffff

/* One side of a migration. */
typedef struct Side {
    struct evtchn_hub *hub;
    struct evtchn_domain *guest;
    struct evtchn_domain *host;
    uint8_t (*memory)[EVTCHN_FRAME_SIZE];
    unsigned int upcalls;
    unsigned int mapped;
    bool loaded_all;
    XenEvtchnStream stream;
} Side;

static void *env_alloc(void *opaque, size_t size)
{
    return g_malloc0(size);
}

static void env_free(void *opaque, void *ptr, size_t size)
{
    g_free(ptr);
}

static void env_lock_nop(void *lock)
{
}

static void env_relax(unsigned int spins)
{
}

static void *env_map_frame(void *opaque, uint64_t gfn)
{
    Side *side = opaque;

    if (gfn >= NR_PAGES) {
        return NULL;
    }
    side->mapped++;
    return side->memory[gfn];
}

static void env_unmap_frame(void *opaque, uint64_t gfn, void *frame)
{
    Side *side = opaque;

    side->mapped--;
}

static void env_raise_upcall(void *opaque, uint32_t vcpu)
{
    Side *side = opaque;

    side->upcalls++;
}

static void env_wake_poller(void *opaque, uint32_t vcpu)
{
}

static void env_notify(void *opaque, uint32_t port)
{
}

static const struct evtchn_env env = {
    .alloc = env_alloc,
    .free = env_free,
    .lock_size = 8,
    .lock_init = env_lock_nop,
    .lock_destroy = env_lock_nop,
    .lock = env_lock_nop,
    .unlock = env_lock_nop,
    .relax = env_relax,
    .map_frame = env_map_frame,
    .unmap_frame = env_unmap_frame,
    .raise_upcall = env_raise_upcall,
    .wake_poller = env_wake_poller,
    .notify = env_notify,
};

static Side *side_new(unsigned int offer, uint32_t max_ports)
{
    struct evtchn_domain_config guest = {
        .domid = GUEST_ID,
        .nr_vcpus = NR_VCPUS,
        .nr_pirqs = NR_PIRQS,
        .max_ports = max_ports,
        .fifo = offer & OFFER_FIFO,
        .three_level = offer & OFFER_3L,
    };
    struct evtchn_domain_config host = {
        .nr_vcpus = 1,
        .max_ports = EVTCHN_MAX_PORTS,
        .host = true,
        .privileged = true,
    };
    Side *side = g_new0(Side, 1);
    int i;

    side->memory = g_malloc0(NR_PAGES * sizeof(*side->memory));
    side->hub = evtchn_hub_create(&env, side);
    g_assert_cmpint(evtchn_domain_create(side->hub, &guest, &env, side,
                                         &side->guest), ==, 0);
    g_assert_cmpint(evtchn_domain_create(side->hub, &host, &env, side,
                                         &side->host), ==, 0);
    evtchn_domain_set_shared_info(side->guest, side->memory[SHARED_INFO]);
    side->stream.shared_info = side->memory[SHARED_INFO];
    for (i = 0; i < NR_VCPUS; i++) {
        evtchn_vcpu_set_info(side->guest, i, side->memory[VCPU_INFO] + 64 * i,
                             false);
    }
    side->stream.domain = side->guest;
    side->stream.max_ports = max_ports;
    side->stream.fifo = offer & OFFER_FIFO;
    side->stream.three_level = offer & OFFER_3L;
    side->stream.nr_pirqs = NR_PIRQS;
    side->stream.nr_pirq_inuse_words = 1;
    return side;
}

static void side_free(Side *side)
{
    g_free(side->stream.pirq_inuse);
    evtchn_domain_destroy(side->guest);
    evtchn_domain_destroy(side->host);
    evtchn_hub_destroy(side->hub);
    g_assert_cmpuint(side->mapped, ==, 0);
    g_free(side->memory);
    g_free(side);
}

static GByteArray *save(Side *side)
{
    QIOChannelBuffer *buffer = qio_channel_buffer_new(4096);
    QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(buffer));
    GByteArray *bytes = g_byte_array_new();

    if (!side->stream.pirq_inuse) {
        side->stream.pirq_inuse = g_new0(uint64_t, 1);
    }
    g_assert_cmpint(vmstate_save_state(f, &vmstate_xen_evtchn_stream,
                                       &side->stream, NULL), ==, 0);
    qemu_put_byte(f, QEMU_VM_EOF);
    g_assert_cmpint(qemu_fflush(f), ==, 0);
    g_byte_array_append(bytes, buffer->data, buffer->usage);
    qemu_fclose(f);
    object_unref(OBJECT(buffer));
    return bytes;
}

static int load(Side *side, const GByteArray *bytes)
{
    QIOChannelBuffer *buffer = qio_channel_buffer_new(bytes->len);
    QEMUFile *f;
    int ret;

    memcpy(buffer->data, bytes->data, bytes->len);
    buffer->usage = bytes->len;
    f = qemu_file_new_input(QIO_CHANNEL(buffer));
    ret = vmstate_load_state(f, &vmstate_xen_evtchn_stream, &side->stream, 1);
    side->loaded_all = !ret && qemu_get_byte(f) == QEMU_VM_EOF &&
                       !qemu_file_get_error(f);
    /* And nothing is behind that. */
    qemu_get_byte(f);
    side->loaded_all &= qemu_file_get_error(f) != 0;
    qemu_fclose(f);
    object_unref(OBJECT(buffer));
    return ret;
}

/*
 * The stream that a version of before has saved of the guest @side. A new one is
 * written where there is none, if the environment has XENKVM_KEEP_STREAMS.
 */
static GByteArray *kept_stream(Side *side, const char *name)
{
    g_autofree char *file = g_strdup_printf("%s/%s", STREAMS, name);
    char *data;
    gsize length;

    if (g_getenv("XENKVM_KEEP_STREAMS") &&
        !g_file_test(file, G_FILE_TEST_EXISTS)) {
        g_autoptr(GByteArray) bytes = save(side);

        g_assert(g_file_set_contents(file, (char *)bytes->data, bytes->len,
                                     NULL));
    }
    g_assert(g_file_get_contents(file, &data, &length, NULL));
    return g_byte_array_new_take((guint8 *)data, length);
}

/*
 * To a new machine of the same kind, with the guest's memory, by the stream that was
 * kept as @kept, if that is not NULL; frees @from.
 */
static Side *migrate_by(Side *from, const char *kept)
{
    g_autoptr(GByteArray) bytes = kept ? kept_stream(from, kept) : save(from);
    Side *to = side_new((from->stream.fifo ? OFFER_FIFO : 0) |
                        (from->stream.three_level ? OFFER_3L : 0),
                        from->stream.max_ports);
    uint32_t port;

    /* As QEMU binds the console's, before it loads memory. */
    do {
        g_assert(!evtchn_bind_ipi(to->guest, 0, &port));
    } while (port < 16);
    memcpy(to->memory, from->memory, NR_PAGES * sizeof(*to->memory));
    g_assert_cmpint(load(to, bytes), ==, 0);
    g_assert(to->loaded_all);
    side_free(from);
    return to;
}

static Side *migrate(Side *from)
{
    return migrate_by(from, NULL);
}

static uint32_t *event_word(Side *side, uint32_t port)
{
    return (uint32_t *)side->memory[ARRAY + port / 1024] + port % 1024;
}

static void assert_state(Side *side, uint32_t port, enum evtchn_state state,
                         uint32_t vcpu)
{
    struct evtchn_port_info info;

    g_assert_cmpint(evtchn_port_info(side->guest, port, &info), ==, 0);
    g_assert_cmpint(info.state, ==, state);
    g_assert_cmpint(info.vcpu, ==, vcpu);
}

typedef struct Ports {
    uint32_t to_host, host, timer, global, ipi, pirq, unbound, pair[2], gap;
} Ports;

/* One of each kind; and a closed one in between. */
static void bind_all(Side *side, Ports *p)
{
    struct evtchn_domain *d = side->guest;

    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &p->to_host));
    g_assert(!evtchn_bind_interdomain(side->host, GUEST_ID, p->to_host,
                                      &p->host));
    g_assert(!evtchn_bind_virq(d, 0, 1, &p->timer));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &p->gap));
    g_assert(!evtchn_bind_virq(d, 2, 0, &p->global));
    g_assert(!evtchn_bind_vcpu(d, p->global, 1));
    g_assert(!evtchn_bind_ipi(d, 1, &p->ipi));
    g_assert(!evtchn_bind_pirq(d, 17, 0, &p->pirq));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &p->unbound));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0x7ff0, &p->pair[0]));
    g_assert(!evtchn_bind_interdomain(d, 0x7ff0, p->pair[0], &p->pair[1]));
    g_assert(!evtchn_close(d, p->gap));
}

static void check_all(Side *side, const Ports *p)
{
    struct evtchn_domain *d = side->guest;
    uint32_t port;

    /* A back end binds anew. */
    assert_state(side, p->to_host, EVTCHN_UNBOUND, 0);
    g_assert(!evtchn_bind_interdomain(side->host, GUEST_ID, p->to_host, &port));
    assert_state(side, p->timer, EVTCHN_VIRQ, 1);
    g_assert_cmpuint(evtchn_virq_port(d, 1, 0), ==, p->timer);
    assert_state(side, p->global, EVTCHN_VIRQ, 1);
    g_assert_cmpuint(evtchn_virq_port(d, 0, 2), ==, p->global);
    assert_state(side, p->ipi, EVTCHN_IPI, 1);
    assert_state(side, p->pirq, EVTCHN_PIRQ, 0);
    g_assert_cmpuint(evtchn_pirq_port(d, 17), ==, p->pirq);
    assert_state(side, p->unbound, EVTCHN_UNBOUND, 0);
    assert_state(side, p->pair[0], EVTCHN_INTERDOMAIN, 0);
    assert_state(side, p->pair[1], EVTCHN_INTERDOMAIN, 0);
    assert_state(side, p->gap, EVTCHN_CLOSED, 0);
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &port));
    g_assert_cmpuint(port, ==, p->gap);
}

/* Of a kept stream the guest was offered more. */
static void test_2l(gconstpointer kept)
{
    Side *side = kept ? side_new(OFFER_FIFO | OFFER_3L, 262144)
                      : side_new(0, 4096);
    unsigned int upcalls;
    Ports p;

    bind_all(side, &p);
    evtchn_send(side->guest, p.ipi);
    side = migrate_by(side, kept);

    g_assert_cmpint(evtchn_domain_abi(side->guest), ==, EVTCHN_ABI_2L);
    check_all(side, &p);
    /* Bits are the guest's memory; a new event reaches the right vCPU. */
    g_assert(*(uint64_t *)(side->memory[SHARED_INFO] + 0x800) & 1 << p.ipi);
    memset(side->memory[VCPU_INFO], 0, EVTCHN_FRAME_SIZE);
    upcalls = side->upcalls;
    evtchn_raise_virq(side->guest, 1, 0);
    g_assert_cmpuint(side->upcalls, ==, upcalls + 1);
    g_assert_cmpint(side->memory[VCPU_INFO][64], ==, 1);
    side_free(side);
}

/*
 * An event of a port that its guest's word size has no bit for is in no memory:
 * it waits in the stream until the guest is 64-bit again.
 */
static void test_2l_retry(void)
{
    Side *from = side_new(0, 4096);
    Side *to = side_new(0, 4096);
    g_autoptr(GByteArray) bytes = NULL;
    uint64_t *pending;
    uint32_t port, quiet;

    do {
        g_assert(!evtchn_bind_ipi(from->guest, 1, &port));
    } while (port < 1500);
    g_assert(!evtchn_bind_ipi(from->guest, 1, &quiet));
    evtchn_domain_set_long_mode(from->guest, false);
    g_assert(!evtchn_send(from->guest, port));
    bytes = save(from);

    memcpy(to->memory, from->memory, NR_PAGES * sizeof(*to->memory));
    evtchn_domain_set_long_mode(to->guest, false);
    g_assert_cmpint(load(to, bytes), ==, 0);
    g_assert(to->loaded_all);
    g_assert_cmpuint(to->upcalls, ==, 0);
    evtchn_domain_set_long_mode(to->guest, true);
    pending = (uint64_t *)(to->memory[SHARED_INFO] + 0x800);
    g_assert_cmphex(pending[port / 64], ==, UINT64_C(1) << port % 64);
    g_assert_cmphex(pending[quiet / 64] >> quiet % 64 & 1, ==, 0);
    g_assert_cmpuint(to->upcalls, ==, 1);
    side_free(from);
    side_free(to);
}

/* What QEMU 8.0 to 10.0 writes. */
static const uint8_t v1_stream[] = {
    0x02, 0, 0, 0, 0, 0, 0, 0xf3,               /* callback_param */
    0, 0, 0, 6,                                 /* nr_ports */
    0, 0, 0, 0, 0, 0, 0, 0,                     /* port 0 */
    0, 0, 0, 0, 0, 2, 0x80, 9,                  /* 1: interdomain, QEMU's 9 */
    0, 0, 0, 1, 0, 4, 0, 0,                     /* 2: virq 0, vCPU 1 */
    0, 0, 0, 0, 0, 0, 0, 0,                     /* 3: closed */
    0, 0, 0, 1, 0, 5, 0, 0,                     /* 4: ipi, vCPU 1 */
    0, 0, 0, 0, 0, 3, 0, 17,                    /* 5: pirq 17 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  /* gsi_pirq[0..7] */
    0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* [8..15] */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  /* [16..23] */
    0, 0, 0, 0, 0, 2, 0, 0,                     /* PIRQs in use */
    0, 0, 0, 0,                                 /* pirq_gsi_set */
    QEMU_VM_EOF
};

static void test_2l_v1(void)
{
    g_autoptr(GByteArray) old = g_byte_array_new();
    g_autoptr(GByteArray) ours = NULL;
    Side *side = side_new(0, 4096);
    uint32_t port;

    g_byte_array_append(old, v1_stream, sizeof(v1_stream));
    g_assert_cmpint(load(side, old), ==, 0);
    g_assert(side->loaded_all);
    assert_state(side, 1, EVTCHN_UNBOUND, 0);
    assert_state(side, 2, EVTCHN_VIRQ, 1);
    assert_state(side, 4, EVTCHN_IPI, 1);
    assert_state(side, 5, EVTCHN_PIRQ, 0);
    g_assert_cmphex(side->stream.callback_param, ==, 0x02000000000000f3);
    g_assert_cmpint(side->stream.gsi_pirq[9], ==, 17);

    /* And we write the same, but for the number of QEMU's own port. */
    do {
        g_assert(!evtchn_alloc_unbound(side->host, 0x7ff0, 0x7ff0, &port));
    } while (port < 8);
    g_assert(!evtchn_bind_interdomain(side->host, GUEST_ID, 1, &port));
    g_assert_cmpuint(port, ==, 9);
    ours = save(side);
    g_assert_cmpmem(ours->data, ours->len, old->data, old->len);
    side_free(side);
}

static void make_fifo(Side *side)
{
    uint8_t link_bits;

    g_assert(!evtchn_init_control(side->guest, CONTROL, 0, 0, &link_bits));
    g_assert(!evtchn_init_control(side->guest, CONTROL, 128, 1, &link_bits));
    g_assert(!evtchn_expand_array(side->guest, ARRAY));
    g_assert_cmpint(evtchn_domain_abi(side->guest), ==, EVTCHN_ABI_FIFO);
}

/* The HEAD of @vcpu's queue. */
static uint32_t *head(Side *side, uint32_t vcpu, unsigned int priority)
{
    return (uint32_t *)(side->memory[CONTROL] + 128 * vcpu + 8) + priority;
}

static void test_fifo(gconstpointer kept)
{
    Side *side = side_new(OFFER_FIFO, 131072);
    struct evtchn_port_info info;
    struct evtchn_port_state state;
    Ports p;

    make_fifo(side);
    bind_all(side, &p);
    g_assert(!evtchn_set_priority(side->guest, p.ipi, 3));
    g_assert(!evtchn_set_priority(side->guest, p.timer, 3));
    g_assert(!evtchn_set_priority(side->guest, p.pirq, 3));
    g_assert(!evtchn_send(side->guest, p.ipi));
    evtchn_raise_virq(side->guest, 1, 0);
    /* On a queue that is not its own any more. */
    evtchn_raise_pirq(side->guest, 17);
    g_assert(!evtchn_set_priority(side->guest, p.pirq, 5));
    g_assert(!evtchn_bind_vcpu(side->guest, p.pirq, 1));

    side = migrate_by(side, kept);
    g_assert_cmpint(evtchn_domain_abi(side->guest), ==, EVTCHN_ABI_FIFO);
    g_assert_cmpuint(side->mapped, ==, 3);
    assert_state(side, p.pirq, EVTCHN_PIRQ, 1);
    g_assert(!evtchn_save_port(side->guest, p.pirq, &state));
    g_assert_cmpint(state.priority, ==, 5);
    g_assert_cmpint(state.last_priority, ==, 3);
    g_assert_cmpint(state.last_vcpu, ==, 0);
    g_assert(!evtchn_port_info(side->guest, p.timer, &info));
    g_assert(info.pending && info.linked);
    g_assert_cmpint(info.priority, ==, 3);
    g_assert(!evtchn_bind_vcpu(side->guest, p.pirq, 0));
    check_all(side, &p);

    /* The next event goes behind the tail, which is not in guest memory. */
    g_assert_cmpuint(*head(side, 1, 3), ==, p.ipi);
    g_assert_cmpuint(*event_word(side, p.ipi) & WORD_LINK, ==, p.timer);
    g_assert(!evtchn_set_priority(side->guest, p.global, 3));
    evtchn_raise_virq(side->guest, 0, 2);
    g_assert_cmpuint(*head(side, 1, 3), ==, p.ipi);
    g_assert_cmpuint(*event_word(side, p.timer) & WORD_LINK, ==, p.global);
    side_free(side);
}

/* An event whose array page is missing is not in guest memory at all. */
static void test_fifo_page_missing(void)
{
    Side *side = side_new(OFFER_FIFO, 131072);
    uint32_t port;

    make_fifo(side);
    do {
        g_assert(!evtchn_bind_ipi(side->guest, 0, &port));
    } while (port < 1500);
    g_assert(!evtchn_send(side->guest, port));

    side = migrate(side);
    assert_state(side, port, EVTCHN_IPI, 0);
    g_assert_cmphex(*event_word(side, port), ==, 0);
    g_assert(!evtchn_expand_array(side->guest, ARRAY + 1));
    g_assert_cmphex(*event_word(side, port) & (WORD_PENDING | WORD_LINKED), ==,
                    WORD_PENDING | WORD_LINKED);
    g_assert_cmpuint(*head(side, 0, 7), ==, port);
    side_free(side);
}

/* A number that was closed while linked is not given out before its time. */
static void test_fifo_closed_linked(void)
{
    Side *side = side_new(OFFER_FIFO, 131072);
    uint32_t port, other;

    make_fifo(side);
    g_assert(!evtchn_bind_ipi(side->guest, 1, &port));
    g_assert(!evtchn_send(side->guest, port));
    g_assert(!evtchn_close(side->guest, port));
    g_assert(*event_word(side, port) & WORD_LINKED);

    side = migrate(side);
    assert_state(side, port, EVTCHN_CLOSED, 0);
    g_assert(!evtchn_bind_ipi(side->guest, 1, &other));
    g_assert_cmpuint(other, !=, port);
    g_assert(!evtchn_send(side->guest, other));
    g_assert_cmpuint(*head(side, 1, 7), ==, port);
    g_assert_cmpuint(*event_word(side, port) & WORD_LINK, ==, other);
    side_free(side);
}

static void register_bitmaps(Side *side)
{
    uint64_t gfns[2 * BITMAP_PAGES];
    int i;

    for (i = 0; i < BITMAP_PAGES; i++) {
        gfns[i] = PENDING + i;
        gfns[BITMAP_PAGES + i] = MASK + i;
    }
    g_assert(!evtchn_register_bitmaps(side->guest, gfns, BITMAP_PAGES));
    g_assert_cmpint(evtchn_domain_abi(side->guest), ==, EVTCHN_ABI_3L);
}

static void register_selector(Side *side, uint32_t vcpu)
{
    g_assert(!evtchn_register_l2_selector(side->guest, vcpu, CONTROL,
                                          512 * vcpu));
}

static bool bit_of(Side *side, unsigned int page, uint32_t bit)
{
    return side->memory[page + bit / 32768][bit % 32768 / 8] >> (bit % 8) & 1;
}

static bool l2_bit(Side *side, uint32_t vcpu, uint32_t port)
{
    return bit_of(side, CONTROL, 4096 * vcpu + port / 64);
}

static uint64_t l1(Side *side, uint32_t vcpu)
{
    return ((uint64_t *)side->memory[VCPU_INFO])[8 * vcpu + 1];
}

/* Of a kept stream with fewer ports, as each has its place there. */
static void test_3l(gconstpointer kept)
{
    Side *side = side_new(OFFER_3L, 262144);
    uint32_t high = kept ? 150 : 100000;
    unsigned int upcalls;
    uint32_t port;
    Ports p;

    register_bitmaps(side);
    register_selector(side, 0);
    register_selector(side, 1);
    do {
        g_assert(!evtchn_bind_ipi(side->guest, 1, &port));
    } while (port < 2 * high);
    bind_all(side, &p);
    /* Masked, in a page that the load has to map as a mask. */
    side->memory[MASK + high / 32768][high % 32768 / 8] |= 1 << (high % 8);
    g_assert(!evtchn_send(side->guest, p.ipi));

    side = migrate_by(side, kept);
    g_assert_cmpint(evtchn_domain_abi(side->guest), ==, EVTCHN_ABI_3L);
    g_assert_cmpuint(side->mapped, ==, 2 * BITMAP_PAGES + 2);
    check_all(side, &p);
    assert_state(side, high, EVTCHN_IPI, 1);
    g_assert(bit_of(side, PENDING, p.ipi));
    g_assert(l2_bit(side, 1, p.ipi));
    g_assert_cmphex(l1(side, 1), ==, UINT64_C(1) << (p.ipi / 4096));

    upcalls = side->upcalls;
    g_assert(!evtchn_send(side->guest, high));
    g_assert(bit_of(side, PENDING, high));
    g_assert(!l2_bit(side, 1, high));
    memset(side->memory[VCPU_INFO], 0, EVTCHN_FRAME_SIZE);
    g_assert(!evtchn_unmask(side->guest, high));
    g_assert(l2_bit(side, 1, high));
    g_assert_cmphex(l1(side, 1), ==, UINT64_C(1) << (high / 4096));
    g_assert_cmpuint(side->upcalls, ==, upcalls + 1);
    side_free(side);
}

/* An event whose vCPU has no selector is selected when that comes. */
static void test_3l_selector_missing(void)
{
    Side *side = side_new(OFFER_3L | OFFER_FIFO, 262144);
    uint32_t port;

    register_bitmaps(side);
    register_selector(side, 0);
    g_assert(!evtchn_bind_ipi(side->guest, 1, &port));
    g_assert(!evtchn_send(side->guest, port));

    side = migrate(side);
    g_assert(bit_of(side, PENDING, port));
    g_assert_cmphex(l1(side, 1), ==, 0);
    register_selector(side, 1);
    g_assert(l2_bit(side, 1, port));
    g_assert_cmphex(l1(side, 1), ==, 1);
    g_assert_cmpuint(side->upcalls, ==, 1);
    side_free(side);
}

/* A 32-bit guest's: two pages, and a selector at the very end of one. */
static void test_3l_32(void)
{
    Side *side = side_new(OFFER_3L, 262144);
    uint64_t gfns[] = { PENDING, MASK };
    uint32_t port;

    evtchn_domain_set_long_mode(side->guest, false);
    g_assert(!evtchn_register_bitmaps(side->guest, gfns, 1));
    g_assert(!evtchn_register_l2_selector(side->guest, 0, CONTROL, 4096 - 128));
    do {
        g_assert(!evtchn_bind_ipi(side->guest, 0, &port));
    } while (port < 32767);

    side = migrate(side);
    evtchn_domain_set_long_mode(side->guest, false);
    g_assert_cmpuint(side->mapped, ==, 3);
    g_assert(!evtchn_send(side->guest, port));
    g_assert(bit_of(side, CONTROL, 8 * 4096 - 1));
    g_assert_cmphex(((uint32_t *)side->memory[VCPU_INFO])[1], ==,
                    UINT32_C(1) << 31);
    side_free(side);
}

/* One of FIFO and 3-level, and that once. */
static void test_two_abis(void)
{
    static const char name[] = "xen_evtchn/fifo";
    Side *from = side_new(OFFER_FIFO, 131072);
    Side *to = side_new(OFFER_FIFO, 131072);
    g_autoptr(GByteArray) bytes = NULL;
    g_autofree guint8 *again = NULL;
    const guint8 *found;
    guint at, len;

    make_fifo(from);
    bytes = save(from);
    found = memmem(bytes->data, bytes->len, name, sizeof(name) - 1);
    g_assert(found);
    /* From its mark and the length of its name to the stream's end. */
    at = found - bytes->data - 2;
    g_assert_cmpint(bytes->data[at], ==, QEMU_VM_SUBSECTION);
    len = bytes->len - 1 - at;
    again = g_memdup2(bytes->data + at, len);
    g_byte_array_set_size(bytes, bytes->len - 1);
    g_byte_array_append(bytes, again, len);
    g_byte_array_append(bytes, (const guint8[]) { QEMU_VM_EOF }, 1);
    g_assert_cmpint(load(to, bytes), ==, -EINVAL);
    g_assert_cmpint(evtchn_domain_abi(to->guest), ==, EVTCHN_ABI_2L);
    side_free(from);
    side_free(to);
}

/* A machine that offers the guest something else refuses it. */
static void test_offer(void)
{
    static const struct {
        unsigned int offer;
        uint32_t max_ports;
    } kinds[] = {
        { 0, 4096 },
        { OFFER_FIFO, 4096 },
        { OFFER_FIFO, 131072 },
        { OFFER_3L, 4096 },
        { OFFER_3L, 262144 },
        { OFFER_FIFO | OFFER_3L, 262144 },
    };
    int i, j;

    for (i = 0; i < ARRAY_SIZE(kinds); i++) {
        Side *from = side_new(kinds[i].offer, kinds[i].max_ports);
        g_autoptr(GByteArray) bytes = save(from);

        for (j = 0; j < ARRAY_SIZE(kinds); j++) {
            Side *to = side_new(kinds[j].offer, kinds[j].max_ports);

            g_assert_cmpint(load(to, bytes), ==, i == j ? 0 : -EINVAL);
            side_free(to);
        }
        side_free(from);
    }
}

#define NR_LOCAL_PORTS 7

/* One of each kind that a load brings back as it was. */
static void bind_all_local(Side *side)
{
    struct evtchn_domain *d = side->guest;
    uint32_t port, other, moved;

    g_assert(!evtchn_bind_virq(d, 0, 1, &port));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &other));
    g_assert(!evtchn_bind_virq(d, 2, 0, &moved));
    g_assert(!evtchn_bind_vcpu(d, moved, 1));
    g_assert(!evtchn_bind_ipi(d, 1, &port));
    g_assert(!evtchn_send(d, port));
    g_assert(!evtchn_bind_pirq(d, 17, 0, &port));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0, &port));
    g_assert(!evtchn_alloc_unbound(d, 0x7ff0, 0x7ff0, &port));
    g_assert(!evtchn_bind_interdomain(d, 0x7ff0, port, &port));
    g_assert(!evtchn_close(d, other));
    side->stream.callback_param = 0x02000000000000f3;
    side->stream.gsi_pirq[9] = 17;
    side->stream.pirq_gsi_set = 1 << 9;
    g_free(side->stream.pirq_inuse);
    side->stream.pirq_inuse = g_new0(uint64_t, 1);
    *side->stream.pirq_inuse = 1 << 17;
}

/* Behind each subsection's name; VMState looks at the last byte alone. */
static bool in_version_id(const GByteArray *bytes, guint at)
{
    static const char *const names[] = {
        "xen_evtchn/offer",
        "xen_evtchn/fifo",
        "xen_evtchn/3l",
    };
    int i;

    for (i = 0; i < ARRAY_SIZE(names); i++) {
        size_t length = strlen(names[i]);
        const guint8 *name = memmem(bytes->data, bytes->len, names[i], length);

        if (name && at >= name - bytes->data + length &&
            at < name - bytes->data + length + 3) {
            return true;
        }
    }
    return false;
}

/* A port's @pending: the model raises what waits for what is there already. */
static bool in_pending(const GByteArray *bytes, guint at, unsigned int nr_ports)
{
    const guint size = 18, offset = 7;
    guint first = bytes->len - 1 - size * nr_ports;

    return at >= first && (at - first) % size == offset;
}

/*
 * Any bit may be wrong: what is taken all the same is what a save can have
 * written, that is, what the loaded machine writes.
 */
static void test_any_bit(gconstpointer data)
{
    unsigned int offer = GPOINTER_TO_UINT(data);
    uint32_t max_ports = offer ? 131072 : 4096;
    Side *side = side_new(offer, max_ports);
    g_autoptr(GByteArray) bytes = NULL;
    unsigned int taken = 0;
    guint i, bit;

    if (offer == OFFER_FIFO) {
        make_fifo(side);
    } else if (offer == OFFER_3L) {
        register_bitmaps(side);
        register_selector(side, 0);
        register_selector(side, 1);
    }
    bind_all_local(side);
    bytes = save(side);

    for (i = 0; i < bytes->len - 1; i++) {
        if (in_version_id(bytes, i) ||
            (offer && in_pending(bytes, i, NR_LOCAL_PORTS))) {
            continue;
        }
        for (bit = 0; bit < 8; bit++) {
            Side *to = side_new(offer, max_ports);

            memcpy(to->memory, side->memory, NR_PAGES * sizeof(*to->memory));
            /* There is no such one, so all that is loaded is kept. */
            to->stream.host_domid = NO_HOST_ID;
            bytes->data[i] ^= 1 << bit;
            if (!load(to, bytes) && to->loaded_all) {
                g_autoptr(GByteArray) again = save(to);

                taken++;
                if (again->len != bytes->len ||
                    memcmp(again->data, bytes->data, bytes->len)) {
                    g_test_message("bit %u of byte %u is not kept", bit, i);
                    g_test_fail();
                }
            }
            bytes->data[i] ^= 1 << bit;
            side_free(to);
        }
    }
    /* Such as a bit of what guests choose: a callback, a priority. */
    g_assert_cmpuint(taken, >, 64);
    side_free(side);
}

/* Any byte may be anything: an error or a domain that can be used. */
static void test_damaged(gconstpointer data)
{
    unsigned int offer = GPOINTER_TO_UINT(data);
    Side *side = side_new(offer, 131072);
    g_autoptr(GByteArray) bytes = NULL;
    unsigned int refused = 0;
    guint i, bit;
    Ports p;

    if (offer == OFFER_FIFO) {
        make_fifo(side);
    } else {
        register_bitmaps(side);
        register_selector(side, 1);
    }
    bind_all(side, &p);
    g_assert(!evtchn_send(side->guest, p.ipi));
    bytes = save(side);

    for (i = 0; i < bytes->len - 1; i++) {
        for (bit = 0; bit < 8; bit += 7) {
            Side *to = side_new(offer, 131072);

            bytes->data[i] ^= 1 << bit;
            if (load(to, bytes)) {
                refused++;
            } else {
                evtchn_raise_pirq(to->guest, 17);
            }
            bytes->data[i] ^= 1 << bit;
            side_free(to);
        }
    }
    g_assert_cmpuint(refused, >, 0);
    side_free(side);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
    /* Hundreds of streams are refused, each with a line that says why. */
    if (!g_test_verbose() && !freopen("/dev/null", "w", stderr)) {
        return 1;
    }

    g_test_add_data_func("/xen-evtchn/vmstate/2l", NULL, test_2l);
    g_test_add_func("/xen-evtchn/vmstate/2l-v1", test_2l_v1);
    g_test_add_func("/xen-evtchn/vmstate/2l-retry", test_2l_retry);
    g_test_add_data_func("/xen-evtchn/vmstate/fifo", NULL, test_fifo);
    g_test_add_func("/xen-evtchn/vmstate/fifo-page-missing",
                    test_fifo_page_missing);
    g_test_add_func("/xen-evtchn/vmstate/fifo-closed-linked",
                    test_fifo_closed_linked);
    g_test_add_func("/xen-evtchn/vmstate/offer", test_offer);
    g_test_add_data_func("/xen-evtchn/vmstate/3l", NULL, test_3l);
    g_test_add_data_func("/xen-evtchn/vmstate/kept/2l", "2l-1", test_2l);
    g_test_add_data_func("/xen-evtchn/vmstate/kept/fifo", "fifo-1", test_fifo);
    g_test_add_data_func("/xen-evtchn/vmstate/kept/3l", "3l-1", test_3l);
    g_test_add_func("/xen-evtchn/vmstate/3l-selector-missing",
                    test_3l_selector_missing);
    g_test_add_func("/xen-evtchn/vmstate/3l-32", test_3l_32);
    g_test_add_func("/xen-evtchn/vmstate/two-abis", test_two_abis);
    g_test_add_data_func("/xen-evtchn/vmstate/any-bit/2l",
                         GUINT_TO_POINTER(0), test_any_bit);
    g_test_add_data_func("/xen-evtchn/vmstate/any-bit/fifo",
                         GUINT_TO_POINTER(OFFER_FIFO), test_any_bit);
    g_test_add_data_func("/xen-evtchn/vmstate/any-bit/3l",
                         GUINT_TO_POINTER(OFFER_3L), test_any_bit);
    g_test_add_data_func("/xen-evtchn/vmstate/damaged/fifo",
                         GUINT_TO_POINTER(OFFER_FIFO), test_damaged);
    g_test_add_data_func("/xen-evtchn/vmstate/damaged/3l",
                         GUINT_TO_POINTER(OFFER_3L), test_damaged);
    return g_test_run();
}
