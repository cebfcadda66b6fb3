/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XenStore's ring and wire protocol, the guest's side. */

#include "internal.h"
#include "xenstore.h"

struct xenstore_answer xenstore_answer;

static struct xenstore_domain_interface *ring;
static evtchn_port_t ring_port;

struct xenstore_domain_interface *xenstore_ring(void)
{
    if (!ring) {
        ring = arch_xenstore(&ring_port);
        if (!ring_port) {
            xenstore_forget();
            test_skip("no XenStore");
        }
    }
    return ring;
}

void xenstore_forget(void)
{
    ring = NULL;
}

void xenstore_notify(void)
{
    evtchn_send(ring_port);
}

/* The store may be slow, above all on a busy host. */
#define PATIENCE 5000

#define wait_for_ring(condition)                    \
    ((condition) || wait_for(({                     \
                                 xenstore_notify(); \
                                 sched_yield();     \
                                 (condition);       \
                             }),                    \
                             PATIENCE))

bool xenstore_put(const void *bytes, size_t length)
{
    struct xenstore_domain_interface *r = xenstore_ring();
    const char *from = bytes;

    while (length--) {
        if (!wait_for_ring(r->req_prod -
                               __atomic_load_n(&r->req_cons, __ATOMIC_ACQUIRE) <
                           XENSTORE_RING_SIZE)) {
            return false;
        }
        r->req[MASK_XENSTORE_IDX(r->req_prod)] = *from++;
        __atomic_store_n(&r->req_prod, r->req_prod + 1, __ATOMIC_SEQ_CST);
    }
    xenstore_notify();
    return true;
}

static bool get(void *bytes, size_t length)
{
    struct xenstore_domain_interface *r = xenstore_ring();
    char *to = bytes;

    while (length--) {
        if (!wait_for_ring(r->rsp_cons !=
                           __atomic_load_n(&r->rsp_prod, __ATOMIC_ACQUIRE))) {
            return false;
        }
        *to++ = r->rsp[MASK_XENSTORE_IDX(r->rsp_cons)];
        __atomic_store_n(&r->rsp_cons, r->rsp_cons + 1, __ATOMIC_SEQ_CST);
    }
    /* The store may have waited for room in the ring. */
    xenstore_notify();
    return true;
}

const char *xenstore_wait(void)
{
    struct xenstore_answer *a = &xenstore_answer;

    do {
        if (!get(&a->header, sizeof(a->header)) ||
            a->header.len > XENSTORE_PAYLOAD_MAX ||
            !get(a->data, a->header.len)) {
            return "no answer";
        }
        a->data[a->header.len] = '\0';
    } while (a->header.type == XS_WATCH_EVENT);
    return a->header.type == XS_ERROR ? a->data : "OK";
}

const char *xenstore_ask(uint32_t type, uint32_t transaction,
                         const void *payload, size_t length)
{
    static uint32_t request_id;
    struct xsd_sockmsg header = {
        .type = type,
        .req_id = ++request_id,
        .tx_id = transaction,
        .len = length,
    };

    if (!xenstore_put(&header, sizeof(header)) ||
        !xenstore_put(payload, length)) {
        return "no answer";
    }
    return xenstore_wait();
}

const char *xenstore_ask_path(uint32_t type, uint32_t transaction,
                              const char *path)
{
    return xenstore_ask(type, transaction, path, strlen(path) + 1);
}

const char *xenstore_write(const char *path, const char *value)
{
    char payload[160];
    size_t length = strlen(path) + 1, more = strlen(value);

    if (length + more > sizeof(payload)) {
        crash("too much to write: %s", path);
    }
    memcpy(payload, path, length);
    memcpy(payload + length, value, more);
    return xenstore_ask(XS_WRITE, 0, payload, length + more);
}

bool same_text(const char *one, const char *other)
{
    return strlen(one) == strlen(other) && !memcmp(one, other, strlen(one));
}

int xenstore_request(uint32_t type, const void *payload, size_t length,
                     char *answer, size_t size)
{
    const char *verdict = xenstore_ask(type, 0, payload, length);
    size_t got;

    if (same_text(verdict, "no answer")) {
        crash("XenStore does not answer");
    }
    got = xenstore_answer.header.len;
    memcpy(answer, xenstore_answer.data, got < size ? got + 1 : size);
    return same_text(verdict, "OK") ? (int)got : -1;
}

int xenstore_read(const char *path, char *value, size_t size)
{
    return xenstore_request(XS_READ, path, strlen(path) + 1, value, size);
}

unsigned int xenstore_read_number(const char *path, unsigned int otherwise)
{
    char text[16];
    const char *digit = text;
    unsigned int number = 0;

    if (xenstore_read(path, text, sizeof(text) - 1) <= 0) {
        return otherwise;
    }
    text[sizeof(text) - 1] = '\0';
    while (*digit >= '0' && *digit <= '9') {
        number = number * 10 + (*digit++ - '0');
    }
    return number;
}

bool xenstore_write_number(const char *path, unsigned int value)
{
    char digits[12];
    char *digit = digits + sizeof(digits) - 1;

    *digit = '\0';
    do {
        *--digit = '0' + value % 10;
        value /= 10;
    } while (value);
    return same_text(xenstore_write(path, digit), "OK");
}

const char *path_join(char path[128], const char *one, const char *other)
{
    size_t length = strlen(one), more = strlen(other);

    if (length + more >= 128) {
        crash("a path is too long: %s%s", one, other);
    }
    memcpy(path, one, length);
    memcpy(path + length, other, more + 1);
    return path;
}

/* Grants ------------------------------------------------------------------- */

/* The first few references belong to the console and to XenStore. */
#define FIRST_FREE_GRANT 8

static grant_entry_v1_t *table;

volatile grant_entry_v1_t *grant_entry(grant_ref_t reference)
{
    return &table[reference];
}

grant_ref_t grant_page(domid_t dom, const void *page)
{
    static grant_ref_t next = FIRST_FREE_GRANT;
    grant_ref_t reference = next++;

    if (!table) {
        table = arch_grant_table();
    }
    if (reference >= PAGE_SIZE / sizeof(*table)) {
        crash("out of grants");
    }
    table[reference].domid = dom;
    table[reference].frame = gfn_of(page);
    __atomic_store_n(&table[reference].flags, GTF_permit_access,
                     __ATOMIC_SEQ_CST);
    return reference;
}
