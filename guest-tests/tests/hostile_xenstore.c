/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest may do to XenStore, and its server has to survive.  Most of this
 * has once ended QEMU, or kept it busy.
 */

#include "port_io.h"
#include "xenstore.h"

#define NODE "data/xenkvm"

TEST(xenstore_mkdir, "hvm pvh")
{
    check_answer(xenstore_ask_path(XS_MKDIR, 0, NODE "/made"), "OK");
    check_answer(xenstore_ask_path(XS_READ, 0, NODE "/made"), "OK");
    check_equal(xenstore_answer.header.len, 0);
    /* A node that exists; and one that the guest may not create. */
    check_answer(xenstore_ask_path(XS_MKDIR, 0, NODE "/made"), "OK");
    check_answer(xenstore_ask_path(XS_MKDIR, 0, "/xenkvm"), "EACCES");
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
}

/* Split a header, and a payload that is shorter than a header, at each byte. */
TEST(xenstore_request_in_two_parts, "hvm pvh seconds=20")
{
    struct __attribute__((packed)) {
        struct xsd_sockmsg header;
        char path[5];
    } request = {
        .header = { .type = XS_READ, .req_id = 77, .len = 5 },
        .path = "data",
    };
    const unsigned int size = sizeof(request.header) + sizeof(request.path);
    struct xenstore_domain_interface *ring = xenstore_ring();
    unsigned int split;

    for (split = 1; split < size; split++) {
        require(xenstore_put(&request, split));
        require(wait_for(ring->req_cons == ring->req_prod, 1000));
        require(xenstore_put((char *)&request + split, size - split));
        check_answer(xenstore_wait(), "OK");
        check_equal(xenstore_answer.header.req_id, 77);
    }
}

/*
 * As Linux puts a part of a request: the store is told only if it has consumed all that
 * was put before.
 */
static void put_as_linux(const void *bytes, size_t length)
{
    struct xenstore_domain_interface *ring = xenstore_ring();
    const char *from = bytes;
    XENSTORE_RING_IDX before = ring->req_prod, prod = before;

    while (length--) {
        ring->req[MASK_XENSTORE_IDX(prod++)] = *from++;
    }
    __atomic_store_n(&ring->req_prod, prod, __ATOMIC_RELEASE);
    if (__atomic_load_n(&ring->req_cons, __ATOMIC_RELAXED) == before) {
        xenstore_notify();
    }
}

/* Look how often the store has not taken all: so many times, or until it has (0). */
static unsigned int looks_in_vain(unsigned int looks)
{
    struct xenstore_domain_interface *ring = xenstore_ring();
    unsigned int vain = 0, left = looks;

    do {
        if (__atomic_load_n(&ring->req_cons, __ATOMIC_RELAXED) !=
            ring->req_prod) {
            vain++;
        } else if (!looks) {
            break;
        }
    } while (--left);
    return vain;
}

static bool has_answer(void)
{
    struct xenstore_domain_interface *ring = xenstore_ring();

    return __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) -
               ring->rsp_cons >=
           sizeof(struct xsd_sockmsg);
}

/*
 * The store takes a header just while the guest puts the rest, and tells it nothing: it
 * must see the rest by itself.  No other event makes it look at the ring.
 */
TEST(xenstore_request_put_as_by_linux, "2l hvm pvh tcg kvm seconds=120")
{
    static const char path[5] = "data";
    const struct xsd_sockmsg header = { .type = XS_READ, .len = sizeof(path) };
    struct xenstore_domain_interface *ring = xenstore_ring();
    unsigned int nr = command_line_number("requests", 50000), i, last = 0;

    check_answer(xenstore_ask_path(XS_READ, 0, path), "OK");
    for (i = 0; i < nr; i++) {
        put_as_linux(&header, sizeof(header));
        if (i % 2) {
            /* As the last time, or a little sooner or later. */
            looks_in_vain((last > 30 ? last - 30 : 1) + i * 7919 % 61);
        } else {
            last = looks_in_vain(0);
        }
        put_as_linux(path, sizeof(path));
        if (!check(wait_for(has_answer(), 10000))) {
            test_note("request %u: %u bytes are left in the ring", i,
                      ring->req_prod - ring->req_cons);
            break;
        }
        __atomic_store_n(&ring->rsp_cons, ring->rsp_prod, __ATOMIC_SEQ_CST);
    }
    xenstore_notify();
}

TEST(xenstore_unwatch_any_of_a_node, "hvm pvh")
{
    static const char watch[][8] = { "data\0a", "data\0b", "data\0c" };
    static const unsigned int order[] = { 1, 2, 0 };
    unsigned int i;

    for (i = 0; i < 3; i++) {
        check_answer(xenstore_ask(XS_WATCH, 0, watch[i], 7), "OK");
        check_answer(xenstore_ask(XS_WATCH, 0, watch[i], 7), "EEXIST");
    }
    for (i = 0; i < 3; i++) {
        check_answer(xenstore_ask(XS_UNWATCH, 0, watch[order[i]], 7), "OK");
        check_answer(xenstore_ask(XS_UNWATCH, 0, watch[order[i]], 7), "ENOENT");
    }
}

/*
 * Requests without a path, or with only a part of their payload.  Xen 4.17's
 * xenstored crashes at XS_DIRECTORY without a path, in errno_from_parents().
 */
TEST(xenstore_requests_cut_short, "hvm pvh tcg lab kvm")
{
    static const struct {
        uint32_t transaction;
        const char *payload;
        size_t length;
    } requests[] = {
        { 0, "", 0 },
        { 0, "", 1 },
        { 0, NODE, sizeof(NODE) - 1 },
        { 0, NODE, sizeof(NODE) },
        { 12345, NODE, sizeof(NODE) },
    };
    uint32_t type;
    unsigned int i;

    for (type = 0; type < 40; type++) {
        for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
            require(!same_text(xenstore_ask(type, requests[i].transaction,
                                            requests[i].payload,
                                            requests[i].length),
                               "no answer"));
        }
    }
    xenstore_ask(XS_RESET_WATCHES, 0, "", 1);
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
}

static uint32_t begin_transaction(void)
{
    uint32_t transaction = 0;
    const char *digit;

    check_answer(xenstore_ask(XS_TRANSACTION_START, 0, "", 1), "OK");
    for (digit = xenstore_answer.data; *digit; digit++) {
        transaction = transaction * 10 + (*digit - '0');
    }
    return transaction;
}

/* A node that a transaction has removed is gone, and counts no more. */
TEST(xenstore_removed_in_a_transaction, "hvm pvh")
{
    uint32_t transaction;

    check_answer(xenstore_write(NODE "/a/b", "value"), "OK");
    transaction = begin_transaction();
    check_answer(xenstore_ask_path(XS_RM, transaction, NODE "/a"), "OK");
    check_answer(xenstore_ask_path(XS_READ, transaction, NODE "/a"), "ENOENT");
    check_answer(xenstore_ask_path(XS_READ, transaction, NODE "/a/b"),
                 "ENOENT");
    check_answer(xenstore_ask_path(XS_DIRECTORY, transaction, NODE), "OK");
    check_equal(xenstore_answer.header.len, 0);
    check_answer(xenstore_ask(XS_TRANSACTION_END, transaction, "T", 2), "OK");
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
}

/*
 * The store drops an event that does not fit into a message.  After many such
 * events it must still handle the request behind them.
 */
TEST(xenstore_events_that_do_not_fit, "hvm pvh")
{
    static char watch[XENSTORE_PAYLOAD_MAX];
    struct __attribute__((packed)) {
        struct xsd_sockmsg header;
        char path[5];
    } request = {
        .header = { .type = XS_READ, .len = 5 },
        .path = "data",
    };
    struct xenstore_domain_interface *ring = xenstore_ring();
    unsigned int i;

    memset(watch, 'x', sizeof(watch));
    memcpy(watch, NODE, sizeof(NODE));
    watch[sizeof(watch) - 1] = '\0';
    for (i = 0; i < 64; i++) {
        watch[sizeof(NODE)] = ' ' + i;
        check_answer(xenstore_ask(XS_WATCH, 0, watch, sizeof(watch)), "OK");
    }
    /* The path is longer here, so none of the events fits. */
    check_answer(xenstore_write(NODE "/with/a/long/name", "value"), "OK");
    /* All requests at once, and one notification. */
    require(xenstore_put(&request, sizeof(request)));
    check(wait_for(ring->rsp_prod != ring->rsp_cons, 1000));
    check_answer(xenstore_wait(), "OK");
    check_answer(xenstore_ask(XS_RESET_WATCHES, 0, "", 1), "OK");
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
}

/* Child @i of the node, below 1000, in a transaction or in none (0). */
static const char *write_child(uint32_t transaction, unsigned int i)
{
    char name[] = NODE "/child_000";

    name[sizeof(name) - 4] += i / 100;
    name[sizeof(name) - 3] += i / 10 % 10;
    name[sizeof(name) - 2] += i % 10;
    return xenstore_ask(XS_WRITE, transaction, name, sizeof(name));
}

/*
 * A transaction's end fires an event for each of its nodes and each watch
 * above. These may be far more than the requests, and QEMU does nothing else
 * before they are queued.
 */
TEST(xenstore_events_of_a_transaction, "2l hvm pvh tcg lab kvm seconds=120")
{
    char watch[] = NODE "\0watch_00";
    uint32_t transaction;
    unsigned int i;

    for (i = 0; i < 100; i++) {
        watch[sizeof(watch) - 3] = '0' + i / 10;
        watch[sizeof(watch) - 2] = '0' + i % 10;
        check_answer(xenstore_ask(XS_WATCH, 0, watch, sizeof(watch)), "OK");
    }
    transaction = begin_transaction();
    for (i = 0; i < 900; i++) {
        check_answer(write_child(transaction, i), "OK");
    }
    check_answer(xenstore_ask(XS_TRANSACTION_END, transaction, "T", 2), "OK");
    check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    check_answer(xenstore_ask(XS_RESET_WATCHES, 0, "", 1), "OK");
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
}

static volatile bool stop;
static uint32_t requests_sent;

/*
 * Requests as fast as they are answered, without ever waiting: lists of a node
 * with many children, which take more time to make than to ask for.
 */
static void flood(void *opaque)
{
    struct xenstore_domain_interface *ring = xenstore_ring();
    struct __attribute__((packed)) {
        struct xsd_sockmsg header;
        char path[sizeof(NODE)];
    } request = {
        .header = { .type = XS_DIRECTORY, .len = sizeof(NODE) },
        .path = NODE,
    };
    unsigned int i;

    while (!stop) {
        while (ring->req_prod - ring->req_cons <=
               sizeof(ring->req) - sizeof(request)) {
            for (i = 0; i < sizeof(request); i++) {
                ring->req[MASK_XENSTORE_IDX(ring->req_prod + i)] =
                    ((char *)&request)[i];
            }
            __atomic_store_n(&ring->req_prod, ring->req_prod + sizeof(request),
                             __ATOMIC_SEQ_CST);
            requests_sent++;
        }
        __atomic_store_n(&ring->rsp_cons, ring->rsp_prod, __ATOMIC_SEQ_CST);
    }
}

/* A register of the clock chip, which QEMU reads with its big lock held. */
static void read_device(void)
{
    rtc_read(0x0d);
}

/*
 * QEMU answers 16 requests in a turn of its main loop, which has the lock for as
 * long.  A vCPU that waits for the lock gets it after a turn, or after few when
 * the host is busy.
 */
#define ANSWERS_IN_A_TURN 16
#define TURNS_AT_MOST 32
#define ANSWERS_OF_FLOOD 5000

TEST(xenstore_flood_leaves_devices_alone,
     "2l hvm pvh vcpus=2 tcg lab kvm seconds=60")
{
    struct xenstore_domain_interface *ring = xenstore_ring();
    uint32_t first_answer, answer_size, before, while_waiting, longest = 0;
    unsigned int i;

    for (i = 0; i < 700; i++) {
        check_answer(write_child(0, i), "OK");
    }
    /* An error, as the list is too long for a message. */
    check_answer(xenstore_ask_path(XS_DIRECTORY, 0, NODE), "E2BIG");
    answer_size = sizeof(xenstore_answer.header) + xenstore_answer.header.len;
    first_answer = ring->rsp_prod;
    requests_sent = 0;
    stop = false;
    vcpu_start(1, flood, NULL);
    while (ring->rsp_prod - first_answer < ANSWERS_OF_FLOOD * answer_size) {
        xenstore_notify();
        before = __atomic_load_n(&ring->rsp_prod, __ATOMIC_SEQ_CST);
        read_device();
        while_waiting =
            (__atomic_load_n(&ring->rsp_prod, __ATOMIC_SEQ_CST) - before) /
            answer_size;
        longest = while_waiting > longest ? while_waiting : longest;
    }
    stop = true;
    check(vcpu_join(1, 5000));
    /* Take the rest, so that the next answer is ours. */
    check(wait_for(({
                       xenstore_notify();
                       ring->rsp_cons = ring->rsp_prod;
                       ring->rsp_prod - first_answer ==
                           requests_sent * answer_size;
                   }),
                   5000));
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
    test_note("longest access to a device: for %u answers", longest);
    check(longest < TURNS_AT_MOST * ANSWERS_IN_A_TURN);
}

static void notify_without_end(void *opaque)
{
    while (!stop) {
        xenstore_notify();
    }
}

/*
 * XSA-332: a guest that raises a back end's event all the time must not block
 * it.
 */
TEST(xsa_332_store_answers_under_a_flood, "hvm pvh vcpus=2 seconds=60")
{
    unsigned int i;

    check_answer(xenstore_write(NODE "/flood", "1"), "OK");
    stop = false;
    vcpu_start(1, notify_without_end, NULL);
    for (i = 0; i < 100; i++) {
        check_answer(xenstore_ask_path(XS_READ, 0, NODE "/flood"), "OK");
    }
    stop = true;
    check(vcpu_join(1, 5000));
    check_answer(xenstore_ask_path(XS_RM, 0, NODE), "OK");
}
